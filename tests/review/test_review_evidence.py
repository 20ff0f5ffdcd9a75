"""`momus review` and evidence: where inputs are cheap by itself, everywhere with --prove, nowhere with --no-run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from momus.badges import BADGES, Evidence
from momus.critique import Comment, Critique, Span
from momus.records import Sampled, Task
from momus.review.config import Config, ConfigError
from momus.review.finding import Finding, Report
from momus.review.output import FORMATS, Options
from momus.review.run import review

CODE = '''
def clamp(x: int, high: int) -> int:
    """Keep x below high.

    >>> clamp(5, 3)
    3
    """
    return min(x, high + 1)


def stored(path):
    with open(path) as file:
        return len(file.read()) + 1
'''


class Suggests:
    """Says of each `+ 1` that it is one too many."""

    name = "suggests"
    cut = "unit"
    version = "1"

    def __init__(self, runs: bool = True) -> None:
        self.runs = runs
        self.asked = 0

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            self.asked += 1
            at = task.answer.find(" + 1")
            found = Comment(Span(at, at + 4), "One too many.", "off-by-one", suggestion="") if at >= 0 else None
            yield Sampled(task_id=task.id, critic=self.name, critique=Critique((found,) if found else ()))


def badges(folder: Path, critic: Suggests, **options: object) -> list[str | None]:
    config = Config(options=options, environment={"HOME": str(folder / "home")})
    found: list[Finding] = list(review([folder / "app.py"], critic=critic, config=config, root=folder))
    return [one.comment.evidence.badge if one.comment.evidence else None for one in found]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "caches"))
    (tmp_path / "app.py").write_text(CODE)
    return tmp_path


def test_by_itself_where_inputs_are_cheap_and_everywhere_with_prove(folder: Path) -> None:
    critic = Suggests()
    assert badges(folder, critic) == ["proved", None]
    assert badges(folder, critic) == ["proved", None]  # from the cache
    assert critic.asked == 2
    assert badges(folder, critic, prove=True) == ["proved", "not-run"]
    assert critic.asked == 2  # another kind of evidence asks the critic nothing
    assert badges(folder, critic, run=False) == [None, None]


def test_a_critic_that_runs_nothing_runs_nothing_unless_asked(folder: Path) -> None:
    assert badges(folder, Suggests(runs=False), cache=False) == [None, None]
    assert badges(folder, Suggests(runs=False), cache=False, prove=True) == ["proved", "not-run"]


def test_a_repository_can_turn_it_off_and_never_on(folder: Path) -> None:
    (folder / "momus.toml").write_text("run = false\n")
    assert badges(folder, Suggests(), prove=True) == [None, None]
    (folder / "momus.toml").write_text("prove = true\n")
    with pytest.raises(ConfigError, match="never on"):
        badges(folder, Suggests())


def shown(evidence: Evidence, name: str) -> str:
    comment = Comment(Span(4, 9), "Wrong.", suggestion="g", evidence=evidence)
    finding = Finding("a.py", comment.highlight, comment, "c", "0" * 32, "f", "clamp", 1, 5, 1, 10)
    from momus.review.finding import FileReport

    return FORMATS[name](Report((FileReport("a.py", "def clamp(x):\n    return x\n", (finding,)),)), Options())


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("badge", BADGES)
def test_every_format_shows_every_badge(name: str, badge: str) -> None:
    evidence = Evidence(badge, "clamp(5)", "4", "3", "3", "the docstring", 40, 7, "it says so")  # type: ignore[arg-type]
    written = shown(evidence, name)
    if name in ("json", "jsonl"):
        assert f'"badge": "{badge}"' in written
    elif name == "concise":
        assert f"[{evidence.title}]" in written
    else:
        assert evidence.title in written.lower()
        if badge not in ("no-difference", "not-run"):
            assert "5" in written.partition("clamp")[2] and "3" in written


def test_evidence_is_inert_whatever_it_quotes() -> None:
    hostile = "\x1b[31m<script>::error::\u202e`f`](x)"
    evidence = Evidence("differs", f"f({hostile!r})", hostile, hostile + "2")
    for name in FORMATS:
        written = shown(evidence, name)
        assert "\x1b" not in written and "\u202e" not in written, name
    assert "<script>" not in shown(evidence, "html")
    assert json.loads(shown(evidence, "json"))["files"][0]["findings"][0]["evidence"]["got"] == hostile
    assert replace(evidence, inputs=1).text.startswith("Differs: ")
