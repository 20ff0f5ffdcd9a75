"""The real linters on small texts: what they see, where exactly, and that they never run the code."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from momus.critique import TextMap
from momus.errors import MissingExtra, MomusError
from momus.linters import NAMES, LintWarning, available, run, run_many
from momus.linters.tools import LINTERS

EACH = pytest.mark.parametrize("name", NAMES)

# One fault that each linter sees, and the text that it points at.
SEEN = {
    "ruff": ("F821", "undefined_name"),
    "pylint": ("E0602:undefined-variable", "undefined_name"),
    "pyright": ("reportUndefinedVariable", "undefined_name"),
    "mypy": ("name-defined", "undefined_name"),
    "bandit": ("B307:blacklist", "eval('1')"),
}
CLEAN = '"""A module."""\n\n\ndef double(x: int) -> int:\n    """Twice x."""\n    return x + x\n'


def faulty(prefix: str = "") -> str:
    return f"def f():\n    x = \"{prefix}\"; y = undefined_name; z = eval('1')\n    return x, y, z\n"


def quoted(warning: LintWarning, code: str) -> str:
    text = TextMap(code)
    assert warning.end_line is not None and warning.end_column is not None
    return code[text.offset(warning.line, warning.column) : text.offset(warning.end_line, warning.end_column)]


def the(name: str, warnings: list[LintWarning]) -> LintWarning:
    return next(w for w in warnings if w.rule == SEEN[name][0])


def test_all_five_are_installed_for_the_tests() -> None:
    assert available() == list(NAMES)


PREFIXES = ("", "é", "😀", "e\u0301😀ß\t")
BROKEN = "x = 1\ny = 2\ndef broken(:\n    pass\n"
MISSING = "import no_such_package_anywhere as n\n\nprint(n)\n"
TEXTS = (CLEAN, BROKEN, *(faulty(p) for p in PREFIXES), "", "\n\n" + faulty(), MISSING, CLEAN)


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, list[LintWarning]]]:
    """Every linter on all the texts, in one go."""
    return {name: dict(zip(TEXTS, run_many(name, TEXTS), strict=True)) for name in NAMES}


Found = dict[str, dict[str, list[LintWarning]]]


@EACH
def test_a_fault_is_found_where_it_stands(name: str, found: Found) -> None:
    warning = the(name, found[name][faulty()])
    assert warning.line == 2 and warning.message and "\n" not in warning.message
    assert quoted(warning, faulty()) == SEEN[name][1]


@pytest.mark.parametrize("prefix", PREFIXES[1:])
@pytest.mark.parametrize("name", [n for n in NAMES if n != "mypy"])
def test_columns_are_code_points_whatever_the_linter_counts(name: str, prefix: str, found: Found) -> None:
    code = faulty(prefix)
    assert quoted(the(name, found[name][code]), code) == SEEN[name][1]


def test_mypy_names_only_the_line_where_its_columns_cannot_be_trusted(found: Found) -> None:
    warning = the("mypy", found["mypy"][faulty("😀")])
    assert (warning.line, warning.column, warning.end_column) == (2, 5, None)


@EACH
@pytest.mark.parametrize("code", [CLEAN, "", MISSING], ids=["clean", "empty", "an import that is not installed"])
def test_there_is_no_warning_without_a_fault(name: str, code: str, found: Found) -> None:
    assert found[name][code] == []


@EACH
def test_a_syntax_error_is_a_warning_on_its_line_and_hides_no_other_text(name: str, found: Found) -> None:
    broken = found[name][BROKEN]
    assert [w.severity for w in broken if w.line == 3][:1] == ["high"]
    assert not any(w.rule == SEEN[name][0] for w in broken)
    assert the(name, found[name]["\n\n" + faulty()]).line == 4


@pytest.mark.parametrize("name", ["ruff", "mypy"])
def test_one_text_alone_is_judged_as_among_many(name: str, found: Found) -> None:
    assert run(name, faulty()) == found[name][faulty()]


@EACH
def test_the_code_is_never_run(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    touch = f"open({str(mark)!r}, 'w').close()"
    code = f"{touch}\nimport momus_answer_1\n# mypy: plugins=momus_answer_1\n# pylint: load-plugins=momus_answer_1\n"
    run_many(name, [code, touch + "\ndef plugin(version): return object\ndef register(linter): pass\n"])
    assert not mark.exists()


@pytest.mark.parametrize("name", ["pylint", "mypy", "bandit"])
def test_a_file_named_like_a_module_of_the_linter_is_not_imported(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    run(name, f"open({str(mark)!r}, 'w').close()\n", "json.py")
    assert not mark.exists()


@EACH
def test_configuration_of_the_folder_is_not_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything_off = {
        "ruff.toml": 'lint.select = ["D"]\n',
        ".pylintrc": "[MAIN]\ndisable=all\n[MESSAGES CONTROL]\ndisable=all\n",
        "mypy.ini": "[mypy]\nignore_errors = True\n",
        "pyrightconfig.json": '{"reportUndefinedVariable": false}',
        ".bandit": "[bandit]\nskips = B307\n",
        "pyproject.toml": "[tool.mypy]\nignore_errors = true\n",
    }
    for file, content in everything_off.items():
        (tmp_path / file).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYLINTRC", str(tmp_path / ".pylintrc"))
    monkeypatch.setenv("MYPYPATH", str(tmp_path))
    monkeypatch.setenv("RUFF_CONFIG", str(tmp_path / "ruff.toml"))
    assert the(name, run(name, faulty()))


@EACH
def test_a_crash_is_an_error_and_never_an_empty_list(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    tool = tmp_path / name
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    for script in ("kill -9 $$", "echo oops >&2; exit 77", "echo Traceback", "echo '{\"a\": 1}'; exit 0", "exit 1"):
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        with pytest.raises(MomusError, match=name):
            run(name, faulty())


def test_an_absent_linter_names_the_optional_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert available() == []
    with pytest.raises(MissingExtra, match=r"momus\[linters\]"):
        run("ruff", CLEAN)


def test_an_unknown_linter_is_named_with_the_known_ones() -> None:
    with pytest.raises(MomusError, match="choose one of ruff"):
        run("flake9", CLEAN)


def test_stubs_are_read_as_stubs() -> None:
    assert run("ruff", "def f(x: int = ...) -> int: ...\n", "answer.pyi") == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_positions_lie_within_any_text(code: str) -> None:
    text = TextMap(code)
    for warning in run("ruff", code):
        assert text.line_column(text.offset(warning.line, warning.column)) == (warning.line, warning.column)


def test_where_this_home_lies_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read goes into files of results, which others read."""

    def crash(output: str, texts: object) -> None:
        raise ValueError("see /home/somebody/.cache/crash.txt")

    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setitem(LINTERS, "ruff", replace(LINTERS["ruff"], read=crash))
    with pytest.raises(MomusError, match="can't be read") as caught:
        run("ruff", CLEAN)
    assert "~/.cache/crash.txt" in str(caught.value) and "somebody" not in str(caught.value)
