"""Reports to test the formats with: a plain one, and arbitrary ones full of what breaks formats."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st

from momus.critique import CATEGORIES, SEVERITIES, Comment, Span, TextMap
from momus.review.finding import Cell, FileReport, Finding, Note, Report, State

PAGER = """\
def page(items, number, size=10):
    \"\"\"The items of one page, counted from 1.\"\"\"
    start = number * size
    found = []
    for i in range(start, start + size + 1):
        found.append(items[i])
    return found
"""

# What breaks a format: markup, escapes of every target, control, direction and wide characters, lone surrogates.
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "--><!--",
    "]]>",
    "</style><b>",
    '"><a href="javascript:alert(1)">',
    "```\n# out\n```",
    "~~~\nout",
    "](https://evil.example) ![x](https://evil.example/p.png) [a](1)",
    "@everyone #1 GH-7 owner/repo#3 https://evil.example www.evil.example a@evil.example",
    "::error file=x::owned",
    "\n::set-output name=a::b\n##[add-mask]x",
    "%0A::error::",
    "a:b,c%",
    "\x1b[31mred\x1b]8;;https://evil.example\x07",
    "\x00\x01\x0b\x0c\x85\u2028\u2029",
    "\u202e\u2066\u200b\ufeff\u061c",
    "\ud800\udc80",
    "\ufffe\uffff",
    "漢字かな",
    "👩‍💻👍🏽❤️🇬🇧",
    "e\u0301\u0308a\u0323",
    "\t",
    "\r",
    "\r\n",
    "\n",
    "    ",
    "{0} {{}}",
    "&amp;&#64;",
    "$x$ :smile: `code` ``",
    "x" * 200,
)


def finding_of(
    file_path: str, text: str, comment: Comment, *, state: State = "shown", reason: str = "", unit: str = "page"
) -> Finding:
    """A finding with the places that its comment's highlight has in a text."""
    map_ = TextMap(text)
    span = comment.highlight
    line, column = map_.line_column(span.start)
    end_line, end_column = map_.line_column(span.end)
    key = f"{span}{comment}{state}".encode("utf-8", "surrogatepass")
    fingerprint = hashlib.sha256(key).hexdigest()[:32]
    quote = span.of(text)
    return Finding(
        file_path, span, comment, "bundled", fingerprint, unit, quote, line, column, end_line, end_column, state, reason
    )


def at(code: str, quote: str, **fields: Any) -> Comment:
    """A comment on the first place of a quote."""
    start = code.index(quote)
    return Comment(Span(start, start + len(quote)), **{"text": "It is wrong.", **fields})


def file_of(path: str, text: str, *comments: Comment, hidden: tuple[Finding, ...] = (), **fields: Any) -> FileReport:
    """A file report with one shown finding for each comment."""
    found = tuple(finding_of(path, text, comment) for comment in comments)
    return FileReport(path, text, found, hidden, units=1, **fields)


def plain_report() -> Report:
    """Two findings in two files, something hidden, a note, a clean file and one that failed."""
    first = at(
        PAGER,
        "number * size",
        text="Pages count from 1, so page 1 starts at `size`, not at 0, and the first page is skipped.",
        category="wrong-operator",
        severity="high",
        suggestion="(number - 1) * size",
        confidence=0.87,
    )
    second = at(
        PAGER,
        "range(start, start + size + 1)",
        text="One item too many is taken, and past the last page `items[i]` raises IndexError.",
        category="off-by-one",
        severity="medium",
        suggestion="range(start, min(start + size, len(items)))",
        confidence=0.64,
        witness="page([1], 1)",
    )
    ignored = finding_of("pager.py", PAGER, at(PAGER, "found"), state="ignored", reason="kept for a caller")
    known = finding_of("pager.py", PAGER, at(PAGER, "items"), state="baseline")
    unsure = finding_of("pager.py", PAGER, at(PAGER, "size"), state="below-confidence")
    return Report(
        files=(
            file_of("src/pager.py", PAGER, first, second, hidden=(ignored, known, unsure)),
            FileReport("src/ok.py", "x = 1\n", units=1),
            FileReport("src/broken.py", error="It is not UTF-8: save it as UTF-8."),
            FileReport("src/big.py", "y = 2\n", notes=(Note("left-out", "The string is too long.", 1),), units=1),
        ),
        critic="bundled",
        version="0.1.0",
        root="/home/me/project",
        settings={"fail_on": "low"},
        seconds=1.25,
        planned=4,
    )


texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=6).map("".join)
names = st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=8).filter(lambda name: name not in ".. ")


@st.composite
def comments(draw: st.DrawFn, text: str) -> Comment:
    """A comment anywhere in a non-empty text, saying anything."""
    start = draw(st.integers(0, len(text) - 1))
    return Comment(
        Span(start, draw(st.integers(start + 1, len(text)))),
        draw(texts),
        draw(st.sampled_from(CATEGORIES)),
        draw(st.sampled_from(SEVERITIES)),
        draw(st.none() | texts),
        draw(st.none() | st.floats(0, 1)),
        draw(st.none() | texts),
    )


@st.composite
def file_reports(draw: st.DrawFn, path: str) -> FileReport:
    """A file of any content with findings anywhere in it, sometimes a notebook, sometimes a failure."""
    text = draw(texts)
    kinds = st.sampled_from(["left-out", "syntax-error", "ignore-unused", "empty", "over-limit"])
    notes = tuple(draw(st.lists(st.builds(Note, kinds, texts, st.none() | st.integers(1, 3)), max_size=2)))
    error = draw(st.none() | texts)
    if not text:
        return FileReport(path, error=error, notes=notes)
    found = [finding_of(path, text, c) for c in draw(st.lists(comments(text), max_size=3))]
    states: st.SearchStrategy[State] = st.sampled_from(["ignored", "baseline", "below-confidence", "over-limit"])
    hidden = tuple(
        finding_of(path, text, c, state=draw(states), reason=draw(texts))
        for c in draw(st.lists(comments(text), max_size=2))
    )
    found.sort(key=lambda finding: (finding.span, finding.fingerprint))
    lines = max(TextMap(text).line_count, len(TextMap(text).starts))
    cells = draw(st.sampled_from([(), (Cell(1, "a", 0, 1, lines),)]))
    return FileReport(path, text, tuple(found), hidden, notes, error, cells, units=1)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any review: names that are no UTF-8, code that is no Python, texts that try everything."""
    paths = draw(st.lists(st.lists(names, min_size=1, max_size=2).map("/".join), max_size=3, unique=True))
    return Report(
        tuple(draw(file_reports(path)) for path in paths),
        critic=draw(texts),
        version="0.1.0",
        root="/root",
        seconds=0.5,
        interrupted=draw(st.booleans()),
        planned=len(paths),
    )
