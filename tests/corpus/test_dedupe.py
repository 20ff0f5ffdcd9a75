"""Copies are found whatever they are called, and the held-out side of a pair is kept."""

from __future__ import annotations

import pytest

from momus.corpus.dedupe import fingerprint, unique
from momus.corpus.functions import Function, Split

BASE = '''def total(items, start=0):
    """Add up."""
    result = start
    for item in items:
        result += len(item)  # each
    return result
'''


def function(name: str, split: Split, code: str = BASE) -> tuple[str, Function]:
    record = Function(id=name, package="p", version="1", licence="MIT", path="m.py", name="f", code=code, split=split)
    return fingerprint(code), record


@pytest.mark.parametrize(
    "copy",
    [
        BASE.replace("result", "acc").replace("item", "thing").replace("total", "sum_of"),
        BASE.replace("  # each", ""),
        BASE.replace('    """Add up."""\n', ""),
        BASE.replace('"""Add up."""', "'''Count\n\n    them.'''"),
        BASE.replace("(items, start=0)", "(\n    items,\n    start=0\n)"),
        BASE.replace("    ", "\t"),
    ],
)
def test_renamed_and_reformatted_copies_share_a_fingerprint(copy: str) -> None:
    assert copy != BASE
    assert fingerprint(copy) == fingerprint(BASE)


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("+=", "-="),
        BASE.replace("len", "sum"),
        BASE.replace("return result", "return start"),
        BASE.replace("start=0", "start=1"),
        BASE.replace("for item in items", "for items in items"),
    ],
)
def test_another_meaning_is_another_fingerprint(other: str) -> None:
    assert other != BASE
    assert fingerprint(other) != fingerprint(BASE)


def test_strings_differ_only_by_text_and_hold_no_comments() -> None:
    assert fingerprint('def f():\n    return g("#1")\n') == fingerprint("def f():\n    return g('two')\n")
    assert fingerprint('def f():\n    return g("#1", x)\n') != fingerprint('def f():\n    return g("#1")\n')


def test_the_held_out_copy_is_kept_whatever_the_order() -> None:
    pairs = [function("t", "train"), function("d", "dev"), function("h", "heldout")]
    assert [f.id for f in unique(pairs)] == ["h"]
    assert [f.id for f in unique(reversed(pairs))] == ["h"]
    assert [f.id for f in unique(pairs[:2])] == ["d"]


def test_the_first_of_two_in_one_split_is_kept_and_others_stay() -> None:
    pairs = [function("a", "train"), function("b", "train"), function("c", "train", BASE.replace("+=", "-="))]
    assert [f.id for f in unique(pairs)] == ["a", "c"]
