"""Inputs of a program like those that a question shows: other numbers and words, lists and tables longer and shorter.

A number that says how many words or lines follow goes on saying so, or next to no input would be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from momus.inputs.mutation import Domain, Mutator
from momus.inputs.values import parsed, value_of

MOST = 12  # words of a line, or lines of a table, that are made
_Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class _Tie:
    """Word `word` of line `line` says how many words line `row` has, how many letters its one word has (`letters`), or
    how many lines there are from there to the end (`table`)."""

    line: int
    word: int
    row: int
    letters: bool = False
    table: bool = False

    def count(self, rows: _Rows) -> int:
        if self.table:
            return len(rows) - self.row
        return len(rows[self.row][0]) if self.letters else len(rows[self.row])

    def holds(self, rows: _Rows) -> bool:
        if self.row >= len(rows) or self.word >= len(rows[self.line]):
            return False
        if self.letters and (len(rows[self.row]) != 1 or rows[self.row][0].lstrip("-").isdigit()):
            return False
        return rows[self.line][self.word] == str(self.count(rows))


def domain_of_inputs(given: Sequence[str], domain: Domain) -> Domain:
    """What the words of some inputs are like: no number below 0 or 1 where none is, no letter that is in none."""
    values = [_value(word) for text in given for word in text.split()]
    smallest = min((value for value in values if type(value) is int), default=-1)
    letters = "".join(sorted({char for value in values if isinstance(value, str) for char in value}))
    return replace(domain, least=min(smallest, 1) if smallest >= 0 else None, letters=letters[:60] or domain.letters)


def inputs_like(given: Sequence[str], mutator: Mutator, tries: int) -> Iterator[str]:
    """Inputs like some given ones, each of which ends in a line end."""
    tables = [_rows(text) for text in given]
    ties = _ties(tables)
    for _ in range(tries if given else 0):
        rows = [list(row) for row in mutator.rng.choice(tables)]
        tied = [tie for tie in ties if tie.holds(rows)]
        _change(rows, tied, mutator)
        for tie in tied:
            if tie.row < len(rows) or tie.table:
                rows[tie.line][tie.word] = str(tie.count(rows))
        yield "\n".join(" ".join(row) for row in rows) + "\n"


def _rows(text: str) -> _Rows:
    return [line.split(" ") for line in text.removesuffix("\n").split("\n")]


def _ties(tables: Sequence[_Rows]) -> list[_Tie]:
    """The ties that hold in the first of some inputs, and in all others that have such a line."""
    first = tables[0] if tables else []
    found: list[_Tie] = []
    for line, row in enumerate(first[:2]):  # where such numbers stand
        if any(tie.table and tie.row <= line for tie in found):
            break
        for word in range(min(len(row), 3)):
            tie = next(
                (
                    tie
                    for at in range(line + 1, min(len(first), line + 4))
                    for tie in (
                        _Tie(line, word, at, table=True),
                        _Tie(line, word, at),
                        _Tie(line, word, at, letters=True),
                    )
                    if tie.holds(first) and all(tie.holds(rows) for rows in tables if len(rows) > tie.row)
                ),
                None,
            )
            if tie is not None:
                found.append(tie)
    return found


def _change(rows: _Rows, ties: Sequence[_Tie], mutator: Mutator) -> None:
    """One to three changes, in place."""
    rng = mutator.rng
    counting = {(tie.line, tie.word) for tie in ties}
    table = next((tie.row for tie in ties if tie.table), None)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if table is not None and rng.random() < 0.4:
            at = rng.randrange(table, len(rows)) if len(rows) > table else table
            if rng.random() < 0.5 and len(rows) - table > 1:
                rows.pop(at)
            elif at < len(rows) < table + MOST:
                rows.insert(at, [_other(word, mutator) for word in rows[at]])
            continue
        at = rng.randrange(len(rows))
        row = rows[at]
        if any(tie.row == at and not tie.letters and not tie.table for tie in ties) and rng.random() < 0.5:
            word = rng.randrange(len(row))
            if rng.random() < 0.5 and len(row) > 1:
                row.pop(word)
            elif len(row) < MOST:
                row.insert(word, rng.choice((row[word], _other(row[word], mutator))))
            continue
        free = [word for word in range(len(row)) if (at, word) not in counting]
        if free:
            word = rng.choice(free)
            row[word] = _other(row[word], mutator)


def _other(word: str, mutator: Mutator) -> str:
    """Another word of the same kind; never an empty one, nor one with a blank."""
    made = "".join(str(mutator.mutated(_value(word))).split())
    return made or word


def _value(word: str) -> Any:
    tree = parsed(word)
    if tree is None:
        return word
    try:
        value = value_of(tree)
    except ValueError:
        return word
    return value if type(value) in (int, float) and str(value) == word else word
