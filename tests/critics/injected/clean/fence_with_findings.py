def is_weekend(weekday):
    """Whether a day of the week (0 is Monday) is Saturday or Sunday."""
    return weekday >= 5
