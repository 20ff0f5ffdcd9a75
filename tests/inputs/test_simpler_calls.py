"""Simpler calls: one literal smaller or shorter, never emptied, and the call is still a call."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.inputs.calls import Call
from momus.inputs.shrinking import simpler

values = st.recursive(
    st.integers(-1000, 1000) | st.text("abc ", max_size=6) | st.booleans() | st.floats(-9, 9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def size(value: object) -> int:
    if isinstance(value, dict):
        return sum(1 + size(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(1 + size(item) for item in value)
    return len(value) if isinstance(value, str) else 0


@settings(deadline=None)
@given(values)
def test_no_part_grows_and_nothing_is_emptied(value: object) -> None:
    for call in simpler(Call((), f"f({value!r})")):
        [argument] = ast.parse(call.code, mode="eval").body.args  # type: ignore[attr-defined]
        other = ast.literal_eval(argument)
        assert type(other) is type(value) and size(other) <= size(value)
        assert not isinstance(value, str | list | dict) or bool(other) == bool(value)


@pytest.mark.parametrize(
    ("code", "shortest"),
    [("f([5, 6, 7, 8], 2)", "f([5, 6], 2)"), ("f('abcdef')", "f('abc')"), ("f(n=40)", "f(n=0)"), ("f(-3)", "f(0)")],
)
def test_the_shortest_comes_first(code: str, shortest: str) -> None:
    assert simpler(Call((), code))[0].code == shortest


def test_the_setup_is_kept_and_simplified_too() -> None:
    made = simpler(Call(("_object = Stock(12)",), "_object.sell(3)"))
    assert {call.setup for call in made} >= {("_object = Stock(12)",), ("_object = Stock(0)",)}
    assert all(call.code.startswith("_object.sell(") for call in made)


def test_what_is_as_simple_as_can_be_has_none() -> None:
    assert simpler(Call((), "f([], 0, '', None)")) == []
