"""Calls that are simpler than a given one: shorter texts and lists, smaller numbers, one value changed at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from momus.inputs.calls import Call, literals_of, with_literal

PLACES = 8  # items of one list, or characters of one text, that are left out one by one


def simpler(call: Call) -> list[Call]:
    """The calls with one literal simplified, shortest first, each once and shorter than the call itself, or with
    smaller numbers.

    A list or text that holds something is never emptied: what code does with nothing at all is often left open.
    """
    found: dict[str, Call] = {}
    for at, value in enumerate(literals_of(call)):
        for other in _simpler(value):
            made = with_literal(call, at, other)
            if made.text != call.text:
                found.setdefault(made.text, made)
    return sorted(found.values(), key=lambda one: (len(one.text), one.text))


def _simpler(value: Any) -> Iterator[Any]:
    if type(value) is int:
        yield from (n for n in dict.fromkeys((0, 1, 2, value // 2, value - 1, -value)) if 0 <= n < abs(value))
    elif type(value) is float:
        yield from (n for n in (0.0, 1.0, float(round(value))) if len(repr(n)) < len(repr(value)))
    elif isinstance(value, str):
        yield from _parts(value)
    elif isinstance(value, list | tuple):
        yield from _parts(value)
        for at, item in enumerate(value[:PLACES]):
            for other in _simpler(item):
                yield type(value)([*value[:at], other, *value[at + 1 :]])
    elif isinstance(value, dict):
        for key in list(value)[:PLACES] if len(value) > 1 else ():
            yield {other: item for other, item in value.items() if other != key}
        for key, item in list(value.items())[:PLACES]:
            for other in _simpler(item):
                yield {**value, key: other}
    elif isinstance(value, set):
        for item in sorted(value, key=repr)[:PLACES] if len(value) > 1 else ():
            yield value - {item}


def _parts(value: Any) -> Iterator[Any]:
    """Halves, and all but one part."""
    n = len(value)
    if n < 2:
        return
    if n > 3:
        yield value[: n // 2]
        yield value[n // 2 :]
    for at in range(min(n, PLACES)):
        yield value[:at] + value[at + 1 :]
    if n > PLACES:
        yield value[:-1]
