"""Which answers there are in a file, and which of them a critic can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from momus.audit.answers import code_or_text, for_critic, read_answers, reads_code_only
from momus.critics import CRITICS
from momus.errors import MomusError
from momus.records import Task, write_jsonl


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_every_usual_form_is_read(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "x = f(1)"}]
    path = write(
        tmp_path / "good.jsonl",
        {"id": "a", "question": "q", "answer": "def f():\n    return 1\n"},
        {"prompt": "Write a poem.", "response": "Roses are red."},
        {"prompt": chat[:1], "chosen": chat},
        {"instruction": "i", "output": "SELECT 1;", "language": "SQL", "problem": 7},
        {"question": "q", "answer": "def f():\n    return 1\n"},
        {"question": "blank", "answer": "  \n"},
    )
    found = read_answers([path])
    assert [t.language for t in found] == ["python", "text", "python", "sql"] and found[3].group == "7"
    assert found[0].id.startswith("a@") and found[1].id.startswith("good:2@") and found[2].answer == "x = f(1)"
    write_jsonl(tmp_path / "tasks.jsonl", [Task(id="t", question="q", answer="x = 1\n")])
    development = write(tmp_path / "dev.jsonl", {"id": "d", "question": "q", "buggy": "x = 2\n", "fixed": "x = 3\n"})
    assert [t.answer for t in read_answers([tmp_path / "tasks.jsonl", development])] == ["x = 1\n", "x = 3\n"]


def test_code_is_told_from_text() -> None:
    block = "Here:\n\n```python\ndef f(x):\n    y = x\n    return y\n```\nDone."
    assert code_or_text(block) == ("def f(x):\n    y = x\n    return y\n", "python")
    assert code_or_text(block.replace("python", "js"))[1] == "js"
    for prose in ("Yes", "It is 42.", "no, thanks", "Use a dict.", "word, another"):
        assert code_or_text(prose) == (prose, "text")
    mostly = "One.\nTwo.\nThree.\n\n```python\nx = 1\n```\n"
    assert code_or_text(mostly) == (mostly, "text")
    assert code_or_text("import os\nos.getcwd()\n")[1] == "python"


def test_a_critic_of_python_is_given_python_and_says_so_where_there_is_none() -> None:
    code, text = Task(id="c", question="", answer="x = 1"), Task(id="t", question="", answer="Hm.", language="text")
    assert for_critic([code, text], "bundled") == [code] and for_critic([code, text], "random") == [code, text]
    for critic in ("bundled", "bundled+fsbs", "auto", "local:x", "linter:ruff", "examples", "surprisal"):
        with pytest.raises(MomusError, match=r"reads Python only, and none of these 1 answers is: .*server:MODEL@URL"):
            for_critic([text], critic)
    anything = {name for name in CRITICS if not reads_code_only(name)}
    assert anything == {"random", "everything", "empty"} and not reads_code_only("server:m@http://x/v1")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["{"], r"good.jsonl:1: not JSON"),
        ([[1]], r"good.jsonl:1: no object"),
        ([{"question": "q", "answer": "x"}, {"question": "q"}], r"good.jsonl:2: none of answer, .* is a text"),
        ([{"question": "q", "answer": [{"role": "user"}]}], r"good.jsonl:1: none of answer"),
        ([], "there is no answer in"),
        ([{"question": "q", "answer": " "}], "there is no answer in"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, rows: list[Any], says: str) -> None:
    with pytest.raises(MomusError, match=says):
        read_answers([write(tmp_path / "good.jsonl", *rows)])
    with pytest.raises(MomusError, match="can't read"):
        read_answers([tmp_path / "none.jsonl"])
