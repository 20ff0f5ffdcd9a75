"""What a repository's names, code and settings say reaches no terminal and no log as a command, in any output."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from momus_here import ALL, WHO, momus

from momus.cli import saying
from momus.review.output import FORMATS
from momus.review.output.visible import HIDDEN

ESCAPE, C1, BIDI = "\x1b[31m\x1b]0;owned\x07", "\x9b31m", "\u202e\u2066"
COMMANDS = ("::stop-commands::x", "::error file=a::owned", "##[error]owned", "##vso[task.complete]x", "##teamcity[x]")
TEXTS = (ESCAPE, C1, BIDI, *COMMANDS, "\u200b\u00ad", "\U000e0041")
NAMES = [f"{text.replace('/', '')}.py" for text in TEXTS] + ["a\n::error::owned.py", "b\r::error::x.py", "c\u2028.py"]
SGR = re.compile(r"\x1b\[[\d;]*m")
OURS = re.compile(r"::(error|warning|notice) (file|title)=")  # what it is to do; the runner reads the line no further
BAR = re.compile(r"\x1b\[\??[\d;]*[A-Za-z]|\r")  # how a bar moves


def harmless(said: str, *, own_commands: bool = False, colour: bool = False) -> None:
    """Nothing in it drives a terminal or commands a service; of colours and commands only our own."""
    said = SGR.sub("", said) if colour else said
    hidden = HIDDEN.search(said)
    assert hidden is None, ascii(said[max(0, hidden.start() - 60) : hidden.end() + 60])
    stopped = False
    for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", said):
        bare = line.strip()
        if own_commands and bare.startswith("::stop-commands::"):
            stopped = True
        elif own_commands and re.fullmatch(r"::[0-9a-f]{64}::", bare):
            stopped = False
        elif bare.startswith("::") and not stopped:
            assert own_commands and OURS.match(bare), ascii(line)
        assert not re.search(r"##\w*\[", line) or stopped or (own_commands and OURS.match(bare)), ascii(line)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], env={**os.environ, **WHO}, check=True, capture_output=True)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in whose names, code, comments, settings and cells all of it stands."""
    root = tmp_path_factory.mktemp("hostile") / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m1")
    code = "".join(f"x = {text!a}  # {text}\n{text}\n" if text in COMMANDS else f"x = 1  # {text}\n" for text in TEXTS)
    for name in NAMES:
        (root / name).write_text(f"# momus: ignore[{BIDI}{ESCAPE}] {ESCAPE}\n{code}")
    (root / "parsed.py").write_text("".join(f"x = 1  # {text}\n" for text in TEXTS))
    (root / "left.py").write_text(f"# momus: ignore-file {ESCAPE}{C1}{BIDI} ##[error]x\n")
    (root / "string.py").write_text('"""\n' + "\n".join(COMMANDS) + '\n"""\nx = 1\n')
    cell = {"cell_type": "code", "id": ESCAPE + "\n::error::x", "source": "".join(f"x = 1 # {t}\n" for t in TEXTS)}
    for name, language in (("n", "python"), ("r", f"{ESCAPE}\n::error::x")):
        told = {"cells": [cell], "metadata": {"language_info": {"name": language}}, "nbformat": 4}
        (root / f"{name}.ipynb").write_text(json.dumps(told))
    (root / "broken.ipynb").write_text(f'{{"{ESCAPE}')
    (root / f"{BIDI}link.py").symlink_to("/etc/hostname")
    (root / "latin\udce9.py").write_text("x = 1\n")
    git(root, "add", "-A")
    return root


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_every_way_to_review(hostile: Path, form: str) -> None:
    own = form == "github"
    for way in ((), ("--staged",)):
        code, out, err = momus(hostile, "review", *ALL, *way, "--max-findings", "3", "--output-format", form)
        assert code == 2 and out.strip()
        harmless(out, own_commands=own)
        harmless(err)


