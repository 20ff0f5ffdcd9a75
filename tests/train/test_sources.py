"""What is set aside for measuring never trains, under whatever name it comes; only the train split is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from momus.errors import MomusError
from momus.records import Bug, Span, Tamper, Task, write_jsonl
from momus.train.sources import development_answers, refuse_reserved, training_records


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def qa(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "question": "q", "answer": "x = 1\n", "split": "train", **more}


def bug(name: str, **more: Any) -> dict[str, Any]:
    row = {"id": name, "question": "q", "buggy": "x = 1\ny = x\n", "fixed": "x = 1\ny = x + 1\n", "bug_lines": [2]}
    return {**row, "split": "train", **more}


@pytest.mark.parametrize(
    "task",
    [
        {"id": "natural/HumanEval/82/0", "group": "HumanEval/82"},
        {"id": "a", "group": "HumanEval/163"},
        {"id": "correct/HumanEval/90/1"},
        {"id": "humanevalfix/120"},
        {"id": "humaneval-plus/99"},
        {"id": "HumanEval_100"},
        {"id": "quixbugs/gcd"},
        {"id": "written/operations/x"},
        {"id": "x", "group": "QuixBugs/bitcount"},
        {"id": "gcd", "source": "QuixBugs (Python)"},
    ],
    ids=lambda task: "-".join(task.values()),
)
def test_what_is_set_aside_is_refused(task: dict[str, str]) -> None:
    with pytest.raises(MomusError, match="set aside for measuring") as error:
        refuse_reserved(Task(question="", answer="x", **task))
    assert task["id"] in str(error.value)


@pytest.mark.parametrize(
    "task",
    [
        {"id": "natural/HumanEval/81/104", "group": "HumanEval/81"},
        {"id": "humanevalfix/0", "group": "HumanEval/0", "source": "HumanEvalPack (octopack)"},
        {"id": "mbpp/900", "group": "mbpp/900"},
        {"id": "debugbench/condition_error/the-kth-factor-of-n/0"},
        {"id": "leetcode/163"},
    ],
    ids=lambda task: task["id"],
)
def test_the_rest_may_train(task: dict[str, str]) -> None:
    refuse_reserved(Task(question="", answer="x", **task))


def test_only_the_train_split_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "qa.jsonl", qa("a"), qa("b", split="dev"), qa("c"), qa("d", split=None))
    assert [record.id for record in training_records([path]) if isinstance(record, Task)] == ["a", "c"]
    path = write(tmp_path / "bugs.jsonl", bug("a", split="dev"), bug("b"))
    assert [record.task.id for record in training_records([path]) if isinstance(record, Tamper)] == ["b"]


def test_bugs_without_a_place_are_left_to_be_measured(tmp_path: Path) -> None:
    path = write(tmp_path / "bugs.jsonl", bug("a"), bug("b", small_fix=False))
    (record,) = training_records([path])
    assert isinstance(record, Tamper) and record.task.id == "a" and len(record.bugs) == 1


def test_a_file_where_no_bug_has_a_place_gives_its_right_answers_to_tamper(tmp_path: Path) -> None:
    path = write(tmp_path / "bugs.jsonl", bug("a", small_fix=False))
    (record,) = training_records([path])
    assert isinstance(record, Task) and record.answer == "x = 1\ny = x + 1\n"


def test_the_projects_own_records_are_read_too(tmp_path: Path) -> None:
    task = Task(id="t", question="", answer="x = 2\n", split="train")
    tamper = Tamper(task=task, twin="x = 1\n", bugs=(Bug(spans=(Span(0, 5),), category="other"),))
    write_jsonl(tmp_path / "own.jsonl", [tamper])
    assert list(training_records([tmp_path / "own.jsonl"])) == [tamper]


def test_one_record_that_is_set_aside_stops_the_whole_file(tmp_path: Path) -> None:
    path = write(tmp_path / "qa.jsonl", qa("mbpp/1"), qa("HumanEval/82", problem="HumanEval/82"))
    with pytest.raises(MomusError, match="HumanEval/82 is set aside"):
        list(training_records([path]))


def test_what_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="cannot read"):
        list(training_records([tmp_path / "absent.jsonl"]))
    with pytest.raises(MomusError, match="no record whose split is train"):
        list(training_records([write(tmp_path / "dev.jsonl", qa("a", split="dev"))]))
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}\n')
    with pytest.raises(MomusError, match=r"latin.jsonl:1: not JSON"):
        list(training_records([tmp_path / "latin.jsonl"]))


def test_answers_that_tune_are_of_the_dev_split_and_of_no_problem_that_is_measured(tmp_path: Path) -> None:
    rows = [qa(f"a{n}", problem=f"p{n}", split="dev" if n % 2 else "train") for n in range(40)]
    answers = write(tmp_path / "qa.jsonl", *rows, qa("alone", split="dev"))
    measured = write(tmp_path / "natural.jsonl", bug("b1", problem="p1"), bug("b2", problem="p3", split="dev"))
    found = development_answers([answers], [measured], 0)
    assert {task.id for task in found} == {"alone", *(f"a{n}" for n in range(5, 40, 2))}
    assert found == development_answers([answers], [measured], 0) != sorted(found, key=lambda task: task.id)
    assert [t.id for t in found] != [t.id for t in development_answers([answers], [measured], 1)]
    assert development_answers([], [measured], 0) == []


def test_answers_that_cannot_tune_are_one_sentence(tmp_path: Path) -> None:
    training = write(tmp_path / "qa.jsonl", qa("a", problem="p"))
    with pytest.raises(MomusError, match=r"qa\.jsonl has no record of the split dev"):
        development_answers([training], [], 0)
    tuning = write(tmp_path / "dev.jsonl", qa("a", problem="p", split="dev"))
    with pytest.raises(MomusError, match="set apart"):
        development_answers([tuning], [tuning], 0)
    with pytest.raises(MomusError, match="set aside for measuring"):
        development_answers([write(tmp_path / "r.jsonl", qa("HumanEval/99", split="dev"))], [], 0)
    with pytest.raises(MomusError, match=r"nowhere\.jsonl"):
        development_answers([tmp_path / "nowhere.jsonl"], [], 0)
