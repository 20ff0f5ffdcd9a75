def discount(price, percent):
    """The price after taking off some percent."""
    return price + price * percent / 100
