"""One judge of claims: place by lines, category, fix; lines carried across edits."""

from __future__ import annotations

import difflib
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.critique import Comment, Span, TextMap
from momus.match import LineMap, Verdict, apply_suggestion, carry, code_key, judge, same_claim, same_place
from momus.records import Bug

TWIN = "def total(xs):\n    s = 0\n    for i in range(len(xs)):\n        s += xs[i]\n    return s\n"
ANSWER = TWIN.replace("len(xs))", "len(xs) + 1)")
BUGGY_LINE = "    for i in range(len(xs) + 1):"
AT = ANSWER.index("for i")
BUG = Bug(spans=(Span(AT, AT + len(BUGGY_LINE) - 4),), category="off-by-one", suggestion="for i in range(len(xs)):")


def comment(quote: str, suggestion: str | None = None, category: str = "other", text: str = ANSWER) -> Comment:
    start = text.index(quote)
    return Comment(Span(start, start + len(quote)), "It is wrong.", category, suggestion=suggestion)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (comment("s = 0", "s = 1", "off-by-one"), Verdict(False, False, False)),
        (comment("len(xs) + 1"), Verdict(True, False, False)),
        (comment("len(xs) + 1", category="off-by-one"), Verdict(True, True, False)),
        (comment("len(xs) + 1", "len(xs)"), Verdict(True, False, True)),
        (comment("len(xs) + 1", "len(xs) + 0"), Verdict(True, False, False)),
        (comment(BUGGY_LINE, "    for i in range( len(xs) ):  # mended", "off-by-one"), Verdict(True, True, True)),
        (comment(ANSWER, TWIN), Verdict(True, False, True)),
        (comment(ANSWER, ANSWER), Verdict(True, False, False)),
    ],
)
def test_a_comment_is_held_to_place_category_and_fix(made: Comment, verdict: Verdict) -> None:
    assert judge(made, BUG, ANSWER, TWIN) == verdict


def test_without_a_known_suggestion_restoring_the_twin_is_the_fix() -> None:
    bug = BUG.model_copy(update={"suggestion": None})
    made = comment("len(xs) + 1", "len(xs)")
    assert judge(made, bug, ANSWER, TWIN).fix
    assert not judge(made, bug, ANSWER).fix


def test_one_bug_of_two_can_be_mended_alone() -> None:
    both = ANSWER.replace("s = 0", "s = 1")
    first = Bug(
        spans=(Span(both.index("s = 1"), both.index("s = 1") + 5),), category="wrong-constant", suggestion="s = 0"
    )
    made = comment("1\n", "0\n", text=both)
    assert judge(made, first, both, TWIN) == Verdict(True, False, True)


def test_a_place_is_a_shared_line_not_a_shared_character() -> None:
    text = TextMap("a = 1; b = 2\nc = 3\n")
    assert same_place(Span(0, 1), (Span(7, 8),), text)
    assert not same_place(Span(0, 12), (Span(13, 14),), text)
    assert same_place(Span(0, 14), (Span(15, 16),), text)


def test_a_claim_is_the_same_on_a_text_that_moved() -> None:
    moved = TextMap("import math\n\n\n" + ANSWER)
    here, there = comment("len(xs) + 1"), comment("len(xs) + 1", text=moved.text)
    assert same_claim(here, TextMap(ANSWER), there, moved)
    elsewhere = comment("s = 0", text=moved.text)
    assert not same_claim(here, TextMap(ANSWER), elsewhere, moved)


def test_categories_part_two_claims_only_where_both_are_known() -> None:
    text = TextMap(ANSWER)
    kinds = [comment("len(xs) + 1", category=c) for c in ("other", "off-by-one", "wrong-constant")]
    same = [[same_claim(a, text, b, text) for b in kinds] for a in kinds]
    assert same == [[True, True, True], [True, True, False], [True, False, True]]


def test_a_changed_line_is_carried_to_what_took_its_place_and_a_deleted_one_nowhere() -> None:
    before, after = TextMap("a\nb\nc\nd\n"), TextMap("a\nB\nd\ne\n")
    line_map = LineMap(before, after)
    assert list(line_map.after(1)) == [1]
    assert list(line_map.after(4)) == [3]
    assert list(LineMap(TextMap("a\nb\nc\n"), TextMap("a\nX\nc\n")).after(2)) == [2]
    assert list(LineMap(TextMap("a\nb\nc\n"), TextMap("a\nc\n")).after(2)) == []
    assert carry(Span(2, 3), TextMap("a\nb\nc\n"), TextMap("a\nc\n")) is None
    assert carry(Span(0, 1), TextMap("a\nb"), TextMap("X\na\nb")) == Span(2, 3)


LINES = st.lists(st.sampled_from(["x = 1", "y = 2", "", "    z", "é"]), max_size=12)


@given(LINES, LINES)
def test_unchanged_lines_are_carried_to_equal_lines_in_order(before: list[str], after: list[str]) -> None:
    line_map = LineMap(TextMap("\n".join(before) + "\n"), TextMap("\n".join(after) + "\n"))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for block in matcher.get_matching_blocks():
        for i in range(block.size):
            assert list(line_map.after(block.a + i + 1)) == [block.b + i + 1]


@given(LINES)
def test_a_text_is_carried_to_itself(lines: list[str]) -> None:
    text = TextMap("\n".join(lines))
    for line in range(1, text.line_count + 1):
        assert list(LineMap(text, text).after(line)) == [line]


@given(st.text(max_size=30), st.data(), st.text(max_size=10))
def test_a_suggestion_replaces_the_highlight_and_nothing_else(answer: str, data: st.DataObject, new: str) -> None:
    if not answer:
        return
    start = data.draw(st.integers(0, len(answer) - 1))
    end = data.draw(st.integers(start + 1, len(answer)))
    mended = apply_suggestion(answer, Span(start, end), new)
    assert mended.startswith(answer[:start] + new) and mended.endswith(answer[end:])
    assert len(mended) == len(answer) - (end - start) + len(new)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("x = 1", "x=1  # one", True),
        ("if x:\n  y()\n", "if x:\n\n        y()\n", True),
        ("x = 1", "x = 1.0", False),
        ("x = = 1", "x =  = 1  # no", True),
        ("def f()\n    a\n", "def f( )\n  a # c\n", True),
        ("def f()\n    a\n    b\n", "def f()\n    a\nb\n", False),
        ("x = 1\n  y = (\n", "x = 1\ny = (\n", False),
        ("x = 'a\n", "x = 'b\n", False),
        ("\0", "", False),
    ],
)
def test_code_is_equal_up_to_layout_and_comments(a: str, b: str, same: bool) -> None:
    assert (code_key(a) == code_key(b)) is same


@given(st.text(max_size=40))
def test_any_text_has_a_key_and_says_nothing_on_the_way(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert code_key(text) == code_key(text)
        assert code_key(r"x = '\d'") != code_key(text)
