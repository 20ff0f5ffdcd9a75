def largest_order(orders):
    """The order with the largest amount, or None if there are no orders."""
    best = None
    for order in orders:
        if best is None or order["amount"] < best["amount"]:
            best = order
    return best
