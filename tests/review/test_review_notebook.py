"""Notebooks: code cells as one text, the way back, and magics that hide no code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from critic_doubles import Says, notebook, on_word, only, review_in
from hypothesis import given
from hypothesis import strategies as st

from momus.review.notebook import mask, read_notebook
from momus.review.source import Unreadable


def test_cells_are_joined_and_lines_lead_back_to_them():
    source = read_notebook("n.ipynb", notebook("import os\nx = 1", "", "y = x\n"))
    assert source.text == "import os\nx = 1\n\ny = x\n"
    assert [(cell.number, cell.id, cell.index, cell.start_line, cell.end_line) for cell in source.cells] == [
        (1, "c0", 1, 1, 2),
        (2, "c1", 2, 3, 3),
        (3, "c2", 3, 4, 4),
    ]


@pytest.mark.parametrize(
    ("cell", "masked"),
    [
        ("%matplotlib inline\nx = 1", {0}),
        ("!pip install \\\n  thing\nx = 1", {0, 1}),
        ("files = !ls *.py\nx = 1", {0}),
        ("for n in y:\n    !echo $n\nx = 1", {1}),
        ("x = 1\nx?", {1}),
        ("?x", {0}),
        ("%%time\nx = 1\ny = (", {0}),
        ("%%bash\nls -la\n\necho hi", {0, 1, 3}),
        ("await f()\nx = 1", set()),
        ("x = (a\n  % b)", set()),
        ('s = """\n%d items\n!bang\n"""', set()),
        ("!", {0}),
    ],
)
def test_only_lines_that_are_no_python_are_masked(cell: str, masked: set[int]):
    harmless, changed = mask(cell)
    assert changed == masked
    assert len(harmless) == len(cell)
    lines, kept = cell.split("\n"), harmless.split("\n")
    assert all(kept[at] == line for at, line in enumerate(lines) if at not in masked)
    if "y = (" not in cell:
        compile(harmless, "c", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@given(st.text(alphabet="%!?=x \n()\"'\\#", max_size=40))
def test_a_mask_moves_nothing(cell: str):
    harmless, masked = mask(cell)
    assert len(harmless) == len(cell)
    assert harmless.count("\n") == cell.count("\n")
    assert all(
        a == b for n, (a, b) in enumerate(zip(cell.split("\n"), harmless.split("\n"), strict=True)) if n not in masked
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "no notebook"),
        (b"[]", "no notebook"),
        (b"\xff", "no notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "format 3"),
        (b'{"cells": 1}', "no list of cells"),
    ],
)
def test_what_is_no_notebook_says_so(data: bytes, said: str):
    with pytest.raises(Unreadable, match=said):
        read_notebook("n.ipynb", data)


def test_a_notebook_in_another_language_has_nothing_to_review_and_says_so(tmp_path: Path):
    (tmp_path / "n.ipynb").write_bytes(notebook("x <- 1", language="R"))
    file = only(review_in(tmp_path, Says(on_word("x")), "n.ipynb"))
    assert [note.kind for note in file.notes] == ["not-python"]
    assert not file.findings


def test_findings_are_named_by_cell_and_magics_have_none(tmp_path: Path):
    (tmp_path / "n.ipynb").write_bytes(notebook("%run bad.py\nx = 1", "def f():\n    bad = 1\n    return bad"))
    file = only(review_in(tmp_path, Says(on_word("bad")), "n.ipynb"))
    assert [file.where(finding) for finding in file.findings] == ["n.ipynb:cell 2:2:5", "n.ipynb:cell 2:3:12"]
    assert file.findings[0].unit == "f"
    assert file.error is None
