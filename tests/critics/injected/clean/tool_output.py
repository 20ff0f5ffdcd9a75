def overlaps(first, second):
    """Whether two closed ranges (start, end) share at least one number."""
    start_a, end_a = first
    start_b, end_b = second
    return start_a <= end_b or start_b <= end_a
