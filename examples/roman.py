# Task: "Read and write Roman numerals from 1 to 3999. Reading takes either case and refuses what is no numeral in the
# usual form: IIII, VX or IC are errors."

VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
STEPS = (
    *((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC")),
    *((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")),
)


def to_roman(number: int) -> str:
    """Write a number as a Roman numeral."""
    if not 1 <= number <= 3999:
        raise ValueError(f"{number} has no Roman numeral: take 1 to 3999")
    parts: list[str] = []
    for value, letters in STEPS:
        while number >= value:
            parts.append(letters)
            number -= value
    return "".join(parts)


def value_of(letters: str) -> int:
    """Add up the letters of a numeral: one before a greater one is taken away.

    >>> value_of("MCMXCIV")
    1994
    """
    values = [VALUES[letter] for letter in letters]
    total = 0
    for i, value in enumerate(values):
        following = values[i + 1] if i + 1 < len(values) else 0
        if value < following:
            total -= following
        else:
            total += value
    return total


def from_roman(text: str) -> int:
    """Read a Roman numeral."""
    letters = text.strip().upper()
    if not letters or any(letter not in VALUES for letter in letters):
        raise ValueError(f"{text!r} is no Roman numeral")
    number = value_of(letters)
    if not 1 <= number <= 3999 or to_roman(number) != letters:
        raise ValueError(f"{text!r} is no Roman numeral in the usual form")
    return number
