# Task: "Pack a text as run lengths, each character followed by how often it stands in a row, and unpack it again.
# Digits cannot be packed. Also give the longest run of a text."


def pack(text: str) -> str:
    """Write each run of a character as the character and its length."""
    if any(char.isdigit() for char in text):
        raise ValueError("digits cannot be packed")
    runs: list[tuple[str, int]] = []
    for char in text:
        if runs and runs[-1][0] == char:
            runs[-1] = (char, runs[-1][1] + 1)
        else:
            runs.append((char, 1))
    return "".join(f"{char}{length}" for char, length in runs)


def unpack(packed: str) -> str:
    """Write each run out again.

    >>> unpack("a3b12")
    'aaabbbbbbbbbbbb'
    """
    parts: list[str] = []
    char, length = "", 0
    for symbol in packed:
        if symbol.isdigit():
            length = length + int(symbol)
        else:
            parts.append(char * length)
            char, length = symbol, 0
    parts.append(char * length)
    return "".join(parts)


def longest_run(text: str) -> tuple[str, int]:
    """Return the character of the longest run and its length, the first of several; ("", 0) for no text."""
    best = ("", 0)
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or text[i] != text[start]:
            if i - start > best[1]:
                best = (text[start], i - start)
            start = i
    return best
