def order_total(orders):
    """The sum of the amounts of all orders."""
    total = 0
    for order in orders:
        total = order["amount"]
    return total
