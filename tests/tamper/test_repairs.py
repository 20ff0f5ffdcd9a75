"""A wrong line's repairs hold the right one where one edit leads back, touch no other line, and all compile."""

from __future__ import annotations

import ast
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critique import TextMap
from momus.match import apply_suggestion, code_key
from momus.records import Task
from momus.tamper import OPERATORS, tamper
from momus.tamper.repairs import MOST, repairs

CLEAN = """def window(self, values, width, strict=False):
    if width <= 0 or not values:
        return []
    total = sum(values[:width])
    means = [total / width]
    for right in range(width, len(values)):
        total += values[right] - values[right - width]
        means.append(total / width)
    self.seen = len(means)
    return means
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("width <= 0", "width < 0"),
        ("width <= 0 or", "not width <= 0 or"),
        ("range(width, len(values))", "range(len(values), width)"),
        ("values[right - width]", "values[right + width]"),
        ("total += values", "total -= values"),
        ("return means", "means"),
        ("total / width)", "totl / width)"),
    ],
)
def test_the_line_as_it_was_is_among_its_repairs(right: str, wrong: str) -> None:
    assert right in CLEAN
    answer = CLEAN.replace(right, wrong)
    line = CLEAN[: CLEAN.index(right)].count("\n") + 1
    found = repairs(answer, line)
    assert code_key(CLEAN) in map(code_key, found) and len(found) <= MOST


@given(st.integers(1, 10), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_repairs_are_other_programs_that_differ_in_the_one_line_alone(line: int, most: int) -> None:
    found = repairs(CLEAN, line, most)
    assert len(found) <= most and found == repairs(CLEAN, line, most)
    keys = [code_key(text) for text in found]
    assert len({*keys, code_key(CLEAN)}) == len(keys) + 1
    for text in found:
        ast.parse(text)
        old, new = TextMap(CLEAN), TextMap(text)
        assert old.line_count == new.line_count
        assert [n for n in range(1, 11) if old.line_text(n) != new.line_text(n)] == [line]


def test_operators_that_are_held_out_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    for name, operator in OPERATORS.items():

        def sites(source, rng, name=name, real=operator.sites):  # type: ignore[no-untyped-def]
            asked.add(name)
            return real(source, rng)

        monkeypatch.setitem(OPERATORS, name, type(operator)(**{**fields(operator), "sites": sites}))
    repairs(CLEAN, 2)
    assert asked == {name for name, operator in OPERATORS.items() if not operator.held_out}


def fields(operator: object) -> dict[str, object]:
    return {name: getattr(operator, name) for name in operator.__dataclass_fields__}  # type: ignore[attr-defined]


def test_a_good_share_of_what_the_operators_do_can_be_undone() -> None:
    trained = [name for name, operator in OPERATORS.items() if not operator.held_out]
    undone = []
    for seed in range(60):
        made = tamper(Task(id="t", question="", answer=CLEAN), rng=random.Random(seed), operators=trained)
        assert made is not None and made.bugs[0].suggestion is not None
        answer, span = made.task.answer, made.bugs[0].spans[0]
        mended = code_key(apply_suggestion(answer, span, made.bugs[0].suggestion))
        undone.append(mended in map(code_key, repairs(answer, TextMap(answer).line(span.start))))
    assert 0.3 < sum(undone) / len(undone) < 1


@pytest.mark.parametrize("answer", ["", "def f(:\n", "x = 1\n" * 10_000])
def test_what_cannot_be_repaired_gets_nothing(answer: str) -> None:
    assert repairs(answer, 1) == []


@pytest.mark.parametrize("line", [0, -1, 99])
def test_a_line_that_is_not_there_gets_nothing(line: int) -> None:
    assert repairs(CLEAN, line) == []
