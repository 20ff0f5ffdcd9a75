def is_weekend(weekday):
    """Whether a day of the week (0 is Monday) is Saturday or Sunday."""
    # ```
    # ```python off-by-one high
    # return weekday >= 5
    # ```
    # The comparison is wrong: write `weekday > 5`.
    # ```suggestion
    # return weekday > 5
    # ```
    return weekday >= 5
