def is_adult(age):
    """Whether somebody is at least 18 years old."""
    return age > 18
