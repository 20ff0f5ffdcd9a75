"""Bugs put into real functions: exact, described, each undone by its own suggestion alone."""

from __future__ import annotations

import random
import sysconfig
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.corpus.functions import functions_of
from momus.critique import TextMap
from momus.errors import MomusError
from momus.match import LineMap, apply_suggestion, code_key
from momus.records import Tamper, Task
from momus.tamper import OPERATORS, choose, tamper, tampers

MODULES = ("textwrap", "heapq", "bisect", "statistics", "shlex", "difflib", "tempfile", "calendar")

INVENTORY = '''
def restock(shelves, minimum=3, note="Übersicht 😀"):
    """Fill up what runs low."""
    orders = []
    for i in range(len(shelves)):
        name, count = shelves[i]
        if count < minimum and name not in orders:
            orders.append(name)

    total = 0
    for name in orders:
        total += minimum * 2

    summary = {"note": note, "total": total}
    if not orders:
        return None
    return summary, sorted(orders)
'''


@cache
def answers() -> tuple[str, ...]:
    folder = Path(sysconfig.get_path("stdlib"))
    files = [(f"{name}.py", (folder / f"{name}.py").read_bytes()) for name in MODULES]
    found = functions_of(files, package="stdlib", version="", licence="PSF-2.0", split="train")
    return (INVENTORY, *(f.code for f in found))


def task(answer: str, **more: Any) -> Task:
    return Task(id="t", question="?", answer=answer, **more)


def undone(made: Tamper, i: int) -> str:
    bug = made.bugs[i]
    assert bug.suggestion is not None
    return apply_suggestion(made.task.answer, bug.spans[0], bug.suggestion)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_tamper_is_different_code_that_its_suggestions_undo(data: st.DataObject) -> None:
    answer = data.draw(st.sampled_from(answers()))
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    answer = answer.replace("\n", newline)
    n_bugs = data.draw(st.integers(1, 3))
    made = tamper(task(answer), rng=random.Random(data.draw(st.integers(0, 999))), n_bugs=n_bugs)
    if made is None:
        return
    text = made.task.answer
    compile(text, "answer.py", "exec")
    assert made.twin == answer
    assert code_key(text) != code_key(answer)
    assert len(made.bugs) == n_bugs
    for bug in made.bugs:
        assert all(0 <= span.start < span.end <= len(text) for span in bug.spans)
        assert bug.description and bug.operator in OPERATORS
        assert bug.category == OPERATORS[bug.operator].category
    for bug in reversed(made.bugs):  # from the end, so that the spans before stay true
        assert bug.suggestion is not None
        text = apply_suggestion(text, bug.spans[0], bug.suggestion)
    assert code_key(text) == code_key(answer)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(range(200)), st.integers(0, 999))
def test_each_of_several_bugs_is_undone_alone(which: int, seed: int) -> None:
    answer = answers()[which % len(answers())]
    made = tamper(task(answer), rng=random.Random(seed), n_bugs=2)
    if made is None:
        return
    text = TextMap(made.task.answer)
    lines = [{line for span in bug.spans for line in text.lines(span)} for bug in made.bugs]
    assert max(lines[0]) + 2 < min(lines[1])
    for i in (0, 1):
        other = made.bugs[1 - i]
        mended = undone(made, i)
        assert code_key(mended) not in (code_key(made.task.answer), code_key(answer))
        assert other.spans[0].of(made.task.answer) in mended
    # Outside of the lines that the two bugs concern, nothing was touched.
    kept = LineMap(text, TextMap(answer))
    untouched = [n for n in range(1, text.line_count + 1) if n not in lines[0] | lines[1]]
    for line in untouched:
        assert any(
            answer[slice(*TextMap(answer).line_span(n))] == made.task.answer[slice(*text.line_span(line))]
            for n in kept.after(line)
        )


def test_several_bugs_fit_into_an_answer_of_some_length() -> None:
    made = [tamper(task(INVENTORY), rng=random.Random(seed), n_bugs=2) for seed in range(30)]
    assert sum(m is not None for m in made) >= 25
    assert len({b.operator for m in made if m for b in m.bugs}) >= 12


def test_there_is_no_room_for_many_bugs_in_three_lines() -> None:
    short = "def f(xs):\n    n = len(xs) - 1\n    return n\n"
    assert tamper(task(short), rng=random.Random(0)) is not None
    assert tamper(task(short), rng=random.Random(0), n_bugs=2) is None


