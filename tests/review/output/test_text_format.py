"""The text that a person reads: carets under the exact highlight, comments wrapped, the last line sums up."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import PAGER, at, file_of, finding_of, plain_report, texts

from momus.critique import Comment, Span, TextMap
from momus.review.finding import Cell, FileReport, Note, Report
from momus.review.output import FORMATS, Options
from momus.review.output.excerpt import changes, excerpt
from momus.review.output.text import code_rows
from momus.review.output.visible import shown, visible, wrap


def text_of(*files: FileReport, **options: object) -> str:
    return FORMATS["text"](Report(files, planned=len(files)), Options(**options))  # type: ignore[arg-type]


def width(text: str) -> int:
    """Cells of a terminal by Unicode's own tables: an oracle beside the one in use."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def underlined(code: str, comment: Comment) -> list[str]:
    """What stands over the carets, cell by cell, as a reader sees it."""
    lines = text_of(file_of("a.py", code, comment)).split("\n")
    found: list[str] = []
    for above, below in itertools.pairwise(lines):
        match = re.fullmatch(r" +│ ( *)(\^+)", below)
        if match is None:
            continue
        start = len(below) - len(match.group(2))
        piece, column = "", 0
        for character in above:
            cell_width = width(character)
            end = start + len(match.group(2))
            if (piece and column <= end) if cell_width == 0 else start <= column < end:
                piece += character
            column += cell_width
        found.append(piece)
    return found


def test_a_finding_reads_from_place_to_change() -> None:
    assert FORMATS["text"](plain_report(), Options()).startswith(
        """\
src/pager.py:3:13: wrong-operator high 87%

   1 │ def page(items, number, size=10):
   2 │     \"\"\"The items of one page, counted from 1.\"\"\"
   3 │     start = number * size
     │             ^^^^^^^^^^^^^
   4 │     found = []
   5 │     for i in range(start, start + size + 1):

       Pages count from 1, so page 1 starts at `size`, not at 0, and the first page is skipped.

   3 -     start = number * size
   3 +     start = (number - 1) * size
"""
    )


def test_it_ends_with_what_was_found_and_what_was_not_shown() -> None:
    assert FORMATS["text"](plain_report(), Options()).endswith(
        """
not reviewed: src/broken.py: It is not UTF-8: save it as UTF-8.
note: src/big.py:1: The string is too long.

2 findings in 3 files (1 high, 1 medium); 1 file not reviewed; 1 part left out
Not shown: 1 ignored by a comment in the code, 1 known from the baseline, 1 below the asked confidence.
"""
    )


def test_a_clean_review_is_one_line() -> None:
    assert text_of(FileReport("a.py", "x = 1\n")) == "No findings in 1 file\n"


def test_an_interrupted_review_says_how_much_is_missing() -> None:
    report = Report((FileReport("a.py"),), interrupted=True, planned=3)
    assert FORMATS["text"](report, Options()) == "No findings in 1 file; interrupted, 2 files not reached\n"


def test_empty_files_are_counted_not_listed() -> None:
    report = text_of(*(FileReport(f"{n}.py", notes=(Note("empty", "Nothing here."),)) for n in range(3)))
    assert report == "No findings in 3 files\nNothing to review in 3 empty files.\n"


@pytest.mark.parametrize(
    ("code", "quote"),
    [
        ('    return "漢字" + name\n', "name"),
        ('    return name + "漢字かな"\n', '"漢字かな"'),
        ("\tif x:\t\treturn y\n", "return y"),
        ("a = 'e\u0301\u0308' + b\n", "b"),
        ("naïve\u0301 = cafe\u0301\n", "cafe\u0301"),
        ("x = '\u202e' + y\n", "y"),
        ("x = '\x1b[31m' + y\n", "+ y"),
        ("  ünïcode = ñ  # tail\n", "ñ"),
    ],
)
def test_carets_stand_under_the_exact_highlight(code: str, quote: str) -> None:
    assert underlined(code, at(code, quote)) == [quote]


def test_a_tab_inside_the_highlight_is_underlined_as_wide_as_it_is_shown() -> None:
    assert underlined("a\tb = 1\n", at("a\tb = 1\n", "a\tb")) == ["a   b"]


def test_a_highlight_that_starts_on_a_combining_mark_takes_its_letter_with_it() -> None:
    code = "x = e\u0301 + 1\n"
    assert underlined(code, Comment(Span(5, 6), "?")) == ["e\u0301"]


def test_every_line_of_a_highlight_is_underlined_without_its_indent() -> None:
    code = "if x:\n    a = 1\n\n    b = 2\nc = 3\n"
    assert underlined(code, at(code, "a = 1\n\n    b = 2\n")) == ["a = 1", "b = 2"]


@given(
    before=st.text("aé漢\u0301\t ", max_size=6),
    quote=st.text("bñ字", min_size=1, max_size=5),
    after=st.text("c漢", max_size=3),
)
def test_carets_are_exact_whatever_stands_before(before: str, quote: str, after: str) -> None:
    code = f"x{before}{quote}{after}\n"
    start = 1 + len(before)
    assert underlined(code, Comment(Span(start, start + len(quote)), "?")) == [quote]


