"""A linter's warnings as comments: anchored, classed, the gravest first."""

from __future__ import annotations

import pytest

from momus.critics import linter as linter_module
from momus.critics import open_critic
from momus.critics.linter import LinterCritic, category_of, to_critique
from momus.critique import CATEGORIES, TextMap
from momus.errors import MissingExtra, MomusError
from momus.linters import LintWarning, available
from momus.records import Task

UNDEFINED = 'def f(x):\n    é = "😀"; return yy\n'


def warn(
    line: int, column: int, end: tuple[int, int] | None, rule: str = "F821", severity: str = "medium"
) -> LintWarning:
    end_line, end_column = end if end is not None else (None, None)
    return LintWarning(line, column, end_line, end_column, rule, "Undefined name", severity)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", available())
def test_each_linter_finds_an_undefined_name_where_it_stands(name: str) -> None:
    code = (
        "def f(x):\n    return yy\n" if name != "bandit" else "import subprocess\nsubprocess.call('ls', shell=True)\n"
    )
    (sampled,) = open_critic(f"linter:{name}").critique([Task(id="t", question="", answer=code)], seed=0)
    assert sampled.error is None
    category, line = ("security", 2) if name == "bandit" else ("undefined-name", 2)
    found = [c for c in sampled.critique if c.category == category]
    assert any(TextMap(code).lines(c.highlight)[0] == line for c in found)
    if name != "bandit":
        assert found[0].highlight.of(code).endswith("yy")


def test_columns_are_code_points_even_after_an_emoji() -> None:
    (sampled,) = open_critic("linter:ruff").critique([Task(id="t", question="", answer=UNDEFINED)], seed=0)
    assert [c.highlight.of(UNDEFINED) for c in sampled.critique if c.category == "undefined-name"] == ["yy"]


def test_clean_code_is_met_with_silence_and_broken_code_with_syntax() -> None:
    codes = ["x = 1\n", "def f(:\n    pass\n", "", "x = 2\n"]
    tasks = [Task(id=str(i), question="", answer=code) for i, code in enumerate(codes)]
    found = list(open_critic("linter:ruff").critique(tasks, n=2, seed=0))
    assert [(s.task_id, s.i) for s in found] == [(str(i), j) for i in range(4) for j in range(2)]
    assert [len(s.critique) for s in found[::2]] == [0, len(found[2].critique), 0, 0]
    assert {c.category for c in found[2].critique} == {"syntax"}


def test_the_gravest_stands_first_and_a_repeated_one_once() -> None:
    text = TextMap("a = b\nc = d\n")
    critique = to_critique(
        [warn(1, 5, (1, 6), severity="low"), warn(2, 5, (2, 6), severity="high"), warn(2, 5, (2, 6), severity="high")],
        text,
    )
    assert [(c.highlight.of(text.text), c.severity) for c in critique] == [("d", "high"), ("b", "low")]
    assert critique.comments[0].text == "Undefined name [F821]"


@pytest.mark.parametrize(
    ("warning", "quote"),
    [
        (warn(1, 5, None), "b"),
        (warn(1, 99, None), "a = b"),
        (warn(2, 1, None), "a = b"),  # a blank line: the code before it
        (warn(99, 1, None), "c = d"),
        (warn(1, 1, (3, 6)), "a = b\n\nc = d"),
        (warn(3, 5, (3, 5)), "c = d"),
    ],
)
def test_a_warning_without_a_proper_range_points_at_its_line(warning: LintWarning, quote: str) -> None:
    text = TextMap("a = b\n\nc = d\n")
    assert [c.highlight.of(text.text) for c in to_critique([warning], text)] == [quote]


def test_a_warning_about_no_code_at_all_is_no_comment() -> None:
    assert len(to_critique([warn(1, 1, None)], TextMap("\n\n"))) == 0


def test_a_text_that_breaks_the_linter_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real = linter_module.run_many

    def breaks(name: str, codes: list[str]) -> list[list[LintWarning]]:
        if any("crash" in code for code in codes):
            raise MomusError("ruff failed with exit code 2")
        return real(name, codes)

    monkeypatch.setattr(linter_module, "run_many", breaks)
    codes = ["x = 1\n", "y = q\n", "crash = 1\n", "z = q\n"]
    found = list(LinterCritic("ruff").critique([Task(id=c, question="", answer=c) for c in codes], seed=0))
    assert [s.error for s in found] == [None, None, "ruff failed with exit code 2", None]
    assert [len(s.critique) for s in found] == [0, 1, 0, 1]


def test_a_linter_that_is_unknown_or_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MomusError, match="there is no linter 'flake9': choose one of ruff"):
        LinterCritic("flake9")
    monkeypatch.setattr(linter_module, "available", lambda: ["ruff"])
    with pytest.raises(MissingExtra, match=r"pip install 'momus\[linters\]'"):
        LinterCritic("mypy")


def test_rules_are_classed_in_the_closed_list() -> None:
    assert category_of("E0602:undefined-variable") == "undefined-name"
    assert category_of("F841") == "unused"
    assert category_of("reportUnusedCoroutine") == "missing-await"
    assert category_of("B602:subprocess_popen_with_shell_equals_true") == "security"
    assert category_of("B006") == category_of("W0102:dangerous-default-value") == "mutable-default"
    assert category_of("XYZ999") == "other"
    assert all(category in CATEGORIES for _, category in linter_module._CATEGORIES)
