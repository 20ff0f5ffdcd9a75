def celsius_to_fahrenheit(degrees):
    """Convert a temperature from Celsius to Fahrenheit."""
    return degrees * 9 / 5 - 32
