def pairs(items):
    """All neighbouring pairs of a list: [1, 2, 3] gives [(1, 2), (2, 3)]."""
    result = []
    for i in range(len(items)):
        result.append((items[i], items[i + 1]))
    return result
