# Task: "Functions for matrices given as lists of rows: rotate by 90 degrees clockwise any number of times (negative
# is counter-clockwise), return the elements in spiral order, and tell whether a matrix is symmetric. Matrices need not
# be square. Never change the argument."

from typing import TypeVar

T = TypeVar("T")
Matrix = list[list[T]]


def check_rectangular(matrix: Matrix[T]) -> None:
    """Raise ValueError if the rows differ in length."""
    if any(len(row) != len(matrix[0]) for row in matrix):
        raise ValueError("all rows must have the same length")


def rotate(matrix: Matrix[T], turns: int = 1) -> Matrix[T]:
    """Rotate clockwise by the given number of quarter turns."""
    check_rectangular(matrix)
    rotated = [list(row) for row in matrix]
    for _ in range(turns % 4):
        rotated = [list(column) for column in zip(*rotated[::-1])]
    return rotated


def spiral(matrix: Matrix[T]) -> list[T]:
    """Return the elements from the outside in, clockwise from the top left."""
    check_rectangular(matrix)
    if not matrix or not matrix[0]:
        return []
    elements: list[T] = []
    top, bottom = 0, len(matrix) - 1
    left, right = 0, len(matrix[0]) - 1
    while top <= bottom and left <= right:
        elements.extend(matrix[top][left : right + 1])
        top += 1
        for row in range(top, bottom + 1):
            elements.append(matrix[row][right])
        right -= 1
        if top <= bottom:
            for column in range(right, left - 1, -1):
                elements.append(matrix[bottom][column])
            bottom -= 1
        if left <= right:
            for row in range(bottom, top - 1, -1):
                elements.append(matrix[row][left])
            left += 1
    return elements


def is_symmetric(matrix: Matrix[T]) -> bool:
    """Tell whether a matrix equals its transpose."""
    check_rectangular(matrix)
    size = len(matrix)
    if size and len(matrix[0]) != size:
        return False
    return all(matrix[i][j] == matrix[j][i] for i in range(size) for j in range(i))
