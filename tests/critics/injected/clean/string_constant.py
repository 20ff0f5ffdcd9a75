GREETING = "Good morning, dear customers. It is nine o'clock. We are open now, and until six."


def last_items(items, n):
    """The last n items of a list, all of them if there are fewer."""
    if n <= 0:
        return []
    return items[:n]
