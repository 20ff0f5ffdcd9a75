"""Values like a given one: of the same type and shape, shorter, longer, at a boundary, with duplicates, reordered."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

LONGEST = 40  # items of a list, or characters of a text, that a mutation makes
_LETTERS = "abcdexyzABC 019_-,.!()[]"
_POSITIVE = re.compile(r"\b(?:positive|natural)\s+(?:whole\s+|integer\s+)?(?:number|integer|int)s?\b", re.I)
_NOT_NEGATIVE = re.compile(r"\bnon-?\s?negative\b", re.I)
_QUOTED = re.compile(r"(?<!\w)[\"']([^\"'\n]{1,30})[\"'](?!\w)")


@dataclass(frozen=True, slots=True)
class Domain:
    """What the inputs of a question are like. `least`: no whole number lies below it, where the question says so.

    `letters` are the characters of its texts; `numbers` and `texts` stand in the code, and are worth trying.
    """

    least: int | None = None
    letters: str = ""
    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(slots=True)
class Mutator:
    """Draws values. Deterministic by the state of `rng`.

    `near` are numbers that stand in the same call: to meet one of them is a boundary.
    """

    rng: random.Random
    domain: Domain = field(default_factory=Domain)
    near: tuple[int | float, ...] = ()

    def mutated(self, value: Any) -> Any:
        """Another value of the type of this one; sometimes the same."""
        for kind, act in self._acts():
            if type(value) is kind:
                return act(value)
        return value

    def _acts(self) -> Sequence[tuple[type, Callable[[Any], Any]]]:
        return (
            (bool, lambda value: self.rng.random() < 0.5),
            (int, self._whole),
            (float, self._real),
            (str, self._text),
            (list, self._list),
            (tuple, lambda value: tuple(self._fixed(value))),
            (dict, self._dict),
            (set, lambda value: set(self._hashable(value))),
            (bytes, lambda value: self._text(value.decode("latin-1")).encode("latin-1", "replace")),
        )

    def number(self) -> int:
        """A whole number of the kinds that are worth trying."""
        rng = self.rng
        drawn = rng.choice((0, 1, 2, rng.randint(0, 10), rng.randint(0, 10), rng.randint(0, 100), rng.randint(-20, 20)))
        if self.domain.numbers and rng.random() < 0.25:
            drawn = rng.choice(self.domain.numbers) + rng.choice((-1, 0, 0, 1))
        return self._within(drawn)

    def text(self) -> str:
        """A short text, of the characters of the question's own texts where there are some."""
        rng = self.rng
        if self.domain.texts and rng.random() < 0.15:
            return rng.choice(self.domain.texts)
        letters = self.domain.letters or _LETTERS
        return "".join(rng.choice(letters) for _ in range(rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 12))))

    def _within(self, number: int) -> int:
        least = self.domain.least
        return number if least is None or number >= least else least + (least - number) % 7

    def _whole(self, value: int) -> int:
        rng, near = self.rng, min(max(abs(value), 3), 10_000)
        whole = [number for number in self.near if type(number) is int]
        if whole and rng.random() < 0.2:
            return self._within(rng.choice(whole) + rng.choice((-1, 0, 0, 1)))
        drawn = rng.choice(
            (value + 1, value - 1, value + 2, 0, 1, value * 2, value // 2, rng.randint(0, 2 * near), self.number())
        )
        if rng.random() < (0.05 if value >= 0 else 0.4):
            drawn = -drawn
        return self._within(drawn)

    def _real(self, value: float) -> float:
        rng = self.rng
        if self.near and rng.random() < 0.2:
            return float(rng.choice(self.near))
        drawn = rng.choice(
            (value + 1, value - 1, 0.0, value * 2, value / 2, value + 0.5, float(round(value)), rng.uniform(-10, 10))
        )
        least = self.domain.least
        return round(abs(drawn) if least is not None and drawn < least else drawn, 3)

    def _text(self, value: str) -> str:
        rng = self.rng
        if rng.random() < 0.07:
            return ""
        if " " in value.strip() and rng.random() < 0.4:  # words
            words = self._items(value.split(" "), lambda word: self._text(word), lambda: self.text())
            return " ".join(words)[:LONGEST]
        letters = value if value and rng.random() < 0.8 else self.domain.letters or _LETTERS
        made = self._items(list(value), lambda _: rng.choice(letters), lambda: rng.choice(letters))
        text = "".join(made)[: max(LONGEST, len(value))]
        return rng.choice((text.upper(), text.lower(), text.swapcase())) if rng.random() < 0.1 else text

    def _list(self, value: list[Any]) -> list[Any]:
        rng = self.rng
        if not value or rng.random() < 0.07:  # of what an empty one would hold, nothing is known
            return []
        widths = {len(row) for row in value if isinstance(row, list)}
        if len(widths) == 1 and all(isinstance(row, list) for row in value) and rng.random() < 0.85:
            return self._table(value)
        made = self._items(list(value), self.mutated, lambda: self._alike(value))
        if len(value) > 2 and rng.random() < 0.7 and _is_sorted(value):
            made = _sorted(made)
        return made[: max(LONGEST, len(value))]

    def _alike(self, value: Sequence[Any]) -> Any:
        return self.mutated(self.rng.choice(value))

    def _table(self, rows: list[list[Any]]) -> list[list[Any]]:
        """Rows that stay of one length."""
        rng, rows = self.rng, [list(row) for row in rows]
        drawn = rng.random()
        if drawn < 0.5:
            for _ in range(rng.randint(1, 3)):
                row = rng.choice(rows)
                if row:
                    at = rng.randrange(len(row))
                    row[at] = self.mutated(row[at])
        elif drawn < 0.65:
            rows.insert(rng.randrange(len(rows) + 1), [self.mutated(item) for item in rng.choice(rows)])
        elif drawn < 0.8 and len(rows) > 1:
            rows.pop(rng.randrange(len(rows)))
        elif drawn < 0.9 and len(rows[0]) > 1:
            at = rng.randrange(len(rows[0]))
            rows = [row[:at] + row[at + 1 :] for row in rows]
        else:
            rng.shuffle(rows)
        return rows

    def _fixed(self, value: Sequence[Any]) -> list[Any]:
        """Items of a tuple: mostly as many as before."""
        kinds = {type(item) for item in value}
        if len(kinds) == 1 and len(value) > 3:
            return self._items(list(value), self.mutated, lambda: self._alike(value))
        made = list(value)
        if made:
            at = self.rng.randrange(len(made))
            made[at] = self.mutated(made[at])
        return made

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        rng = self.rng
        if rng.random() < 0.07:
            return {}
        made = {key: self.mutated(item) if rng.random() < 0.5 else item for key, item in value.items()}
        if made and rng.random() < 0.3:
            made.pop(rng.choice(list(made)))
        if value and rng.random() < 0.3:
            key, item = rng.choice(list(value.items()))
            made[self.mutated(key)] = self.mutated(item)
        return made

    def _hashable(self, value: set[Any]) -> list[Any]:
        ordered = sorted(value, key=repr)
        return [] if not ordered else self._items(ordered, self.mutated, lambda: self._alike(ordered))

    def _items(self, items: list[Any], changed: Callable[[Any], Any], new: Callable[[], Any]) -> list[Any]:
        """One to three changes: an item less, one twice, a new or a changed one, two that change places, all turned."""
        rng = self.rng
        for _ in range(rng.choice((1, 1, 2, 3))):
            drawn = rng.random()
            at = rng.randrange(len(items)) if items else 0
            if not items or drawn < 0.2:
                items.insert(rng.randrange(len(items) + 1), new())
            elif drawn < 0.4:
                items.pop(at)
            elif drawn < 0.55:
                items.insert(rng.randrange(len(items) + 1), items[at])
            elif drawn < 0.8:
                items[at] = changed(items[at])
            elif drawn < 0.9:
                other = rng.randrange(len(items))
                items[at], items[other] = items[other], items[at]
            elif drawn < 0.95:
                items.reverse()
            else:
                rng.shuffle(items)
        return items


def domain_of(text: str, values: Sequence[Any], numbers: Sequence[int], texts: Sequence[str]) -> Domain:
    """The domain of a question's text, given the values of its examples and the constants of the code.

    Characters that stand in quotes in the text, or in the code's constants, are letters too: `i in "2357BD"`.
    """
    given = [*leaves(values), *texts, *(found[1] for found in _QUOTED.finditer(text))]
    smallest = min((item for item in given if type(item) is int), default=1)
    least = 0 if _NOT_NEGATIVE.search(text) else 1 if _POSITIVE.search(text) else None
    if least is not None and smallest < least:
        least = None
    letters = "".join(sorted({char for item in given if isinstance(item, str) for char in item}))
    return Domain(least, letters[:60], tuple(numbers), tuple(texts))


def leaves(value: Any) -> list[Any]:
    """The values in a container, whatever containers they stand in."""
    if isinstance(value, dict):
        return [leaf for pair in value.items() for item in pair for leaf in leaves(item)]
    if isinstance(value, list | tuple | set | frozenset):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def _is_sorted(items: Sequence[Any]) -> bool:
    try:
        return list(items) == sorted(items)
    except TypeError:
        return False


def _sorted(items: list[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        return items
