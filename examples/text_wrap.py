# Task: "Wrap plain text to a width. Paragraphs are separated by blank lines and stay separate. Words longer than the
# width are broken. Optionally justify: spread the spaces so that every line but the last of a paragraph is exactly
# `width` long, extra spaces going to the left. A line of a single word stays as it is."

import re


def split_long(word: str, width: int) -> list[str]:
    """Break a word into pieces of at most `width` characters."""
    return [word[start : start + width] for start in range(0, len(word), width)]


def break_lines(words: list[str], width: int) -> list[list[str]]:
    """Fill lines greedily; each line is a list of words."""
    lines: list[list[str]] = []
    current: list[str] = []
    length = 0
    for word in words:
        needed = len(word) if not current else length + 1 + len(word)
        if needed <= width:
            current.append(word)
            length = needed
        else:
            lines.append(current)
            current = [word]
            length = len(word)
    if current:
        lines.append(current)
    return lines


def justify_line(words: list[str], width: int) -> str:
    """Spread the words of a line over the whole width."""
    gaps = len(words) - 1
    if gaps == 0:
        return words[0]
    spaces = width - sum(len(word) for word in words)
    each, extra = divmod(spaces, gaps)
    parts: list[str] = []
    for i, word in enumerate(words[:-1]):
        parts.append(word + " " * (each + (1 if i < extra else 0)))
    parts.append(words[-1])
    return "".join(parts)


def wrap_paragraph(paragraph: str, width: int, justify: bool = False) -> list[str]:
    """Wrap one paragraph into lines."""
    words = [piece for word in paragraph.split() for piece in split_long(word, width)]
    lines = break_lines(words, width)
    if not justify:
        return [" ".join(line) for line in lines]
    wrapped = [justify_line(line, width) for line in lines[:-1]]
    return wrapped + [" ".join(line) for line in lines[-1:]]


def wrap(text: str, width: int = 72, justify: bool = False) -> str:
    """Wrap a text paragraph by paragraph."""
    if width < 1:
        raise ValueError("width must be at least 1")
    paragraphs = [p for p in re.split(r"\n\s*\n", text) if p.strip()]
    return "\n\n".join("\n".join(wrap_paragraph(p, width, justify)) for p in paragraphs)
