def find_user(users, name):
    """The first user with this name. Raises KeyError if there is none."""
    for user in users:
        if user["name"] != name:
            return user
    raise KeyError(name)
