def average(values):
    """The mean of the values; 0.0 for an empty list."""
    if len(values) != 0:
        return 0.0
    return sum(values) / len(values)
