"""`momus review` as a person or a script runs it: exit codes, streams, files written."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


class Ran:
    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.code = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()


def environment(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MOMUS_", "GITHUB_"))}
    return {**kept, "HOME": str(folder / "home"), "MOMUS_CACHE_DIR": str(folder / "home" / "cache"), "NO_COLOR": "1"}


def momus(folder: Path, *arguments: str, stdin: bytes = b"") -> Ran:
    command = [sys.executable, "-m", "momus", "review", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(folder), input=stdin, capture_output=True, check=False)
    ran = Ran(done)
    assert "Traceback" not in ran.err, ran.err
    return ran


EVERY = ("--critic", "everything")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\ny = 2\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a.py", "--critic", "empty"), 0),
        (("a.py", *EVERY), 1),
        (("a.py", *EVERY, "--exit-zero"), 0),
        (("a.py", *EVERY, "--fail-on", "medium"), 0),
        (("a.py", *EVERY, "--fail-on", "never"), 0),
        (("a.py", "gone.py", "--critic", "empty"), 2),
        (("a.py", "gone.py", *EVERY, "--exit-zero"), 2),
        (("a.py", "--critic", "nobody"), 2),
        (("a.py", "--fail-on", "severe"), 2),
        (("a.py", "--no-such-option"), 2),
        (("a.py", *EVERY, "-o", "none/x.json"), 2),
        (("a.py", *EVERY, "--config", "sed=1"), 2),
        (("a.py", "--diff", "main", "--staged"), 2),
        (("--staged", *EVERY), 2),
        (("a.py", *EVERY, "--baseline", "none.json"), 2),
        (("--patch", "none.patch", *EVERY), 2),
    ],
)
def test_exit_codes(work: Path, arguments: tuple[str, ...], code: int):
    ran = momus(work, *arguments)
    assert ran.code == code, ran.err
    if code == 2 and "gone.py" not in arguments:
        assert ran.out == ""
        assert len(ran.err.strip().splitlines()[-1]) > 10


def test_what_could_not_be_reviewed_is_named_beside_the_findings_of_the_rest(work: Path):
    (work / "bad.py").write_bytes(b"x = '\xff'\n")
    ran = momus(work, *EVERY, "--output-format", "concise")
    assert ran.code == 2
    assert "a.py:1:1" in ran.out
    assert "not UTF-8" in ran.out + ran.err


def test_an_empty_folder_is_said_and_no_failure(work: Path):
    (work / "docs").mkdir()
    ran = momus(work, "docs", *EVERY)
    assert ran.code == 0
    assert "no Python to review under docs" in ran.err


def test_standard_input_has_the_name_it_is_given(work: Path):
    ran = momus(work, "-", "--stdin-filename", "sub/new.py", *EVERY, "--json", stdin=b"z = 3\n")
    assert ran.code == 1
    assert "sub/new.py" in ran.out
    json.loads(ran.out)


def test_output_goes_to_a_file_and_quiet_says_nothing_where_there_is_nothing(work: Path):
    ran = momus(work, "a.py", *EVERY, "--output-format", "jsonl", "-o", "out.jsonl")
    assert (ran.code, ran.out) == (1, "")
    assert all(json.loads(line) for line in (work / "out.jsonl").read_text().splitlines())
    ran = momus(work, "a.py", "--critic", "empty", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_broken_patch_is_one_sentence(work: Path):
    (work / "p.patch").write_text("--- a/a.py\n+++ b/a.py\n@@ -1,5 +1,5 @@\n x = 1\n")
    ran = momus(work, "--patch", "p.patch", *EVERY)
    assert ran.code == 2
    assert ran.err == "momus: the patch breaks off in the hunk of line 3: save it whole\n"
    ran = momus(
        work,
        "--patch",
        "-",
        *EVERY,
        "--format",
        "concise",
        stdin=b"--- a/a.py\n+++ b/a.py\n@@ -2 +2 @@\n-y = 1\n+y = 2\n",
    )
    assert ran.code == 1


def test_a_baseline_is_written_and_then_hides_what_it_knows(work: Path):
    known = ("--baseline", "known.json", *EVERY)
    assert momus(work, "a.py", *known, "--write-baseline").code == 0
    assert momus(work, "a.py", *known).code == 0
    (work / "a.py").write_text("new = 0\nx = 1\ny = 2\n")
    ran = momus(work, "a.py", *known, "--format", "concise")
    assert ran.code == 1
    assert "a.py:1:1" in ran.out
    assert "a.py:2:1" not in ran.out


def test_ignore_comments_are_written_and_then_hold(work: Path):
    assert momus(work, "a.py", *EVERY, "--add-ignore").code == 0
    assert (work / "a.py").read_text() == "x = 1  # momus: ignore[other]\ny = 2  # momus: ignore[other]\n"
    assert momus(work, "a.py", *EVERY).code == 0


def test_settings_files_units_and_what_would_be_done_can_be_shown(work: Path):
    (work / "momus.toml").write_text("max-findings = 3\nexclude = ['old/']\n")
    (work / "old").mkdir()
    (work / "old" / "b.py").write_text("x = 1\n")
    ran = momus(work, "--show-settings")
    assert f"max-findings = 3  # {work / 'momus.toml'}" in ran.out
    assert "seed = 0  # default" in ran.out
    assert momus(work, "--show-files").out == "a.py\n"
    ran = momus(work, "--dry-run", *EVERY)
    assert ran.out == "a.py: 1 unit\n  1-2  <module>  (2 lines)\n"


def test_the_nearest_settings_decide_what_a_file_fails_on(work: Path):
    (work / "lax").mkdir()
    (work / "lax" / "momus.toml").write_text("fail-on = 'never'\n")
    (work / "lax" / "b.py").write_text("x = 1\n")
    assert momus(work, "lax", *EVERY).code == 0
    assert momus(work, "lax", "a.py", *EVERY).code == 1
    assert momus(work, "lax", *EVERY, "--isolated").code == 1


def test_suggestions_are_a_patch_and_nothing_else(work: Path):
    pytest.importorskip("ruff")
    ran = momus(work, "a.py", *EVERY, "--suggest")
    assert (ran.code, ran.out) == (1, "")  # this critic suggests nothing


def test_real_linters_see_the_whole_file(work: Path):
    pytest.importorskip("ruff")
    (work / "a.py").write_text("import os\nimport sys\n\n\ndef f():\n    return os.sep + nowhere\n")
    ran = momus(work, "a.py", "--critic", "linter:ruff", "--json")
    found = [(f["unit"], f["category"]) for f in _findings(json.loads(ran.out))]
    assert found == [("<module>", "unused"), ("f", "undefined-name")]


def _findings(body: object) -> list[dict[str, str]]:
    """Every finding in a JSON report, wherever it stands."""
    if isinstance(body, list):
        return [finding for part in body for finding in _findings(part)]
    if isinstance(body, dict):
        return [body] if "fingerprint" in body else [f for part in body.values() for f in _findings(part)]
    return []


def test_ctrl_c_keeps_what_is_done_and_is_never_zero(work: Path):
    for n in range(40):
        (work / f"f{n:02}.py").write_text("x = 1\n")
    slow = (
        "import sys, time\n"
        "from momus.critics import trivial\n"
        "whole = trivial.Everything.critique\n"
        "def critique(self, tasks, *, n=1, seed):\n"
        "    for done in whole(self, tasks, n=n, seed=seed):\n"
        "        print('one', file=sys.stderr, flush=True)\n"
        "        time.sleep(0.2)\n"
        "        yield done\n"
        "trivial.Everything.critique = critique\n"
        "from momus.cli import main\n"
        "sys.argv = ['momus', 'review', '--critic', 'everything', '--format', 'concise', '--no-cache']\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow],
        cwd=work,
        env=environment(work),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    for _ in range(3):
        process.stderr.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"a.py:1:1" in out
    assert b"of 41 files reviewed" in err
    assert b"Traceback" not in err


NO_MODEL = "momus: no model here: `momus model get` (1.1 GB), or `--critic examples`\n"


def test_without_weights_the_default_critic_names_two_ways_on_and_fetches_nothing(work: Path):
    ran = momus(work, "a.py")
    assert (ran.code, ran.out, ran.err) == (2, "", NO_MODEL)
    (work / "docs").mkdir()
    ran = momus(work, "docs")
    assert ran.code == 0, "where there is nothing to review, no model is missed"
    ran = momus(work, "--dry-run")
    assert ran.code == 0 and "a.py: " in ran.out, "to show the units, none is loaded"


def test_at_a_terminal_the_default_model_is_offered_with_its_size_and_may_be_declined(work: Path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "momus", "review", "a.py"],
        cwd=work,
        env=environment(work),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while not said.endswith(b"[Y/n]: "):
        said += os.read(ours, 1024)
    assert b"No model is here yet. Fetch qwen2.5-coder-1.5b (1.1 GB, Apache-2.0)?" in said
    os.write(ours, b"n\n")
    out, _ = process.communicate(timeout=60)
    said = os.read(ours, 4096)
    os.close(ours)
    assert (process.returncode, out) == (2, b"")
    assert NO_MODEL.strip().encode() in said
    assert not list((work / "cache").rglob("*.gguf"))


def test_at_a_terminal_a_bar_counts_the_units_and_into_a_pipe_nothing_is_drawn(work: Path):
    command = [sys.executable, "-m", "momus", "review", ".", *EVERY]
    ours, theirs = pty.openpty()
    drawn = subprocess.run(command, cwd=work, env=environment(work), stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    assert b"Reviewing" in os.read(ours, 100_000)
    os.close(ours)
    piped = subprocess.run(command, cwd=work, env=environment(work), capture_output=True)
    assert drawn.stdout == piped.stdout and piped.stderr == b""


def test_a_machine_without_openvino_is_told_what_still_works(work: Path):
    code = "import sys; sys.modules['openvino'] = None; from momus.cli import main; main()"
    for critic in ("auto", "local:qwen2.5-coder-1.5b"):
        command = [sys.executable, "-c", code, "review", "a.py", "--critic", critic]
        done = subprocess.run(command, cwd=work, env=environment(work), capture_output=True, text=True)
        assert done.returncode == 2 and "needs the package openvino" in done.stderr, done.stderr
        assert "examples, the linters and server:MODEL@URL work without it" in done.stderr


def test_blind_spots_are_of_a_critic_that_has_a_card(work: Path):
    ran = momus(work, "--blind-spots")
    assert ran.code == 2
    assert ran.err == "momus: the critic auto has no blind-spot card: name one that has, --critic bundled\n"


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nsys.argv = ['momus', 'review', '--help']\nfrom momus.cli import main\ntry:\n    main()\nfinally:\n"
    )
    code += "    print(sorted({'pydantic', 'rich', 'numpy', 'onnxruntime', 'pathspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.stdout.endswith("[]\n")
    assert "Example: momus review" in done.stdout