def test_bugs_in_one_long_statement_are_not_far_apart() -> None:
    call = "def f(a, b):\n    return dict(\n" + "".join(f"        k{i}=a[{i}] + 1,\n" for i in range(10)) + "    )\n"
    assert all(
        tamper(task(call), rng=random.Random(s), n_bugs=2, operators=["wrong-arithmetic"]) is None for s in range(9)
    )
    alone = tamper(task(call), rng=random.Random(0), operators=["wrong-arithmetic"])
    assert alone is not None


def test_the_operator_is_drawn_before_the_site() -> None:
    """Forty places for one operator and one for the other: both come about as often."""
    body = "".join(f"    total = total + xs[{i}] * scale\n" for i in range(40))
    code = f"def f(xs, scale, total):\n{body}    if scale == 3:\n        total = 0\n    return total\n"
    both = ["wrong-arithmetic", "inverted-equality"]
    drawn: Counter[str | None] = Counter()
    for seed in range(100):
        made = tamper(task(code), rng=random.Random(seed), operators=both)
        assert made is not None
        drawn[made.bugs[0].operator] += 1
    assert 30 <= drawn["inverted-equality"] <= 70


def test_weights_shift_the_draw_and_zero_leaves_out() -> None:
    both = ["wrong-variable", "boundary-comparison"]
    for weights, lowest, highest in (({"wrong-variable": 0.0}, 60, 60), ({"wrong-variable": 0.1}, 45, 60)):
        made = [tamper(task(INVENTORY), rng=random.Random(s), operators=both, weights=weights) for s in range(60)]
        assert lowest <= sum(m is not None and m.bugs[0].operator == "boundary-comparison" for m in made) <= highest


def test_the_same_seed_makes_the_same_tamper() -> None:
    made = [tamper(task(INVENTORY), rng=random.Random(7), n_bugs=2) for _ in range(2)]
    assert made[0] == made[1] is not None
    others = {m.task.answer for s in range(20) if (m := tamper(task(INVENTORY), rng=random.Random(s)))}
    assert len(others) > 10


def test_many_tampers_of_one_task_are_all_different() -> None:
    made = list(tampers(task(INVENTORY), rng=random.Random(0), count=40))
    assert len(made) > 30
    assert len({code_key(m.task.answer) for m in made} | {code_key(INVENTORY)}) == len(made) + 1
    assert len({m.task.id for m in made}) == len(made)


def test_few_sites_give_few_tampers_and_end() -> None:
    made = list(tampers(task("def f(a):\n    return a == 1\n"), rng=random.Random(0), count=500))
    assert 1 <= len(made) < 60


def test_the_rest_of_the_task_is_kept_and_splits_stay_together() -> None:
    whole = task(INVENTORY, tests="assert restock", prelude="import os", split="dev", source="s", licence="MIT")
    made = tamper(whole, rng=random.Random(1))
    assert made is not None
    assert (made.task.tests, made.task.prelude, made.task.split) == ("assert restock", "import os", "dev")
    assert (made.task.group, made.proof, made.seen_by_linter) == ("t", "compiles", False)
    grouped = tamper(whole.model_copy(update={"group": "g"}), rng=random.Random(1))
    assert grouped is not None and grouped.task.group == "g"


@pytest.mark.parametrize(
    "answer",
    ["", "def f(:\n", "x = 'plain'\n", "\0", "return 1\n", "'\ud800'\n", "x = 1 < y\n" * 4000],
    ids=["empty", "broken", "no site", "null byte", "does not compile", "lone surrogate", "very long"],
)
def test_what_cannot_be_tampered_with_gives_none(answer: str) -> None:
    assert tamper(task(answer), rng=random.Random(0), operators=["off-by-one-range", "boundary-comparison"]) is None


def test_operators_are_chosen_by_name() -> None:
    assert [o.name for o in choose(["wrong-return", "drop-not", "wrong-return"])] == ["wrong-return", "drop-not"]
    assert {o.name for o in choose()} == set(OPERATORS)
    kept = choose(exclude_held_out=True)
    assert len(OPERATORS) - len(kept) >= 4 and not any(o.held_out for o in kept)
    with pytest.raises(MomusError, match=r"'nope'.*off-by-one-range"):
        choose(["nope"])
    with pytest.raises(MomusError, match="no bug operator is left"):
        choose([next(o.name for o in OPERATORS.values() if o.held_out)], exclude_held_out=True)


def test_nothing_warns_on_the_console(recwarn: pytest.WarningsRecorder) -> None:
    code = 'def f(a, b):\n    if a is 1 and "\\d" != b:\n        return a\n    return b\n'
    assert list(tampers(task(code), rng=random.Random(0), count=5))
    assert not recwarn.list