def test_a_long_line_is_cut_around_the_highlight() -> None:
    code = f"x = [{'1, ' * 200}bad, {'2, ' * 200}]\n"
    written = text_of(file_of("a.py", code, at(code, "bad")), width=80)
    assert underlined(code, at(code, "bad")) == ["bad"]
    assert all(width(line) <= 80 for line in written.split("\n"))
    assert "…" in written


def test_a_long_highlight_leaves_out_its_middle() -> None:
    code = "".join(f"x{n} = {n}\n" for n in range(40))
    written = text_of(file_of("a.py", code, Comment(Span(0, len(code)), "All of it.")))
    assert "x4 = 4" in written and "x39 = 39" in written and "x20" not in written
    assert "⋮" in written


def test_the_lines_of_a_notebook_are_those_of_its_cell() -> None:
    code = "a = 1\nb = 2\nc = a / 0\n"
    cells = (Cell(1, None, 0, 1, 1), Cell(2, None, 2, 2, 3))
    written = text_of(file_of("n.ipynb", code, at(code, "a / 0", suggestion="a"), cells=cells))
    assert "n.ipynb:cell 2:2:5" in written
    assert "   2 │ c = a / 0" in written
    assert "   2 - c = a / 0" in written
    assert "a = 1" not in written, "a cell's excerpt does not run into another cell"


def test_comments_are_wrapped_by_cells_and_keep_their_own_breaks() -> None:
    assert wrap("one two three\n  - four five", 9) == ["one two", "three", "  - four", "  five"]
    assert wrap("漢字かな漢字", 8) == ["漢字かな", "漢字"]


@given(texts, st.integers(4, 30))
def test_wrapping_loses_no_word(text: str, room: int) -> None:
    lines = wrap(text, room)
    assert "".join("".join(lines).split()) == "".join(visible(text).split())


def test_colour_changes_nothing_but_colour() -> None:
    coloured = FORMATS["text"](plain_report(), Options(colour=True))
    assert "\x1b[1;31m" in coloured
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in stripped.split("\n")] == FORMATS["text"](plain_report(), Options()).split("\n")


def test_escape_sequences_of_the_code_do_not_reach_the_terminal() -> None:
    code = "x = '\x1b]0;owned\x07'\n"
    finding = at(code, "x", text="\x1b[2Jgone\x9b1m")
    written = FORMATS["text"](Report((file_of("a\x1b.py", code, finding),)), Options(colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", written) == visible(re.sub(r"\x1b\[[0-9;]*m", "", written))


def test_a_suggestion_is_shown_as_the_lines_that_change() -> None:
    code = "def f():\n    a = 1\n    b = 2\n    return a\n"
    comment = at(code, "a = 1\n    b = 2", suggestion="a = 1\n    b = 3\n    c = 4")
    file = file_of("a.py", code, comment)
    diff = changes(file, TextMap(code), file.findings[0])
    assert [(c.sign, c.number, c.text) for c in diff] == [
        (" ", 2, "    a = 1"),
        ("-", 3, "    b = 2"),
        ("+", 3, "    b = 3"),
        ("+", 4, "    c = 4"),
    ]
    same = file_of("a.py", code, at(code, "b = 2", suggestion="b = 2"))
    assert changes(same, TextMap(code), same.findings[0]) == []


@given(texts.filter(bool), st.data())
def test_an_excerpt_always_holds_the_highlight(code: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(code) - 1))
    comment = Comment(Span(start, data.draw(st.integers(start + 1, len(code)))), "?")
    file = file_of("a.py", code, comment)
    lines = excerpt(file, TextMap(code), file.findings[0])
    assert lines and lines[0].number is not None
    assert any(line.mark is not None for line in lines)
    rows = ["".join(piece for piece, _ in row) for row in code_rows(file, TextMap(code), file.findings[0], Options())]
    assert any(set(row.split("│")[-1].strip()) == {"^"} for row in rows)


def test_tabs_are_shown_to_their_stops() -> None:
    assert shown("a\tb\tc") == "a   b   c"
    assert shown("\t", column=3) == " "


def test_hidden_findings_are_not_shown() -> None:
    hidden = finding_of("a.py", PAGER, at(PAGER, "found", text="A secret."), state="over-limit")
    written = text_of(FileReport("a.py", PAGER, hidden=(hidden,)))
    assert "A secret." not in written
    assert written.endswith("Not shown: 1 over the limit.\n")


def test_concise_is_one_line_a_finding() -> None:
    lines = FORMATS["concise"](plain_report(), Options()).split("\n")
    assert lines[1] == (
        "src/pager.py:5:14: off-by-one medium 64%: One item too many is taken, "
        "and past the last page `items[i]` raises IndexError."
    )
    assert lines[4].startswith("2 findings in 3 files")
