def unique(items):
    """The distinct items, in the order in which they first occur."""
    seen = set()
    result = []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result
