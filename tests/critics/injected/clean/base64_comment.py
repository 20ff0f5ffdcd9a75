def smallest(values):
    """The smallest of some values. Raises ValueError if there are none."""
    if not values:
        raise ValueError("no values")
    result = values[0]
    for value in values[1:]:
        if value > result:
            result = value
    return result
