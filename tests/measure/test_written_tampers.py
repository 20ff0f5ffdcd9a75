"""The written tampers: each bug bites, the twin is right, the examples show nothing, the critiques undo the bugs.

All rows are held to their form. A draw of 25 is run, another one when the files change; MOMUS_ALL_WRITTEN=1 runs all.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import random
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from momus.corpus.dedupe import fingerprint
from momus.critique import TextMap
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.measure import data_folder, load_bugs, load_clean, load_tasks
from momus.measure.classes import class_of
from momus.measure.draws import DRAWS, WRITTEN, Draws, codes_of
from momus.records import Bug, Tamper, read_jsonl, write_jsonl
from momus.sandbox import run_many, why_not
from momus.tamper.prove import prove
from momus.train.sources import training_records

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FOLDER = BENCHMARKS / "written"
REPORTED = "operations"  # the family that nothing is trained, tuned or chosen on
FAMILIES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
OTHERS = ("new_tasks", "tune_tasks", "heldout", "heldout-operators", "fitted-tampers")
KNOWN = ("qa.jsonl", "natural.jsonl", "humanevalfix.jsonl", "debugbench.jsonl")
DRAWN = 25
MOST = {"comparison": 0.2, "constant": 1 / 6}  # share of the bugs of a family that is a changed operator, or value
CLASSES = {"wrong-comparison": "comparison", "inverted-condition": "comparison", "wrong-constant": "constant"}


def read(family: str) -> list[Tamper]:
    return load_bugs(FOLDER / f"{family}.jsonl")


def manifest(family: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FOLDER / f"{family}.manifest.json").read_text(encoding="utf-8"))
    return body


@pytest.fixture(scope="module")
def rows() -> list[Tamper]:
    return load_bugs(FOLDER)


@pytest.fixture(scope="module")
def drawn(rows: list[Tamper]) -> list[Tamper]:
    """What is run: another draw whenever the files change."""
    if os.environ.get("MOMUS_ALL_WRITTEN") == "1":
        return rows
    seed = "".join(manifest(family)["sha256"] for family in FAMILIES)
    return random.Random(seed).sample(rows, min(DRAWN, len(rows)))


@pytest.fixture
def sandbox() -> None:
    reason = why_not()
    if reason is not None and os.environ.get("CI") != "true":
        pytest.skip(f"answers run in the sandbox only: {reason}")


@pytest.mark.timeout(3600)
def test_every_bug_fails_the_tests_that_its_twin_passes(drawn: list[Tamper], sandbox: None) -> None:
    proved = prove(drawn, timeout_s=10)
    assert [t.task.id for t in (*proved.survived, *proved.twin_failed, *proved.uncertain)] == []


@pytest.mark.timeout(3600)
def test_the_examples_of_the_question_show_no_bug(drawn: list[Tamper], sandbox: None) -> None:
    """The tests begin with them, as many as the manifest says."""
    counts = {name: entry["examples"] for family in FAMILIES for name, entry in manifest(family)["tampers"].items()}
    shown = [tamper for tamper in drawn if counts[tamper.task.id]]
    programs = [
        f"{code}\n{first_statements(tamper.task.tests or '', counts[tamper.task.id])}"
        for tamper in shown
        for code in codes_of(tamper)
    ]
    outcomes = list(run_many(programs, timeout_s=10))
    names = [tamper.task.id for tamper in shown for _ in codes_of(tamper)]
    assert [name for name, outcome in zip(names, outcomes, strict=True) if outcome.status != "passed"] == []


def first_statements(tests: str, count: int) -> str:
    return "\n".join(ast.get_source_segment(tests, each) or "" for each in ast.parse(tests).body[:count])


def test_rows_have_the_promised_form(rows: list[Tamper]) -> None:
    assert rows
    for tamper in rows:
        task = tamper.task
        prefix, family, slug = task.id.partition("~")[0].split("/")
        assert prefix == "written" and family in FAMILIES and task.group == f"written/{family}/{slug}"
        assert task.split in (("test",) if family == REPORTED else ("train", "test"))
        assert (task.licence, tamper.author, tamper.proof) == ("Apache-2.0", "language model", "tests"), task.id
        assert (task.entry_point or "-") in task.question, task.id
        checks = sum(isinstance(node, ast.Assert | ast.Try) for node in ast.parse(task.tests or "").body)
        assert checks >= 5, task.id
        for code in codes_of(tamper):
            assert 2 <= code.count("\n") <= 80, task.id
            top = {n.name for n in ast.parse(code).body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
            assert task.entry_point in top, task.id


def test_the_suggestions_together_restore_the_twin(rows: list[Tamper]) -> None:
    for tamper in rows:
        answer = tamper.task.answer
        assert 1 <= len(tamper.bugs) <= 3
        for bug in sorted(tamper.bugs, key=lambda bug: bug.spans[0], reverse=True):
            (span,) = bug.spans
            assert len(TextMap(tamper.task.answer).lines(span)) <= 4, tamper.task.id
            quote = tamper.task.answer[span.start : span.end]
            assert quote == quote.strip() and tamper.task.answer.count(quote) == 1, tamper.task.id
            assert len(bug.description) >= 40, tamper.task.id
            answer = apply_suggestion(answer, span, bug.suggestion or "")
        assert answer == tamper.twin != tamper.task.answer, tamper.task.id


def test_no_task_stands_twice_here_or_elsewhere(rows: list[Tamper]) -> None:
    by_group: dict[str, list[Tamper]] = defaultdict(list)
    for tamper in rows:
        by_group[tamper.task.group or ""].append(tamper)
    for group, those in by_group.items():
        assert len({(t.task.question, t.twin, t.task.tests, t.task.split) for t in those}) == 1, group
        assert len({t.task.answer for t in those}) == len(those) <= 2, group
    for key in ("question", "id"):
        named = Counter({(t.task.group if key == "question" else t.task.id, getattr(t.task, key)) for t in rows})
        assert max(Counter(value for _, value in named).values()) == 1
    here = {fingerprint(code): tamper.task.group for tamper in rows for code in codes_of(tamper)}
    for tamper in rows:
        assert {here[fingerprint(code)] for code in codes_of(tamper)} == {tamper.task.group}
    for name in OTHERS:
        for tamper in read_jsonl(BENCHMARKS / f"{name}.jsonl", Tamper):
            assert here.keys().isdisjoint(map(fingerprint, codes_of(tamper))), tamper.task.id


@pytest.mark.parametrize("family", FAMILIES)
def test_bugs_are_no_monoculture(family: str) -> None:
    """Few bugs of a family are a changed comparison, or constant: by what the fix changes, not by category."""
    found = Counter(
        CLASSES.get(class_of(bug.model_copy(update={"category": "other"}), *codes_of_bug(tamper, bug)), "rest")
        for tamper in read(family)
        for bug in tamper.bugs
    )
    for kind, most in MOST.items():
        assert found[kind] <= most * found.total(), (family, found)
    if found.total() >= 50:
        assert len({bug.category for tamper in read(family) for bug in tamper.bugs}) >= 10


def codes_of_bug(tamper: Tamper, bug: Bug) -> tuple[str, str]:
    """The tampered answer, and the same with this bug undone."""
    return tamper.task.answer, apply_suggestion(tamper.task.answer, bug.spans[0], bug.suggestion or "")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_manifest_is_of_this_file(family: str) -> None:
    body = manifest(family)
    tampers = read(family)
    assert body["sha256"] == hashlib.sha256((FOLDER / f"{family}.jsonl").read_bytes()).hexdigest()
    assert list(body["tampers"]) == [tamper.task.id for tamper in tampers] and body["count"] == len(tampers)
    assert body["tasks"] == len({tamper.task.group for tamper in tampers})
    assert "language model" in body["written_by"]
    with_examples = sum(entry["examples"] > 0 for entry in body["tampers"].values())
    assert with_examples >= len(tampers) // 3


def test_a_hundred_and_twenty_of_the_other_families_are_reported(rows: list[Tamper]) -> None:
    kept = {t.task.id for t in rows if t.task.split == "test" and f"/{REPORTED}/" not in t.task.id}
    assert len(kept) >= 120 and {t.task.id for t in Draws.read(BENCHMARKS).load("report", "written-families")} == kept  # type: ignore[union-attr]
    assert {name.split("/")[1] for name in kept} == set(FAMILIES) - {REPORTED}


def test_what_is_reported_is_not_trained_or_fitted_on(rows: list[Tamper], tmp_path: Path) -> None:
    Draws.read(BENCHMARKS).refuse_reported([tamper for tamper in rows if tamper.task.split != "test"])
    first = rows[0].task
    named = {"id": f"written/{REPORTED}/it", "group": f"written/{REPORTED}/it"}
    reported = rows[0].model_copy(update={"task": first.model_copy(update={**named, "split": "test"})})
    trained = reported.model_copy(update={"task": first.model_copy(update={**named, "split": "train"})})
    path = tmp_path / WRITTEN["written-tampers"]
    write_jsonl(path, [reported])
    shutil.copy(BENCHMARKS / DRAWS, tmp_path / DRAWS)
    draws = Draws.read(tmp_path)
    assert draws.load("report", "written-tampers") == [reported]
    with pytest.raises(MomusError, match="have the same group"):
        draws.refuse_reported([reported])
    with pytest.raises(MomusError, match="have the same code"):
        draws.refuse_reported([rows[0]])
    with pytest.raises(MomusError, match="no record whose split is train"):
        list(training_records([path]))
    write_jsonl(tmp_path / "relabelled.jsonl", [trained])
    with pytest.raises(MomusError, match="set aside for measuring"):
        list(training_records([tmp_path / "relabelled.jsonl"]))


def test_a_folder_is_read_as_its_files_one_after_the_other(tmp_path: Path, rows: list[Tamper]) -> None:
    assert [t.task.id for t in rows] == [t.task.id for family in FAMILIES for t in read(family)]
    assert len(load_clean(FOLDER)) == len({t.task.group for t in rows})
    with pytest.raises(MomusError, match=r"no \*\.jsonl in"):
        load_bugs(tmp_path)


@pytest.mark.skipif(data_folder() is None, reason="MOMUS_DATA names no folder with the known sets")
def test_no_answer_is_one_of_the_known_exercises(rows: list[Tamper]) -> None:
    folder = data_folder()
    assert folder is not None
    known = {task.answer for file in KNOWN if (folder / file).is_file() for task in load_tasks(folder / file)}
    prints = {fingerprint(code) for code in known}
    where: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, code in enumerate(known):
        for run in runs_of_tokens(code):
            where[run].append(number)
    for tamper in rows:
        assert prints.isdisjoint(map(fingerprint, codes_of(tamper))), tamper.task.id
        own = runs_of_tokens(tamper.twin)
        shared = Counter(number for run in own for number in where.get(run, ()))
        assert max(shared.values(), default=0) < max(0.25 * len(own), 4), tamper.task.id


def runs_of_tokens(code: str, length: int = 8) -> frozenset[tuple[str, ...]]:
    tokens: Iterable[str] = re.findall(r"\w+|[^\w\s]", code)
    ordered = list(tokens)
    return frozenset(tuple(ordered[i : i + length]) for i in range(len(ordered) - length + 1))
