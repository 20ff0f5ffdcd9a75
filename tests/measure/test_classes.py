"""The class of a bug by what its fix changes: hand-worked cases, and how often it is what an operator meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.critique import Span
from momus.measure import load_bugs
from momus.measure.classes import class_of
from momus.measure.item import Item
from momus.measure.results import slices_of
from momus.records import Bug, Tamper, Task

HELDOUT = Path(__file__).parents[2] / "benchmarks" / "heldout.jsonl"
HEAD = "def f(xs, n):\n    total = 0\n"
UNNAMED = Bug(spans=(Span(0, 1),), category="other")


@pytest.mark.parametrize(
    ("buggy", "fixed", "found"),
    [
        ("    if n < 3:\n        n += 1\n", "    if n <= 3:\n        n += 1\n", "wrong-comparison"),
        ("    if n == 3:\n        n += 1\n", "    if n != 3:\n        n += 1\n", "inverted-condition"),
        ("    if not n:\n        n = 1\n", "    if n:\n        n = 1\n", "inverted-condition"),
        ("    if n and xs:\n        n = 1\n", "    if n or xs:\n        n = 1\n", "wrong-condition"),
        ("    n = n - 1\n    return n\n", "    n = n * 1\n    return n\n", "wrong-operator"),
        ("    for i in range(n):\n        pass\n", "    for i in range(n + 1):\n        pass\n", "off-by-one"),
        ("    n = xs[3]\n", "    n = xs[7]\n", "wrong-constant"),
        ("    n = xs[3]\n", "    n = xs[4]\n", "off-by-one"),
        ("    total += max(xs)\n", "    total += min(xs)\n", "wrong-call"),
        ("    total += xs.real\n", "    total += xs.imag\n", "wrong-attribute"),
        ("    total += n\n", "    total += xs\n", "wrong-variable"),
        ("    total += m\n", "    total += n\n", "undefined-name"),
        ("    total += 1\n", "    if not xs:\n        return 0\n    total += 1\n", "missing-check"),
        ("    total += 1\n", "    total += 1\n    xs.sort()\n", "missing-statement"),
        ("    total += 1\n", "    total += 1\n    return total\n", "missing-return"),
        ("    for x in xs:\n        break\n", "    for x in xs:\n        continue\n", "loop-control"),
        ("    return [x for x in xs]\n", "    return sorted(xs, key=abs)[:n]\n", "wrong-return"),
        ("    total += 1  # why\n    n = len(xs) - 1\n", "    total -= 2\n    n = max(xs)\n", "other"),
    ],
)
def test_a_fix_has_the_class_of_what_it_changes(buggy: str, fixed: str, found: str) -> None:
    assert class_of(UNNAMED, HEAD + buggy, HEAD + fixed) == found


def test_comments_and_layout_have_no_class_and_a_named_bug_keeps_its_own() -> None:
    assert class_of(UNNAMED, HEAD + "    return n  # so\n", HEAD + "\n    return n\n") == "other"
    assert class_of(UNNAMED, "\ud800 '", "") in ("other", "missing-statement")
    named = UNNAMED.model_copy(update={"category": "aliasing"})
    assert class_of(named, HEAD + "    n = 1\n", HEAD + "    n = 2\n") == "aliasing"


def test_it_mostly_says_what_the_operator_meant() -> None:
    """No operator is looked at: the class comes from the two texts alone."""
    bugs = [(tamper, tamper.bugs[0]) for tamper in load_bugs(HELDOUT) if len(tamper.bugs) == 1]
    found = [(class_of(b.model_copy(update={"category": "other"}), t.task.answer, t.twin), b.category) for t, b in bugs]
    classed = [(mine, meant) for mine, meant in found if mine != "other"]
    assert len(classed) > 0.75 * len(found)
    assert sum(mine == meant for mine, meant in classed) > 0.8 * len(classed)


def test_natural_bugs_are_sliced_by_class() -> None:
    items = []
    for i, (wrong, right) in enumerate([("n < 3", "n <= 3"), ("n == 3", "n != 3"), ("n == 3", "n != 3")]):
        answer, twin = (f"{HEAD}    return {code}\n" for code in (wrong, right))
        start = answer.index(wrong)
        bug = UNNAMED.model_copy(update={"spans": (Span(start, start + len(wrong)),)})
        items.append(Item.of(Tamper(task=Task(id=f"t{i}", question="", answer=answer), twin=twin, bugs=(bug,))))
    slices = slices_of(items)["category"]
    assert {name: int(mask.sum()) for name, mask in slices.items()} == {"inverted-condition": 2, "wrong-comparison": 1}
    assert list(slices_of(items[1:])["category"]) == ["inverted-condition"], "one class alone is a slice too"
