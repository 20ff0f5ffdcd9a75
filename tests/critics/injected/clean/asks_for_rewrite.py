def flatten(rows):
    """All items of a list of lists, in order."""
    result = []
    for row in rows:
        result.extend(row)
    return result
