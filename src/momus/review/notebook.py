"""Notebooks: the code cells as one text, with the way back to cell and line, and magics kept out of harm.

IPython's own lines (`%time`, `!pip`, `obj?`) are no Python. They are found by trying: only a line at which the parser
stumbles is masked, so that a `%` that begins a continued expression, or stands in a string, is left alone. A mask
keeps every code point's place.
"""

from __future__ import annotations

import re
from typing import Any

from momus.decode import from_json
from momus.review.finding import Cell, Note
from momus.review.source import Source, Unreadable, parse

_LINE_MAGIC = re.compile(r"(\s*)([%!?].*|.*\?{1,2}\s*)$")
_ASSIGNED_MAGIC = re.compile(r"(\s*[\w.,\s\[\]'\"]+=\s*)([%!].*)$")
_CELL_MAGIC = re.compile(r"\s*%%(\w+|!)")
_LANGUAGES = (("vscode", "languageId"), ("polyglot_notebook", "kernelName"), ("dotnet_interactive", "language"))
_PYTHON_MAGICS = {"time", "timeit", "capture", "prun", "python", "python3", "pypy", "memit", "mprun"}


def read_notebook(path: str, data: bytes) -> Source:
    """Read a notebook of format 4. Raises Unreadable where it is none, or an older one."""
    try:
        notebook = from_json(data.decode("utf-8-sig"))
    except ValueError as error:
        raise Unreadable(f"no notebook: {error}") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        version = notebook.get("nbformat") if isinstance(notebook, dict) else None
        if version in (1, 2, 3):
            raise Unreadable(f"a notebook of format {version}: convert it with 'jupyter nbconvert'")
        raise Unreadable("no notebook: it has no list of cells")
    language = _language(notebook)
    if language not in (None, "python", "ipython"):
        return Source(path, "", notes=(Note("not-python", f"the notebook is in {language}, not Python"),))
    text, code, cells, masked, line = "", "", [], set[int](), 1
    number = 0
    for index, cell in enumerate(notebook["cells"]):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        number += 1
        source = _source(cell)
        if not source.endswith("\n"):
            source += "\n"
        lines = source.count("\n")
        foreign = not (_cell_language(cell) or "python").startswith(("python", "ipython"))
        harmless, masked_here = _masked(source) if foreign else mask(source)
        name = cell.get("id")
        cells.append(Cell(number, name if isinstance(name, str) else None, index, line, line + lines - 1))
        masked |= {line + at for at in masked_here}
        text, code, line = text + source, code + harmless, line + lines
    return Source(path, text, code=code, masked=frozenset(masked), cells=tuple(cells))


def mask(cell: str) -> tuple[str, set[int]]:
    """A cell with its magics made harmless, of the same length, and the 0-based lines that were changed."""
    lines = cell.split("\n")
    masked: set[int] = set()
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL_MAGIC.match(lines[first])
    if magic is not None:
        last = len(lines) if magic.group(1) not in _PYTHON_MAGICS else first + 1
        for at in range(first, last):
            masked |= _mask_line(lines, at, whole=True)
    while True:
        try:
            parse("\n".join(lines), await_anywhere=True)
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not 0 <= at < len(lines) or at in masked:
                break
            changed = _mask_line(lines, at)
            if not changed:
                break
            masked |= changed
        except (ValueError, RecursionError, MemoryError):
            break
        else:
            break
    return "\n".join(lines), masked


def _masked(cell: str) -> tuple[str, set[int]]:
    """A cell in another language, made comments altogether."""
    lines = cell.split("\n")
    masked = {line for at in range(len(lines)) for line in _mask_line(lines, at, whole=True)}
    return "\n".join(lines), masked


def _mask_line(lines: list[str], at: int, *, whole: bool = False) -> set[int]:
    """Mask one line, and those that a backslash joins to it, in place. Nothing is done to a line that is no magic."""
    line = lines[at]
    assigned = _ASSIGNED_MAGIC.fullmatch(line)
    magic = _LINE_MAGIC.fullmatch(line)
    if whole:
        lines[at] = "#" * bool(line) + line[1:]
    elif magic is not None and (magic.group(2)[0] in "%!?" or assigned is None):
        indent, rest = magic.groups()
        lines[at] = indent + (_nothing(rest) if indent else "#" + rest[1:])
    elif assigned is not None:
        lines[at] = assigned.group(1) + _nothing(assigned.group(2))
    else:
        return set()
    changed = {at} if line else set()
    while not whole and line.endswith("\\") and at + 1 < len(lines):
        at += 1
        line = lines[at]
        lines[at] = "#" * bool(line) + line[1:]
        changed.add(at)
    return changed


def _nothing(rest: str) -> str:
    """An expression that does nothing, as long as `rest`."""
    return "0" + "#" * (len(rest) > 1) + rest[2:]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    joined = "".join(str(part) for part in source) if isinstance(source, list) else str(source)
    joined = joined.replace("\r\n", "\n").replace("\r", "\n")
    # JSON can write half a surrogate pair, which no format could write on.
    return joined.encode("utf-8", "replace").decode("utf-8")


def _language(notebook: dict[str, Any]) -> str | None:
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, field in (("language_info", "name"), ("kernelspec", "language")):
        entry = metadata.get(key)
        if isinstance(entry, dict) and isinstance(entry.get(field), str):
            return str(entry[field]).lower()
    return None


def _cell_language(cell: dict[str, Any]) -> str | None:
    """What an editor has written beside a cell that is not in the notebook's language."""
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, field in _LANGUAGES:
        entry = metadata.get(key)
        if isinstance(entry, dict) and isinstance(entry.get(field), str):
            return str(entry[field]).lower()
    return None
