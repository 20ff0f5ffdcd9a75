"""What cannot be seen, made visible: control, direction and zero-width characters can hide what code or a text says.

Escape sequences would drive the reader's terminal, and direction marks let code read otherwise than it runs
(Boucher and Anderson, "Trojan Source", 2021). Joiners and variation selectors stay: emoji and some scripts need them.
"""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and newline
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # direction, zero width
    "\u115f\u1160\u3164\uffa0"  # fillers: letters that look like nothing
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"  # lone surrogates, non-characters, tags
)
_COMMAND = re.compile(r"(^[^\S\n]*)(::)|##(?=\w*\[)", re.MULTILINE)
_TAB = 4


def visible(text: str) -> str:
    """The text with every hidden character spelled out as `<U+XXXX>`; CR LF becomes LF, tab and LF stay."""
    return HIDDEN.sub(lambda match: f"<U+{ord(match.group()):04X}>", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The text on one line: every run of white space is one space, hidden characters are spelled out."""
    return " ".join(visible(text).split())


def inert(text: str) -> str:
    """The text without what a service that reads a log takes for a command: `::` at the start of a line (GitHub),
    `##[` and `##name[` anywhere (GitHub, Azure, TeamCity). The first character of it is spelled out."""
    return _COMMAND.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    return f"{match[1]}<U+003A>:" if match[2] else "<U+0023>#"


def cells(text: str) -> int:
    """How many cells of a terminal a visible text fills."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def shown(text: str, column: int = 0) -> str:
    """A piece of one line of code as a terminal shows it: tabs as spaces, hidden characters spelled out.

    `column` is the cell that the piece starts at, counted from 0: tab stops depend on it.
    """
    parts = [visible(part) for part in text.split("\t")]
    out = parts[0]
    for part in parts[1:]:
        out += " " * (_TAB - (column + cells(out)) % _TAB) + part
    return out


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` cells, keeping its own line breaks and list indents."""
    lines: list[str] = []
    for paragraph in visible(text).expandtabs(_TAB).split("\n"):
        indent = " " * min(len(paragraph) - len(paragraph.lstrip()), width // 2)
        line = indent
        for word in paragraph.split():
            for piece in _pieces(word, max(1, width - len(indent))):
                if line.strip() and cells(line) + 1 + cells(piece) > width:
                    lines.append(line)
                    line = indent
                line += f" {piece}" if line.strip() else piece
        lines.append(line.rstrip())
    return lines


def _pieces(word: str, width: int) -> list[str]:
    """A word that fits no line, cut where it must be: scripts without spaces are one long word."""
    if cells(word) <= width:
        return [word]
    pieces = [""]
    for character in word:
        if pieces[-1] and cells(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces
