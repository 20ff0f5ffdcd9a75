"""A review by a served model: what it costs is bounded, said, and paid once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from copying_model import copying, mend
from momus.cli import cli
from momus.models.chat import KEY
from served import serving

FUNCTION = "def total{n}(xs):\n    s = {n}\n    for x in xs:\n        s -= x\n    return s\n\n\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One whose last change touches 400 functions."""
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "repo"
    root.mkdir()
    monkeypatch.chdir(root)
    for words in (["init", "-q", "-b", "main"], ["config", "user.email", "a@b"], ["config", "user.name", "a"]):
        subprocess.run(["git", *words], check=True)
    (root / "a.py").write_text("")
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", "commit", "-qm", "empty"], check=True)
    (root / "a.py").write_text("".join(FUNCTION.format(n=n) for n in range(400)))
    return root


def review(*words: object) -> Result:
    return CliRunner().invoke(cli, ["review", "--isolated", *map(str, words)], standalone_mode=False)


def test_a_diff_of_400_functions_stays_within_the_budget_and_says_what_was_left_out(repo: Path) -> None:
    with serving({"m": copying(mend)}) as served:
        critic = f"server:m@{served.url}"
        asked = ["--diff", "HEAD", "--critic", critic, "--max-findings", 0, "--fail-on", "never"]
        first = review(*asked, "--budget-tokens", 3000)
        requests = len(served.requests)
        assert first.return_value == 2 and 5 < requests < 40, first.output
        assert "was not reviewed: the budget of 3,000 tokens is used up" in first.output
        left = int(first.output.split("(and ")[1].split(" more parts")[0]) + 1
        reviewed = requests - 1  # one to try the server out
        assert left == 400 - reviewed
        account = next(line for line in first.output.splitlines() if "rewrite: " in line)
        read, written = (int(count.replace(",", "")) for count in _counts(account))
        assert read + written <= 3000 and f"{left} not sent, as the budget is used up" in account
        again = review(*asked, "--budget-tokens", 3000)
        assert len(served.requests) - requests == requests, "what was answered before is not asked again"
        assert int(again.output.split("(and ")[1].split(" more parts")[0]) + 1 == left - reviewed


def _counts(account: str) -> tuple[str, str]:
    parts = account.split("requests, ")[1]
    return parts.split(" tokens read")[0], parts.split(" and ")[1].split(" written")[0]


def test_what_it_took_is_said_after_each_review(repo: Path) -> None:
    (repo / "b.py").write_text(FUNCTION.format(n=1))
    with serving({"m": copying(mend)}) as served:
        done = review("b.py", "--critic", f"server:m@{served.url}", "--prices", "1,2")
    assert done.return_value == 1 and "rewrite: 2 requests, " in done.output and " written, $0.00" in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--budget-tokens", 0], "a budget of 0 tokens lets nothing be asked"),
        (["--budget-dollars", 0, "--prices", "1,1"], "a budget of $0 lets nothing be asked"),
        (["--budget-dollars", 1], "a budget of money needs prices"),
        (["--prices", "cheap"], "are no prices"),
    ],
)
def test_a_budget_that_makes_no_sense_is_one_sentence_and_asks_nothing(
    repo: Path, words: list[object], sentence: str
) -> None:
    with serving({"m": copying(mend)}) as served:
        done = review("a.py", "--critic", f"server:m@{served.url}", *words)
        assert done.exception is not None and sentence in str(done.exception)
        assert not served.requests


def test_a_key_or_a_budget_in_a_repositorys_settings_is_refused(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    for line in ("api-key = 'sk-1'", "MOMUS_API_KEY = 'sk-1'", "budget-tokens = 100000000"):
        (repo / "momus.toml").write_text(line + "\n")
        with serving({"m": copying(mend)}) as served:
            done = CliRunner().invoke(
                cli, ["review", "a.py", "--critic", f"server:m@{served.url}"], standalone_mode=False
            )
            assert done.exception is not None and "may not set" in str(done.exception)
            assert "sk-1" not in str(done.exception) and not served.requests


def test_what_would_be_asked_can_be_seen_without_asking(repo: Path) -> None:
    with serving({"m": copying(mend)}) as served:
        shown = review("a.py", "--critic", f"server:m@{served.url}", "--dry-run")
        assert shown.return_value == 0 and "400 units" in shown.output and not served.requests