@pytest.mark.parametrize("form", ["text", "concise"])
def test_on_a_terminal_and_in_a_log_with_colours(hostile: Path, form: str) -> None:
    for variables in ({}, {"FORCE_COLOR": "1"}):
        _, out, err = momus(hostile, "review", *ALL, "--output-format", form, terminal=not variables, **variables)
        assert SGR.search(out)
        harmless(out, colour=True)
        harmless(BAR.sub("", err))


def test_a_step_summary_and_what_does_not_fit_into_annotations(hostile: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    _, out, _ = momus(hostile, "review", *ALL, "--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert "::stop-commands::" in out
    harmless(out, own_commands=True)
    harmless(summary.read_text())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--show-files",),
        ("--dry-run",),
        ("--show-settings",),
        ("--add-ignore",),
        ("--suggest",),
        ("--write-baseline", "--baseline", "k.json"),
        ("--patch", "p.patch"),
        *((name,) for name in NAMES),
        *((f"gone/{name}",) for name in NAMES[:4]),
        *(("--diff", text) for text in TEXTS),
        *(("--baseline", f"{text}.json") for text in TEXTS[:4]),
        *(("-o", f"{text}/x") for text in TEXTS[:4]),
        *(("--config", f"{text}=1") for text in TEXTS),
        *(("--config", f"fail-on={text}") for text in TEXTS[:4]),
        *(("--output-format", text) for text in TEXTS[:4]),
        *(("--stdin-filename", text) for text in TEXTS[:3]),
        *((f"--{text}",) for text in TEXTS),
    ],
    ids=ascii,
)
def test_messages_errors_and_lists(hostile: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    root = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(hostile), str(root)], check=True)
    patch = subprocess.run(["git", "diff", "--cached"], cwd=root, capture_output=True, check=True).stdout
    (root / "p.patch").write_bytes(patch.replace(b"+x", b"+y"))
    code, out, err = momus(root, "review", *ALL, *arguments)
    assert code in (0, 1, 2)
    harmless(out)
    harmless(err)


@pytest.mark.parametrize(
    "line",
    ['"{}" = 1', 'critic = "{}"', 'fail-on = "{}"', 'exclude = "{}"', 'ignore = ["{}"]', 'baseline = "{}"', "{}"],
)
@pytest.mark.parametrize("text", [ESCAPE, BIDI, "\n::error::x", "##[error]x"], ids=ascii)
def test_what_settings_say(tmp_path: Path, line: str, text: str) -> None:
    root = tmp_path / "repo" / f"s{text.replace('/', '')}"
    root.mkdir(parents=True)
    written = json.dumps(text)[1:-1] if line != "{}" else text
    (root / "momus.toml").write_text(line.format(written))
    (root / "a.py").write_text("x = 1\n")
    for arguments in (("--no-cache",), ("--show-settings",)):
        _, out, err = momus(root, "review", *arguments)
        harmless(out)
        harmless(err)


def test_other_verbs_say_nothing_raw(hostile: Path, tmp_path: Path) -> None:
    for verb in (("tamper", "-o", "t.jsonl", "--no-run-tests", "--linter", "none"), ("critique", "-o", "c.jsonl")):
        for name in (NAMES[0], NAMES[-3], "gone" + ESCAPE, "a\n::error::x"):
            _, out, err = momus(hostile, *verb, name)
            harmless(out)
            harmless(err)
    for verb in TEXTS:
        harmless(momus(tmp_path, verb)[2])


def test_no_verb_writes_to_standard_error_by_itself() -> None:
    """All that is said goes through momus.cli.saying, which spells out what it quotes."""
    folder = Path(saying.__file__).parent
    found = []
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            raw = isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.stderr.write"
            printed = isinstance(node, ast.Call) and any(
                word.arg == "file" and ast.unparse(word.value) == "sys.stderr" for word in node.keywords
            )
            if (raw or printed) and path.name not in ("saying.py", "__init__.py"):
                found.append(f"{path.name}:{node.lineno}")
    assert folder.name == "cli" and found == []
