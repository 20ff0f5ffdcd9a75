"""When what came out is what was promised."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.inputs.values import comparable, encode, encoded, same, written

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.binary(max_size=3) | st.floats()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_is_the_same_as_itself(value: object) -> None:
    assert same(encode(value, set()), encode(value, set()))


@given(st.sets(st.integers()), st.dictionaries(st.integers(), st.integers()))
def test_sets_and_dicts_are_compared_by_value(items: set[int], pairs: dict[int, int]) -> None:
    assert same(encode(set(items), set()), encode(frozenset(items), set()))
    assert same(encode(dict(reversed(pairs.items())), set()), encode(pairs, set()))


@given(VALUES, VALUES)
def test_plain_values_are_compared_as_python_compares_them(a: object, b: object) -> None:
    if "f" not in repr(encode(b, set())):  # floats have a tolerance
        assert same(encode(a, set()), encode(b, set())) == (a == b)


@pytest.mark.parametrize(
    ("got", "promised", "equal"),
    [
        (0.1 + 0.2, 0.3, True),
        (3, 3.0, True),
        (3.0000001, 3, False),  # written as a whole number
        (True, 1, True),
        ([1], (1,), False),
        (float("nan"), float("nan"), True),
        (3.3333, 3.33, False),
        ("1", 1, False),
        (Counter("aa"), {"a": 2}, True),
        (OrderedDict(a=1), {"a": 1}, True),
        (defaultdict(int, a=1), {"a": 1}, True),
        (namedtuple("P", ["x"])(1), (1,), True),  # type: ignore[arg-type]
        ({1: 1}.keys(), {1}, True),
        (range(2), [0, 1], False),
    ],
)
def test_which_values_are_equal(got: object, promised: object, equal: bool) -> None:
    assert same(encode(got, set()), encode(promised, set())) is equal


def test_prose_is_looser() -> None:
    assert same(encode(10 / 3, set()), encode(3.33, set()), loose=True)
    assert same(encode((1, [2]), set()), encode([1, (2,)], set()), loose=True)
    assert not same(encode(3.34, set()), encode(3.33, set()), loose=True)
    assert same(encode([[2], [1]], set()), encode([[1], [2]], set()), any_order=True)


def test_what_has_its_own_equality_is_not_compared_here() -> None:
    class Sly(list):  # type: ignore[type-arg]
        def __eq__(self, other: object) -> bool:
            return True

    assert not comparable(encode(Sly([1]), set()))
    assert not comparable(encode([object()], set()))
    assert comparable(encode([map(str, [])], set()))


def test_a_value_without_end_is_encoded_to_its_end() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert encode(endless, set())[0] == "l"
    assert encode(list(range(10**6)), set())[1][-1][0] == "o"


@given(st.recursive(st.integers() | st.text(max_size=3) | st.none(), lambda v: st.lists(v) | st.tuples(v, v)))
def test_a_value_is_written_as_python_writes_it(value: object) -> None:
    assert written(encode(value, set())) == repr(value)
    assert encoded(repr(value)) == encode(value, set())
