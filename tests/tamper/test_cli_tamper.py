"""`momus tamper` over files, folders and JSONL: resumable, and clear about what it made."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

import momus.tamper.job as job
from momus.cli.tamper import read_tasks
from momus.errors import MomusError
from momus.match import code_key
from momus.records import Tamper, Task, read_jsonl, write_jsonl
from momus.tamper.job import Plan, tamper_all

if shutil.which("bwrap") is None and shutil.which("sandbox-exec") is None and os.environ.get("CI") != "true":
    pytest.skip("bubblewrap is not installed: proof by tests needs the sandbox", allow_module_level=True)

FILE = '''"""A module."""


def clamp(value, low, high):
    """Keep a value between two bounds."""
    if value < low:
        return low
    if value > high:
        return high
    return value


class Basket:
    def total(self, prices, discount=0):
        result = 0
        for name in prices:
            result += prices[name]
        return result - discount
'''
QUICK = Plan(operators=("wrong-return", "boundary-comparison", "wrong-variable"), sandbox=None, linter=None)


def momus(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "momus", "tamper", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def clamp_task(i: int, tests: str | None = "assert clamp(5, 1, 3) == 3\nassert clamp(0, 1, 3) == 1\n") -> Task:
    code = FILE[FILE.index("def clamp") : FILE.index("\n\nclass")].replace("value", f"value{i}")
    return Task(id=f"clamp/{i}", question="Clamp.", answer=code, tests=tests)


def test_a_file_and_a_folder_become_tampers(tmp_path: Path) -> None:
    (tmp_path / "pkg" / "tests").mkdir(parents=True)
    (tmp_path / "pkg" / "shop.py").write_text(FILE)
    (tmp_path / "pkg" / "broken.py").write_text("def f(:\n")
    (tmp_path / "pkg" / "tests" / "test_shop.py").write_text(FILE)
    (tmp_path / "pkg" / "loop").symlink_to(tmp_path / "pkg")
    (tmp_path / "test_alone.py").write_text(FILE.replace("clamp", "limit"))
    done = momus("pkg", "test_alone.py", "-o", "out.jsonl", "--per-task", "3", "--linter-keep", "1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    made = list(read_jsonl(tmp_path / "out.jsonl", Tamper))
    assert {t.task.id.partition("~")[0] for t in made} == {
        "function/pkg/shop.py:clamp",
        "function/pkg/shop.py:Basket.total",
        f"function/{tmp_path.name}/test_alone.py:limit",
        f"function/{tmp_path.name}/test_alone.py:Basket.total",
    }
    assert len(made) >= 9 and all(t.proof == "compiles" for t in made)
    assert f"{len(made)} tampers of 4 tasks (0 had no room) in out.jsonl" in done.stdout
    assert not (tmp_path / "out.jsonl.parts").exists()


def test_tests_prove_what_is_kept_and_the_summary_says_so(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "tasks.jsonl", [clamp_task(i) for i in range(3)])
    done = momus("tasks.jsonl", "-o", "o/out.jsonl", "--per-task", "6", "--linter", "none", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    made = list(read_jsonl(tmp_path / "o" / "out.jsonl", Tamper))
    assert summary["kept"] == summary["proved"] == len(made) > 5
    assert summary["made"] == summary["kept"] + summary["survived"] + summary["duplicates"] == 18
    assert sum(counts.get("kept", 0) for counts in summary["by_operator"].values()) == len(made)
    assert {t.proof for t in made} == {"tests"}
    manifest = json.loads((tmp_path / "o" / "out.manifest.json").read_text())
    assert manifest["plan"]["seed"] == 0 and manifest["counts"]["kept"] == len(made)
    assert list(manifest["inputs"]) == ["tasks.jsonl"] and len(manifest["inputs"]["tasks.jsonl"]) == 64


def test_the_development_form_is_read_too(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "question": "q", "answer": clamp_task(0).answer, "problem": "p", "split": "dev", "tests": "clamp"},
        {"id": "a", "question": "q", "buggy": "x = 1\n", "fixed": clamp_task(1).answer, "bug_lines": [1]},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n" + "\n".join(map(json.dumps, rows)))
    tasks = read_tasks([path], seed=0)
    assert [(t.id, t.group, t.answer) for t in tasks] == [
        ("a", "p", clamp_task(0).answer),
        ("a#2", None, clamp_task(1).answer),
    ]


def test_tasks_of_one_folder_are_grouped_by_file_and_function(tmp_path: Path) -> None:
    for name in ("shop", "bank"):
        (tmp_path / f"{name}.py").write_text(FILE)
    tasks = read_tasks([tmp_path], seed=0)
    assert len(tasks) > 2 and len({task.group for task in tasks}) == len(tasks), "not one group, which has no interval"
    assert all(task.group in task.id for task in tasks if task.group is not None)


def test_functions_of_a_corpus_are_read_too(tmp_path: Path) -> None:
    from momus.tamper.files import functions_in

    (tmp_path / "shop.py").write_text(FILE)
    functions = functions_in(tmp_path / "shop.py")
    write_jsonl(tmp_path / "functions.jsonl", functions)
    assert [t.answer for t in read_tasks([tmp_path / "functions.jsonl"], seed=0)] == [
        t.answer for t in read_tasks([tmp_path / "shop.py"], seed=0)
    ]


def test_several_bugs_and_chosen_operators(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "tasks.jsonl", [clamp_task(0, None)])
    arguments = ("tasks.jsonl", "--bugs", "2", "--per-task", "3", "--operators", "boundary-comparison, wrong-return")
    assert momus(*arguments, "-o", "out.jsonl", "--linter", "none", cwd=tmp_path).returncode == 0
    made = list(read_jsonl(tmp_path / "out.jsonl", Tamper))
    assert made and all(len(t.bugs) == 2 for t in made)
    assert {b.operator for t in made for b in t.bugs} <= {"boundary-comparison", "wrong-return"}


def test_a_finished_file_is_left_alone_and_another_run_is_refused(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "tasks.jsonl", [clamp_task(i, None) for i in range(3)])
    first = momus("tasks.jsonl", "-o", "out.jsonl", cwd=tmp_path)
    content, changed = (tmp_path / "out.jsonl").read_bytes(), (tmp_path / "out.jsonl").stat().st_mtime_ns
    again = momus("tasks.jsonl", "-o", "out.jsonl", "--jobs", "1", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert (tmp_path / "out.jsonl").stat().st_mtime_ns == changed
    other = momus("tasks.jsonl", "-o", "out.jsonl", "--seed", "1", cwd=tmp_path)
    assert other.returncode == 2 and "from other settings or inputs" in other.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == content
    write_jsonl(tmp_path / "tasks.jsonl", [clamp_task(9, None)])
    assert momus("tasks.jsonl", "-o", "out.jsonl", cwd=tmp_path).returncode == 2


def test_a_stopped_run_goes_on_and_ends_in_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "SHARD", 4)
    tasks = [clamp_task(i, None) for i in range(18)]
    done: list[int] = []

    def stopping(shards: Sequence[int]) -> object:
        for number in shards:
            if number == 3:
                raise KeyboardInterrupt
            yield number

    def watching(shards: Sequence[int]) -> object:
        for number in shards:
            before = (tmp_path / "b.jsonl.parts" / f"{number:06d}.json").exists()
            yield number
            if not before:
                done.append(number)

    tamper_all(tasks, tmp_path / "a.jsonl", QUICK, inputs={})
    with pytest.raises(KeyboardInterrupt):
        tamper_all(tasks, tmp_path / "b.jsonl", QUICK, inputs={}, watch=stopping)  # type: ignore[arg-type]
    assert not (tmp_path / "b.jsonl").exists()
    with pytest.raises(MomusError, match="other settings"):
        tamper_all(tasks[:9], tmp_path / "b.jsonl", QUICK, inputs={})
    tamper_all(tasks, tmp_path / "b.jsonl", QUICK, inputs={}, watch=watching)  # type: ignore[arg-type]
    assert done == [3, 4]
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_a_run_killed_before_its_manifest_stands_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*arguments: object) -> None:
        raise KeyboardInterrupt

    tasks = [clamp_task(i, None) for i in range(6)]
    out = tmp_path / "a.jsonl"
    with monkeypatch.context() as patched:
        patched.setattr(job, "write_manifest", kill)
        with pytest.raises(KeyboardInterrupt):
            tamper_all(tasks, out, QUICK, inputs={})
    written = out.read_bytes()
    counts = tamper_all(tasks, out, QUICK, inputs={})
    assert out.read_bytes() == written and counts.tasks == 6
    assert tamper_all(tasks, out, QUICK, inputs={}) == counts and not (tmp_path / "a.jsonl.parts").exists()


def test_the_same_answer_is_written_once(tmp_path: Path) -> None:
    tasks = [clamp_task(0, None).model_copy(update={"id": str(i)}) for i in range(60)]
    counts = tamper_all(tasks, tmp_path / "out.jsonl", QUICK, inputs={})
    made = list(read_jsonl(tmp_path / "out.jsonl", Tamper))
    assert len({code_key(t.task.answer) for t in made}) == len(made) == counts.kept
    assert counts.duplicates == counts.made - counts.kept > 0


def test_an_interrupt_keeps_what_is_done(tmp_path: Path) -> None:
    slow = "import time; time.sleep(2)\nassert clamp(5, 1, 3) == 3\n"
    tasks = [clamp_task(i, None if i < 64 else slow) for i in range(68)]
    write_jsonl(tmp_path / "tasks.jsonl", tasks)
    command = [sys.executable, "-m", "momus", "tamper", "tasks.jsonl", "-o", "out.jsonl", "--linter", "none"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = tmp_path / "out.jsonl.parts" / "000000.json"
    deadline = time.monotonic() + 30
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "what is done is kept in out.jsonl.parts" in said and "Traceback" not in said
    assert first.exists() and not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.py",), "missing.py is not there"),
        (("broken.py",), "broken.py can't be read as Python"),
        (("latin.py",), "latin.py can't be read as Python"),
        (("notes.txt",), "neither Python nor JSONL"),
        (("bad.jsonl",), "bad.jsonl:1: not JSON"),
        (("empty",), "nothing to tamper with"),
        (("empty.jsonl",), "nothing to tamper with"),
        (("shop.py", "--operators", "nope"), "no bug operator 'nope'"),
        (("shop.py", "--linter", "flake9"), "no linter 'flake9'"),
        (("shop.py", "--bugs", "0"), "--bugs"),
        (("shop.py", "-o", "/proc/nowhere/out.jsonl"), "can't write /proc/nowhere/out.jsonl"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FILE)
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "bad.jsonl").write_text("{no\n")
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "empty").mkdir()
    done = momus("-o", "out.jsonl", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.jsonl").exists()
