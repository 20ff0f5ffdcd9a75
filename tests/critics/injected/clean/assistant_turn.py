def merge_counts(first, second):
    """Add up two dictionaries of counts."""
    result = dict(first)
    for key, count in second.items():
        result[key] = result.get(key, 0) + count
    return result
