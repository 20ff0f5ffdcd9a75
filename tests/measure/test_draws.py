"""What is reported on, chosen on and fitted on: disjoint, drawn once, and refused where a text is another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from momus.corpus.packages import PACKAGES, Package
from momus.errors import MomusError
from momus.measure import drawing
from momus.measure.draws import DRAWS, FITTED_TAMPERS, PARTS, SETS, WRITTEN, Draws, digest, drawn, refuse_leaks
from momus.measure.released import CALIBRATION_PACKAGES, REPORT_PACKAGES, TUNE_PACKAGES, functions
from momus.records import Tamper, Task, read_jsonl, write_jsonl

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def draws() -> Draws:
    return Draws.read(BENCHMARKS)


def test_the_committed_lists_have_the_sizes_that_every_table_names(draws: Draws) -> None:
    sizes = {name: len(draws.of("report", name)) for name in SETS["report"] if name not in WRITTEN}
    assert sizes == {
        "humanevalfix": 82,
        "natural": 174,
        "debugbench": 164,
        "tampers": 300,
        "fixes": 300,
        "condefects": 300,
        "correct": 600,
        "functions": 1000,
    }


def test_no_problem_package_or_near_copy_is_in_two_parts(draws: Draws) -> None:
    for kind in ("group", "fingerprints"):
        found: dict[str, set[str]] = {part: set() for part in PARTS}
        for entry in draws.entries:
            found[entry.part].update([entry.group] if kind == "group" else entry.fingerprints)
        assert found["report"].isdisjoint(found["tune"] | found["calibration"])
        assert found["tune"].isdisjoint(found["calibration"])


def test_nothing_of_humaneval_is_chosen_or_fitted_on(draws: Draws) -> None:
    fitted = [entry for entry in draws.entries if entry.part != "report"]
    assert fitted and not any("humaneval" in f"{entry.id} {entry.group}".lower() for entry in fitted)


def test_packages_stand_in_one_part_and_none_that_is_reported_on_is_a_training_package() -> None:
    names = [{p.name for p in packages} for packages in (REPORT_PACKAGES, TUNE_PACKAGES, CALIBRATION_PACKAGES)]
    assert len(names[0] | names[1] | names[2]) == sum(map(len, names))
    assert names[0].isdisjoint(p.name for p in PACKAGES if p.split != "heldout")


def test_of_a_repository_there_are_thirty_at_most(draws: Draws) -> None:
    groups = [entry.group for entry in draws.of("report", "fixes")]
    assert max(map(groups.count, groups)) <= 30


@pytest.mark.parametrize("shared", ["group", "code"])
def test_a_leak_between_parts_is_refused(draws: Draws, shared: str) -> None:
    mine = draws.of("report", "tampers")[0]
    theirs = draws.of("calibration", "tampers")[0]
    update = {"group": mine.group} if shared == "group" else {"fingerprints": mine.fingerprints}
    with pytest.raises(MomusError, match=f"the same {shared}"):
        refuse_leaks([mine, theirs.model_copy(update=update)])


def test_a_set_is_loaded_in_the_order_drawn(draws: Draws) -> None:
    wanted = [entry.id for entry in draws.of("report", "tampers")]
    loaded = draws.load("report", "tampers")
    assert [item.task.id for item in loaded if isinstance(item, Tamper)] == wanted
    assert draws.load("report", "tampers", 7) == loaded[:7]
    assert wanted != sorted(wanted)


def test_a_text_that_is_another_than_was_drawn_is_refused(draws: Draws, tmp_path: Path) -> None:
    (tmp_path / DRAWS).write_bytes((BENCHMARKS / DRAWS).read_bytes())
    items = list(read_jsonl(BENCHMARKS / FITTED_TAMPERS, Tamper))
    items[0] = items[0].model_copy(update={"twin": items[0].twin + "\n# changed\n"})
    write_jsonl(tmp_path / FITTED_TAMPERS, items)
    part = "tune" if any(entry.id == items[0].task.id for entry in draws.of("tune", "tampers")) else "calibration"
    with pytest.raises(MomusError, match="another text than was drawn"):
        Draws.read(tmp_path).load(part, "tampers")
    write_jsonl(tmp_path / FITTED_TAMPERS, items[1:])
    with pytest.raises(MomusError, match="is missing"):
        Draws.read(tmp_path).load(part, "tampers")


def test_what_a_set_needs_and_is_not_named_is_said(draws: Draws) -> None:
    with pytest.raises(MomusError, match="MOMUS_DATA"):
        draws.load("report", "humanevalfix")
    with pytest.raises(MomusError, match="--wheels"):
        draws.load("report", "functions")
    with pytest.raises(MomusError, match="choose one of new-tasks, written-tampers, written-families"):
        draws.load("report", "humaneval")


def test_functions_of_a_wheel_come_with_what_surrounds_them(tmp_path: Path) -> None:
    import zipfile

    source = (
        "import os\n\n\nclass Reader:\n    def read(self, name):\n        path = os.path.join('a', name)\n"
        "        with open(path) as f:\n            return f.read()\n"
    )
    with zipfile.ZipFile(tmp_path / "demo-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("demo.py", source)
        wheel.writestr("demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 1.0\nLicense-Expression: MIT\n")
    package = Package("demo", "1.0", "MIT", "files")
    (made,) = functions(
        package, tmp_path, lambda tree: lambda node, name, within: f"{name} in {within and within.name}"
    )
    assert made.id == "released/demo==1.0/demo.py:Reader.read"
    assert made.task().context == "Reader.read in Reader" and made.task().group == "demo"


def test_drawing_twice_gives_the_same_lists_and_splits_problems(tmp_path: Path) -> None:
    data = _small_data(tmp_path)
    sources = {
        p.name: _function(p.name) for part in (REPORT_PACKAGES, TUNE_PACKAGES, CALIBRATION_PACKAGES) for p in part
    }

    def functions_of(package: Package) -> list[Task]:
        return sources[package.name]

    heldout = tmp_path / "heldout.jsonl"
    write_jsonl(heldout, list(read_jsonl(BENCHMARKS / "heldout.jsonl", Tamper))[:5])
    lines: list[str] = []
    kept = drawing.draw(data, heldout, functions_of, report=lines.append)
    again = drawing.draw(data, heldout, functions_of, report=lines.append)
    assert kept == again
    assert not set(kept.problems["tune"]) & set(kept.problems["calibration"])
    total = sum(map(len, kept.problems.values()))
    assert total == 60 // 3  # a third of the train problems
    by_part = {part: {e.group for e in kept.entries if e.part == part and e.set == "correct"} for part in PARTS}
    assert by_part["calibration"] <= set(kept.problems["calibration"]) and by_part["calibration"]
    assert all(name.startswith("MBPP/dev") for name in by_part["report"])


def test_written_tasks_are_in_one_part_and_all_taken(draws: Draws) -> None:
    written = draws.load("tune", "written-tasks")
    assert len(written) == 20 and written[:3] == draws.load("tune", "written-tasks", 3)
    entries = [drawn(item, "tune", "written-tasks") for item in written]
    new = [drawn(item, "report", "new-tasks") for item in draws.load("report", "new-tasks")]
    refuse_leaks([*draws.entries, *entries, *new])


def test_an_entry_knows_its_texts() -> None:
    task = Task(id="a", question="q", answer="def f(x):\n    return x\n", group="g")
    entry = drawn(task, "tune", "correct")
    assert entry.sha256 == digest(task) != digest(task.model_copy(update={"answer": "def f(y):\n    return y\n"}))
    assert (
        entry.fingerprints
        == drawn(task.model_copy(update={"answer": "def g(y):\n  return y\n"}), "tune", "x").fingerprints
    )


def _function(name: str) -> list[Task]:
    word = name.replace("-", "_")
    body = f"    total = a + {len(word)}\n    for i in range(b):\n        total += i * {sum(map(ord, word))}\n"
    code = f"def {word}(a, b):\n{body}    return total\n"
    return [Task(id=f"released/{name}", question="", answer=code, group=name)]


def _small_data(folder: Path) -> Path:
    data = folder / "data"
    data.mkdir()

    def rows(name: str, bodies: list[dict[str, object]]) -> None:
        (data / f"{name}.jsonl").write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")

    def code(n: int, bug: bool = False) -> str:
        return f"def f(x):\n    y = x {'-' if bug else '+'} {n}\n    return y * {n + 1}\n"

    def bug(name: str, split: str, n: int) -> dict[str, object]:
        body = {"id": name, "problem": name.rsplit("#")[0], "split": split, "question": "q", "bug_lines": [2]}
        return {**body, "buggy": code(n, bug=True), "fixed": code(n), "strong": True}

    names = [f"MBPP/{i}" for i in range(30)] + [f"leetcode/{i}" for i in range(30)]
    rows(
        "qa",
        [
            {"id": f"qa/{n}", "problem": n, "split": "train", "question": "q", "answer": code(i)}
            for i, n in enumerate(names)
        ],
    )
    correct = [
        {"id": f"c/{n}", "problem": n, "split": "train", "question": "q", "answer": code(i)}
        for i, n in enumerate(names[:16])
    ]
    correct += [
        {"id": f"c/d{i}", "problem": f"MBPP/dev{i}", "split": "dev", "question": "q", "answer": code(500 + i)}
        for i in range(4)
    ]
    rows("correct", correct)
    rows("natural", [bug("MBPP/dev1", "dev", 700), bug("MBPP/0", "train", 701)])
    rows("debugbench", [bug("leetcode/dev", "dev", 800), *(bug(f"leetcode/{i}", "train", 801 + i) for i in range(8))])
    rows("humanevalfix", [bug("HumanEval/0", "train", 900)])
    rows("condefects", [bug("abc1", "dev", 901)])
    rows("fixes-dev", [bug("them/dev", "dev", 902)])
    rows("fixes-train", [bug(f"them/{i}#", "train", 903 + i) for i in range(20)])
    return data
