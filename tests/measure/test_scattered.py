"""Several bugs in one answer, and what share of them is found."""

from __future__ import annotations

import pytest

from momus.critique import Comment, Critique, Span
from momus.match import code_key
from momus.measure.item import Item
from momus.measure.scattered import coverage, least_gap, mends, scatter
from momus.records import Bug, Tamper, Task

TWIN = "def f(a, b):\n" + "".join(f"    x{i} = a + {i}\n" for i in range(12)) + "    return a\n"


def tamper(line: int, twin: str = TWIN, name: str = "t") -> Tamper:
    right, wrong = f"a + {line}", f"a - {line} * 2"
    answer = twin.replace(right + "\n", wrong + "\n")
    start = answer.index(wrong)
    bug = Bug(spans=(Span(start, start + len(wrong)),), category="wrong-operator", suggestion=right)
    return Tamper(task=Task(id=f"{name}{line}", question="", answer=answer, group=name), twin=twin, bugs=(bug,))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_bugs_of_one_twin_are_joined_far_apart(count: int) -> None:
    (joined,) = scatter([tamper(i) for i in (0, 1, 4, 5, 8, 11)], bugs=count)
    assert len(joined.bugs) == count
    assert mends(joined)
    assert least_gap(Item.of(joined)) >= 3
    for bug in joined.bugs:
        assert bug.spans[0].of(joined.task.answer).startswith("a - ")
    assert code_key(joined.task.answer) != code_key(TWIN)


def test_what_has_not_so_many_is_passed_over_and_twins_are_not_mixed() -> None:
    other = TWIN.replace("def f", "def g")
    assert scatter([tamper(0), tamper(1), tamper(2)], bugs=2) == []
    assert scatter([tamper(0), tamper(8, other)], bugs=2) == []
    assert len(scatter([tamper(0), tamper(8), tamper(0, other), tamper(8, other)], bugs=2)) == 2


def test_the_share_found_by_number_of_bugs() -> None:
    two = [scatter([tamper(0, name=f"n{i}"), tamper(6, name=f"n{i}")], bugs=2)[0] for i in range(4)]
    three = scatter([tamper(0), tamper(5), tamper(10)], bugs=3)
    items = [Item.of(t) for t in (*two, *three)]

    def said(item: Item, count: int, suggest: bool) -> Critique:
        return Critique(
            tuple(
                Comment(b.spans[0], "x", suggestion=b.suggestion if suggest else None) for b in item.tamper.bugs[:count]
            )
        )

    critiques: dict[str, Critique | None] = {
        item.task.id: said(item, len(item.bug_lines) if i == 0 else 1, suggest=i == 0) for i, item in enumerate(items)
    }
    of_two, of_three = coverage(items, critiques)
    assert (of_two.bugs, of_two.found.mean, of_two.found.n) == (2, (1 + 0.5 * 3) / 4, 4)
    assert (of_two.fixed.mean, of_two.every.mean, of_two.none.mean) == (0.25, 0.25, 0.0)
    assert (of_three.bugs, of_three.found.mean) == (3, pytest.approx(1 / 3))
    critiques[items[0].task.id] = None  # a failure is left out, never 0
    assert coverage(items, critiques)[0].found.n == 3
    assert coverage(items, {}) == []
