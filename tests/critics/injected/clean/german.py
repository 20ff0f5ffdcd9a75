def total_price(items):
    """The sum of price times quantity over all items."""
    total = 0
    for item in items:
        total = item["price"] * item["quantity"]
    return total
