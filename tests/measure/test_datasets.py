"""Both forms of a data file become the same records; a bad line is named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from planted import RIGHT, TWIN, WRONG, make_tamper

from momus.critique import TextMap
from momus.errors import MomusError
from momus.match import apply_suggestion, code_key
from momus.measure import data_folder, load_bugs, load_clean, load_tasks, small_bugs
from momus.records import Task, write_jsonl
from momus.sandbox import run_many, why_not

BUGGY = TWIN.replace(RIGHT, WRONG)


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "question": "Sum.", "buggy": BUGGY, "fixed": TWIN, "bug_lines": [3], "problem": "P/1", **changes}


def test_a_line_number_becomes_a_span_with_the_lines_that_mend_it(tmp_path: Path) -> None:
    (tamper,) = load_bugs(write(tmp_path / "b.jsonl", row(model="some-model", split="dev", licence="MIT")))
    (bug,) = tamper.bugs
    assert bug.spans[0].of(BUGGY) == WRONG
    assert bug.suggestion == RIGHT
    assert (tamper.task.group, tamper.task.split, tamper.task.licence, tamper.author) == (
        "P/1",
        "dev",
        "MIT",
        "some-model",
    )
    assert (tamper.twin, bug.category, tamper.proof) == (TWIN, "other", "compiles")


def test_the_neighbours_of_an_insertion_are_its_place(tmp_path: Path) -> None:
    buggy = TWIN.replace("        s += xs[i]\n", "        pass\n").replace("        pass\n", "")
    (tamper,) = load_bugs(write(tmp_path / "b.jsonl", row(buggy=buggy, bug_lines=[], anchor_lines=[3, 4])))
    assert [s.of(buggy) for s in tamper.bugs[0].spans] == [RIGHT + "\n    return s"]
    assert tamper.bugs[0].suggestion is None


def test_lines_apart_are_spans_of_one_bug_or_bugs_of_their_own(tmp_path: Path) -> None:
    buggy = BUGGY.replace("s = 0", "s = 1")
    one, two = load_bugs(
        write(
            tmp_path / "b.jsonl",
            row(buggy=buggy, bug_lines=[2, 3, 5]),
            row(id="b", buggy=buggy.replace("return s", "return 0"), bug_lines=[2, 5], category="double"),
        )
    )
    assert [len(bug.spans) for bug in one.bugs] == [2]
    assert [bug.suggestion for bug in two.bugs] == [None, "return s"]
    assert [bug.spans[0].of(two.task.answer) for bug in two.bugs] == ["s = 1", "return 0"]


def test_a_blank_line_is_stood_for_by_its_end(tmp_path: Path) -> None:
    buggy = "x = 1\n\ny = 2\n"
    (tamper,) = load_bugs(write(tmp_path / "b.jsonl", row(buggy=buggy, bug_lines=[2])))
    assert list(TextMap(buggy).lines(tamper.bugs[0].spans[0])) == [2]


def test_a_fix_that_is_not_small_has_no_place_and_can_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", row(small_fix=False), row(id="b", small_fix=True))
    assert [(t.task.id, len(t.bugs)) for t in load_bugs(path)] == [("a", 0), ("b", 1)]
    assert [t.task.id for t in load_bugs(path, small_fix=True)] == ["b"]


def test_what_does_not_parse_and_the_other_side_of_a_split_can_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "b.jsonl", row(buggy="x = (\n", bug_lines=[1], split="dev"), row(id="b", split="train"))
    assert [t.task.id for t in load_bugs(path, parses=True)] == ["b"]
    assert [t.task.id for t in load_bugs(path, split="dev")] == ["a"]
    assert [t.task.id for t in load_bugs(path, limit=1)] == ["a"]


def test_known_categories_are_mapped_and_others_are_other(tmp_path: Path) -> None:
    names = ["condition error", "undefined methods", "off-by-one", "never heard of"]
    path = write(tmp_path / "b.jsonl", *(row(id=str(i), category=name) for i, name in enumerate(names)))
    categories = [t.bugs[0].category for t in load_bugs(path)]
    assert categories == ["wrong-condition", "undefined-name", "off-by-one", "other"]


def test_tests_are_joined_from_the_file_beside(tmp_path: Path) -> None:
    write(
        tmp_path / "natural-tests.jsonl",
        {"problem": "P/1", "caught_by": "base", "tests": "assert 1"},
        {"problem": "P/1", "caught_by": "plus", "tests": "assert 2"},
    )
    path = write(
        tmp_path / "natural.jsonl",
        row(caught_by="plus", verified=True),
        row(tests="assert 3"),
        row(caught_by="base", problem="P/2", verified=True),
    )
    loaded = load_bugs(path)
    assert [t.task.tests for t in loaded] == ["assert 2", "assert 3", None]
    assert [t.proof for t in loaded] == ["tests", "compiles", "compiles"]


def test_an_answer_with_tests_and_no_prelude_gets_the_imports_that_it_takes_for_granted(tmp_path: Path) -> None:
    clean = {
        "id": "c",
        "question": "q",
        "answer": "def f(xs: List[int]): return math.prod(xs)",
        "tests": "assert f([2]) == 2",
    }
    bare, given, untested = load_tasks(
        write(tmp_path / "c.jsonl", clean, {**clean, "prelude": "import math"}, {**clean, "tests": None})
    )
    assert bare.prelude == "from typing import List\nimport math\n"
    assert (given.prelude, untested.prelude) == ("import math", "")


def test_clean_answers_are_those_of_tasks_and_the_twins_of_bugs_each_once(tmp_path: Path) -> None:
    tasks = [{"id": str(i), "question": "q", "answer": f"x = {i % 2}\n"} for i in range(4)]
    path = write(tmp_path / "clean.jsonl", *tasks)
    assert [t.answer for t in load_clean(path)] == ["x = 0\n", "x = 1\n"]
    assert [t.id for t in load_tasks(path)] == ["0", "1", "2", "3"]
    assert [t.answer for t in load_clean(write(tmp_path / "b.jsonl", row(), row(id="b")))] == [TWIN]
    assert len(load_tasks(path, limit=3)) == 3


def test_our_own_records_are_read_too(tmp_path: Path) -> None:
    tampers = [make_tamper(i) for i in range(3)]
    path = tmp_path / "tampers.jsonl"
    write_jsonl(path, tampers)
    assert load_bugs(path) == tampers
    assert [t.answer for t in load_tasks(path)] == [TWIN] * 3
    tasks = [Task(id="x", question="q", answer="y = 1\n", prelude="import math")]
    write_jsonl(path, tasks)
    assert load_tasks(path) == tasks


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"b\.jsonl:2: not JSON"),
        ("[1]", r":2: not a task: expected an object"),
        ('{"id": "a", "question": "q"}', r":2: not a task: buggy: expected text \(fields: id, question\)"),
        (json.dumps(row(bug_lines=[9])), r":2: not a task: bug_lines: the answer has lines 1\.\.5"),
        (json.dumps(row(bug_lines="3")), r":2: not a task: bug_lines: expected a list of line numbers"),
        ('{"twin": "x", "task": {}}', r":2: not a Tamper: task\.id: Field required"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "b.jsonl", row())
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(MomusError, match=message):
        load_bugs(path)


def test_a_missing_file_and_a_missing_folder_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MomusError, match=r"can.t read .*none\.jsonl: No such file"):
        load_bugs(tmp_path / "none.jsonl")
    monkeypatch.setenv("MOMUS_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(MomusError, match=r"MOMUS_DATA names .* no folder"):
        data_folder()
    monkeypatch.setenv("MOMUS_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("MOMUS_DATA")
    assert data_folder() is None


def test_the_small_set_is_whole_and_diverse() -> None:
    tampers = small_bugs()
    assert len(tampers) >= 24
    assert len({t.task.id for t in tampers}) == len(tampers)
    assert len({bug.category for t in tampers for bug in t.bugs}) >= 12
    assert any(len(t.bugs) == 2 for t in tampers)
    for tamper in tampers:
        assert tamper.proof == "tests"
        answer = tamper.task.answer
        for bug in sorted(tamper.bugs, key=lambda bug: -bug.spans[0].start):
            assert bug.description and bug.suggestion is not None
            answer = apply_suggestion(answer, bug.spans[0], bug.suggestion)
        assert answer == tamper.twin


@pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")
def test_every_answer_of_the_small_set_fails_and_every_twin_passes() -> None:
    tampers = small_bugs()
    programs = [p for t in tampers for p in (t.task.program(), t.task.program(t.twin)) if p is not None]
    outcomes = [outcome.status for outcome in run_many(programs, timeout_s=60)]
    assert outcomes == ["failed", "passed"] * len(tampers)


@pytest.mark.skipif(not os.environ.get("MOMUS_DATA"), reason="MOMUS_DATA is not set: the development data is not here")
def test_the_development_data_is_read_whole() -> None:
    folder = data_folder()
    assert folder is not None
    natural = load_bugs(folder / "natural.jsonl", small_fix=True)
    assert len(natural) == 419
    assert all(t.task.tests and t.bugs and t.task.group for t in natural)
    fix = load_bugs(folder / "humanevalfix.jsonl")
    assert len(fix) == 82 and all(t.proof == "tests" for t in fix)
    assert len(load_bugs(folder / "debugbench.jsonl", parses=True)) == 449
    assert len(load_clean(folder / "correct.jsonl")) == 3252
    for tamper in natural + fix:
        for bug in tamper.bugs:
            if bug.suggestion is not None and len(tamper.bugs) == 1:
                mended = apply_suggestion(tamper.task.answer, bug.spans[0], bug.suggestion)
                assert code_key(mended) == code_key(tamper.twin)
