"""What an adapter is trained on: nothing that is reported or fitted on, sources by their shares, the scan's words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from momus.critics.local.scan import Scanner
from momus.measure.draws import Draws, drawn
from momus.records import Bug, Span, Tamper, Task
from momus.train.adapter.examples import CHANGED, correction, examples, weights
from momus.train.adapter.pairs import Allowed, Pair, mixed
from tiny_local import TinyLocal

ROOT = Path(__file__).resolve().parents[3]
RIGHT = "def area(a, b):\n    return a * b\n"
WRONG = "def area(a, b):\n    return a + b\n"


def tamper(name: str, wrong: str = WRONG, right: str = RIGHT, group: str | None = None) -> Tamper:
    bug = Bug(spans=(Span(0, 3),), category="wrong-operator", description="It adds.", suggestion=None)
    task = Task(id=name, question="The area of a rectangle.", answer=wrong, group=group or name)
    return Tamper(task=task, twin=right, bugs=(bug,), proof="compiles", author="test")


def test_what_is_reported_or_kept_back_is_not_trained_on() -> None:
    reported = drawn(tamper("reported", group="p"), "report", "humanevalfix")
    allowed = Allowed(Draws((reported,), Path("nowhere")), ["kept/back"])
    other = "def later(x):\n    return [y for y in x if y > 3]\n"
    assert allowed(tamper("free", other, other.replace(">", ">="), group="q"))
    assert not allowed(tamper("of the same problem", other, other.replace(">", ">="), group="p"))
    assert not allowed(tamper("of a repository kept back", other, other.replace(">", ">="), group="kept/back"))
    renamed = RIGHT.replace("a", "q").replace("qreq", "area")
    assert not allowed(tamper("the same code but for names", other, renamed, group="r"))


def test_the_written_tampers_that_are_reported_are_not_trained_on() -> None:
    draws = Draws.read(ROOT / "benchmarks")
    allowed = Allowed(draws, [])
    for name in ("written-tampers", "written-families", "new-tasks"):
        reported = draws.load("report", name)
        assert len(reported) >= 40 and not any(map(allowed, reported))
    families = draws.load("report", "written-families")
    assert 120 <= len(families) < 130
    assert not {item.task.id for item in families} & {t.task.id for t in draws.load("report", "written-tampers")}  # type: ignore[union-attr]


def test_sources_are_mixed_by_their_shares_until_they_are_used_up() -> None:
    found = {"a": [tamper(f"a{n}") for n in range(30)], "b": [tamper(f"b{n}") for n in range(5)], "c": [tamper("c")]}
    pairs = list(mixed(found, {"a": 2, "b": 1}))
    assert len(pairs) == 35 and [p.buggy.id for p in pairs] == [p.buggy.id for p in mixed(found, {"a": 2, "b": 1})]
    assert Counter(pair.source for pair in pairs[:9]) == {"a": 6, "b": 3}
    assert {pair.source for pair in pairs[16:]} == {"a"}
    assert [pair.copied for pair in pairs[:4]] == [True, False, True, False]


def test_an_example_is_read_as_a_scan_reads_it(tiny_local: TinyLocal) -> None:
    model = tiny_local.open("qwen2")
    task = Task(id="t", question="The area.", answer=WRONG, context="class Shape:\n    def other(self): ...\n")
    made = correction("written", task, WRONG, model.tokens)
    (scan,) = Scanner(model).scan(task)
    assert made.ids[: made.first] == tuple(scan.head) and made.ids[made.first :] == tuple(scan.ids)
    assert set(made.weights) == {1.0}


def test_changed_tokens_weigh_more_and_so_does_what_follows_on_something_left_out() -> None:
    assert weights([1, 2, 3], [1, 9, 3]) == [1, CHANGED, 1]
    assert weights([1, 2, 3, 4], [1, 4]) == [1, CHANGED]
    assert weights([1, 4], [1, 2, 3, 4]) == [1, CHANGED, CHANGED, 1]
    assert weights([1, 2], [1, 2]) == [1, 1]


def test_an_example_that_is_too_long_is_left_out(tiny_local: TinyLocal) -> None:
    tokens = tiny_local.open("qwen2").tokens
    pair = Pair("written", tamper("t").task, tamper("t", RIGHT).task, copied=True)
    both = list(examples([pair], tokens, 10_000))
    assert len(both) == 2 and CHANGED in both[0].weights and CHANGED not in both[1].weights
    assert list(examples([pair], tokens, min(len(one.ids) for one in both) - 1)) == []


@pytest.mark.parametrize("answer", ["", "# only a comment\n"])
def test_a_pair_without_code_gives_no_example(tiny_local: TinyLocal, answer: str) -> None:
    from momus.train.adapter.pairs import shown

    task = shown(Task(id="t", question="q", answer=answer))
    assert list(examples([Pair("written", task, task, copied=False)], tiny_local.open("qwen2").tokens, 10_000)) == []
