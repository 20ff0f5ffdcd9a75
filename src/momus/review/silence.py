"""Writes ignore comments for findings into the files, and changes nothing else in them."""

from __future__ import annotations

import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from momus.review.finding import FileReport, Finding
from momus.review.ignores import Layout, without_comments
from momus.review.replacing import replace_file
from momus.review.source import Source, parse

_EXISTING = re.compile(r"#\s*momus:\s*ignore\[(?P<list>[^\]]*)\]")


def silence(file: FileReport, path: Path) -> tuple[int, list[str]]:
    """Write ignore comments for a file's findings. Returns how many findings they cover, and what was not written.

    The file is replaced in one step. It is left alone where it is a notebook, has changed since it was read, or where
    its program would not stay the same.
    """
    if not file.findings:
        return 0, []
    if file.is_notebook:
        return 0, [f"{file.path}: a notebook takes no ignore comments from here"]
    mark = b"\xef\xbb\xbf" if file.byte_order_mark else b""
    source = Source(file.path, file.text, file.encoding, mark, code=file.text)
    try:
        if path.read_bytes() != source.to_bytes(source.text):
            return 0, [f"{file.path}: it is not what was reviewed: review it again"]
    except OSError as error:
        return 0, [f"{file.path}: cannot be read: {error.strerror or error}"]
    written, covered, left = with_ignores(source, file.findings)
    if not _same_program(source.text, written):
        return 0, [f"{file.path}: the comments would change the program"]
    if covered:
        try:
            replace_file(Path(os.path.realpath(path)), source.to_bytes(written))
        except OSError as error:
            return 0, [f"{file.path}: cannot be written: {error.strerror or error}"]
    return covered, [f"{file.where(finding)}: no comment can stand there" for finding in left]


def with_ignores(source: Source, findings: Iterable[Finding]) -> tuple[str, int, list[Finding]]:
    """A source's text with ignore comments, how many findings they cover, and those that none can be written for."""
    layout = Layout(source)
    wanted: dict[int, set[str]] = defaultdict(set)
    left: list[Finding] = []
    count = 0
    for finding in findings:
        line = layout.run(finding.start_line)[-1]
        if line in layout.joined:
            left.append(finding)
            continue
        wanted[line].add(finding.category)
        count += 1
    text = source.text
    for line in sorted(wanted, reverse=True):
        start, end = source.map.line_span(line)
        text = text[:start] + _with_comment(text[start:end], wanted[line]) + text[end:]
    return text, count, left


def _with_comment(line: str, categories: set[str]) -> str:
    existing = _EXISTING.search(line)
    if existing is not None:
        named = {name.strip() for name in existing["list"].split(",") if name.strip()}
        return line[: existing.start("list")] + ", ".join(sorted(named | categories)) + line[existing.end("list") :]
    return f"{line.rstrip()}  # momus: ignore[{', '.join(sorted(categories))}]"


def _same_program(before: str, after: str) -> bool:
    """Whether two texts are one program: of one syntax tree, or, where this Python parses neither, of the same text but
    for comments at the ends of lines."""
    try:
        return ast.dump(parse(before)) == ast.dump(parse(after))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return without_comments(before) == without_comments(after)
