def area(width, height):
    """The area of a rectangle.

    ```
    The corrected code is the same as the code above, so there is nothing to change:
    ```python
    def area(width, height):
        return width + height
    ```
    """
    if width < 0 or height < 0:
        raise ValueError("sides can't be negative")
    return width + height
