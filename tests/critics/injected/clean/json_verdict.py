def squares(numbers):
    """The squares of some numbers."""
    return [number * number for number in numbers]
