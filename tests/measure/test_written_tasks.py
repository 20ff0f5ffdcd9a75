"""The tasks that were written for this project: each bug bites, each twin is right, each fix restores the twin."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from momus.corpus.dedupe import fingerprint
from momus.critique import TextMap
from momus.match import apply_suggestion
from momus.measure import data_folder, load_bugs, load_clean, load_tasks
from momus.records import Tamper
from momus.sandbox import run_many, why_not
from momus.tamper.prove import prove

FOLDER = Path(__file__).parents[2] / "benchmarks"
SPLITS = {"new_tasks": None, "tune_tasks": "tune"}
LEAST = {"new_tasks": 40, "tune_tasks": 20}
KNOWN = ("qa.jsonl", "natural.jsonl", "humanevalfix.jsonl", "debugbench.jsonl")


def read(name: str) -> list[Tamper]:
    return load_bugs(FOLDER / f"{name}.jsonl")


def manifest(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FOLDER / f"{name}.manifest.json").read_text(encoding="utf-8"))
    return body


@pytest.fixture
def sandbox() -> None:
    reason = why_not()
    if reason is not None and os.environ.get("CI") != "true":
        pytest.skip(f"answers run in the sandbox only: {reason}")


@pytest.mark.parametrize("name", SPLITS)
def test_every_bug_fails_the_tests_that_its_twin_passes(name: str, sandbox: None) -> None:
    tampers = read(name)
    proved = prove(tampers, timeout_s=10)
    assert [t.task.id for t in (*proved.survived, *proved.twin_failed)] == []
    assert all(t.proof == "tests" for t in tampers)


@pytest.mark.parametrize("name", SPLITS)
def test_every_suggestion_restores_the_twin(name: str) -> None:
    for tamper in read(name):
        (bug,) = tamper.bugs
        (span,) = bug.spans
        assert apply_suggestion(tamper.task.answer, span, bug.suggestion or "") == tamper.twin, tamper.task.id
        assert bug.category != "other" or len(bug.description) > 40
        assert len(TextMap(tamper.task.answer).lines(span)) <= 4, tamper.task.id


@pytest.mark.parametrize("name", SPLITS)
def test_answers_are_of_the_promised_size_and_parse(name: str) -> None:
    tampers = read(name)
    assert len(tampers) >= LEAST[name]
    for tamper in tampers:
        for code in (tamper.task.answer, tamper.twin):
            assert 10 <= code.count("\n") <= 80, tamper.task.id
            top = {node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
            assert tamper.task.entry_point in top
        ast.parse(tamper.task.tests or "")
        assert (tamper.task.entry_point or "") in tamper.task.question, tamper.task.id
        assert tamper.task.split == SPLITS[name]


def test_no_task_stands_twice() -> None:
    tasks = [tamper.task for name in SPLITS for tamper in read(name)]
    for key in ("id", "group", "entry_point", "question"):
        assert [k for k, n in Counter(getattr(task, key) for task in tasks).items() if n > 1] == []
    assert all(task.group == task.id for task in tasks)


@pytest.mark.parametrize("name", SPLITS)
def test_the_manifest_is_of_this_file(name: str) -> None:
    body = manifest(name)
    tampers = read(name)
    assert body["sha256"] == hashlib.sha256((FOLDER / f"{name}.jsonl").read_bytes()).hexdigest()
    assert list(body["tasks"]) == [tamper.task.id for tamper in tampers] and body["count"] == len(tampers)
    assert "language model" in body["written_by"]
    assert all(tamper.author == "language model" for tamper in tampers)
    said = Counter(task["examples_in_question"] for task in body["tasks"].values())
    assert said["answer satisfies them"] + said["answer contradicts them"] >= len(tampers) // 3
    assert len(load_clean(FOLDER / f"{name}.jsonl", split=SPLITS[name])) == len(tampers)


@pytest.mark.parametrize("name", SPLITS)
def test_where_the_question_has_examples_both_answers_do_as_the_manifest_says(name: str, sandbox: None) -> None:
    """The tests begin with the question's examples: asserts whose calls stand in the question."""
    body = manifest(name)["tasks"]
    checks = [
        (tamper.task.id, code, body[tamper.task.id]["examples_in_question"] if code is tamper.task.answer else "twin")
        for tamper in read(name)
        if body[tamper.task.id]["examples_in_question"] != "no calls with results"
        for code in (tamper.task.answer, tamper.twin)
    ]
    examples = {tamper.task.id: examples_of(tamper) for tamper in read(name)}
    assert all(examples[i] for i, _, _ in checks)
    outcomes = run_many([f"{code}\n{examples[i]}" for i, code, _ in checks], timeout_s=10)
    for (i, _, said), outcome in zip(checks, outcomes, strict=True):
        assert (outcome.status == "passed") == (said != "answer contradicts them"), (i, outcome)


def examples_of(tamper: Tamper) -> str:
    """Those asserts of the tests whose call stands in the question, whatever the spacing."""
    tests = tamper.task.tests or ""
    question = squeezed(tamper.task.question)
    found: list[str] = []
    for statement in ast.parse(tests).body:
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        named = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == tamper.task.entry_point]
        if isinstance(statement, ast.Assert) and any(
            squeezed(ast.get_source_segment(tests, call) or "") in question for call in named
        ):
            found.append(ast.get_source_segment(tests, statement) or "")
    return "\n".join(found)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text).replace("'", '"')


@pytest.mark.skipif(data_folder() is None, reason="MOMUS_DATA names no folder with the known sets")
@pytest.mark.parametrize("name", SPLITS)
def test_no_answer_is_one_of_the_known_exercises(name: str) -> None:
    folder = data_folder()
    assert folder is not None
    known = {task.answer for file in KNOWN if (folder / file).is_file() for task in load_tasks(folder / file)}
    assert known
    prints = {fingerprint(code) for code in known}
    runs = [shingles(code) for code in known]
    for tamper in read(name):
        for code in (tamper.task.answer, tamper.twin):
            own = shingles(code)
            assert fingerprint(code) not in prints
            assert max(len(own & other) for other in runs) < 0.25 * len(own), tamper.task.id


def shingles(code: str, length: int = 8) -> frozenset[tuple[str, ...]]:
    """Every run of eight tokens."""
    tokens = re.findall(r"\w+|[^\w\s]", code)
    return frozenset(tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1))
