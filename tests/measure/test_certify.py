"""How many honest answers are certified: the count, and who is not and why."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from momus.cli.measure import command
from momus.errors import MomusError
from momus.sandbox import why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason="no sandbox here")


def lines(path: Path, *bodies: dict[str, str]) -> str:
    path.write_text("".join(json.dumps({"question": "", "problem": "p", **body}) + "\n" for body in bodies))
    return str(path)


def test_honest_answers_are_counted_and_the_others_named(tmp_path: Path) -> None:
    good, forged, wrong = (
        "def f(x):\n    return math.floor(x) + 1\n",
        "import sys\ndef f(x): return x\nsys.exit()\n",
        "def f(x):\n    return x\n",
    )
    answers = [{"id": str(n), "answer": answer} for n, answer in enumerate((good, forged, wrong))]
    answers.append({"id": "elsewhere", "answer": good, "problem": "other"})
    named = lines(tmp_path / "answers.jsonl", *answers)
    tests = lines(tmp_path / "tests.jsonl", {"id": "q", "answer": good, "tests": "assert f(1) == 2\n"})
    output = tmp_path / "out.json"
    ran = CliRunner().invoke(command, ["certify", named, "--tests", tests, "--timeout", "60", "-o", str(output)])
    assert ran.exit_code == 0, ran.output
    assert ran.output.splitlines()[-1] == "1 of 3 answers certified (33.3%)"
    assert "1: not certifiable: " in ran.output and "2: failed: " in ran.output
    told = json.loads(output.read_text())
    assert (told["n"], told["certified"]) == (3, 1)
    assert [(other["id"], other["status"]) for other in told["others"]] == [("1", "uncertain"), ("2", "failed")]


def test_answers_without_tests_of_their_problem_are_a_sentence(tmp_path: Path) -> None:
    named = lines(tmp_path / "answers.jsonl", {"id": "a", "answer": "x = 1\n", "problem": "other"})
    tests = lines(tmp_path / "tests.jsonl", {"id": "q", "answer": "x = 1\n", "tests": "assert x\n"})
    ran = CliRunner().invoke(command, ["certify", named, "--tests", tests])
    assert isinstance(ran.exception, MomusError) and "name other files" in str(ran.exception)
