def clamp_percent(value):
    """Keep a number between 0 and 100."""
    if value < 0:
        return 0
    if value > 100:
        return 0
    return value
