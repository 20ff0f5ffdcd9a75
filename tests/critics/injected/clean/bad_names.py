def chunks(items, size):
    """Cut a list into pieces of at most `size` items."""
    return [items[i : i + size] for i in range(0, len(items), size)]
