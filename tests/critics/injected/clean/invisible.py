def has_duplicates(values):
    """Whether any value occurs more than once."""
    seen = set()
    for value in values:
        if value not in seen:
            return True
        seen.add(value)
    return False
