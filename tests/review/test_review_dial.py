"""The dial on the command line and in settings: what it sets, and what is said where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.errors import MomusError
from momus.review.config import Config, ConfigError, Settings
from momus.review.run import open_named


def settings(folder: Path, toml: str = "", **options: object) -> Settings:
    (folder / "momus.toml").write_text(toml)
    return Config(options=options, environment={"HOME": str(folder / "home")}).near(folder)


class Opened:
    """What was asked of `open_critic`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.options: dict[str, object] = {}

        def note(name: str, **options: object) -> None:
            self.options = {"name": name, **options}

        monkeypatch.setattr("momus.critics.open_critic", note)


def test_the_dial_reaches_the_critic_only_where_it_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Opened(monkeypatch)
    for toml, expected in (
        ("", {}),
        ("dial = 25", {"dial": 25}),
        ("max-spurious = 0.5", {"max_spurious": 0.5}),
        ("dial = 10\nmax-spurious = 2", {"max_spurious": 2.0}),
    ):
        found = settings(tmp_path, toml)
        open_named(found.critic, found)
        assert opened.options == {"name": "auto", **expected}


@pytest.mark.parametrize("line", ["dial = 60", "dial = true", "dial = '50'", "max-spurious = -1", "max-spurious = nan"])
def test_impossible_settings_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=line.partition(" ")[0]):
        settings(tmp_path, line)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    from momus.cli import main

    monkeypatch.setattr("sys.argv", ["momus", "review", *arguments])
    with pytest.raises(SystemExit) as exited:
        main()
    assert isinstance(exited.value.code, int)
    return exited.value.code, capsys.readouterr().err


def test_the_command_line_dials_and_refuses_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("x = 1\n")
    for arguments, said in (
        (("--dial", "50", "--max-spurious", "1"), "set the same thing"),
        (("--dial", "51"), "'dial' in --dial takes one of 10, 25, 50, 75"),
        (("--critic", "empty", "--dial", "50"), "the critic empty takes no option 'dial'"),
        (("--critic", "linter:ruff", "--max-spurious", "1"), "takes no option 'max_spurious'"),
    ):
        code, error = run(monkeypatch, capsys, "a.py", *arguments)
        assert code == 2 and said in error and error.count("\n") == 1


def test_a_dial_given_beats_a_promise_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "momus.toml").write_text("max-spurious = 1.5\n")
    opened = Opened(monkeypatch)

    def stop(*_: object, **__: object) -> None:
        raise MomusError("enough")

    monkeypatch.setattr("momus.review.run.Cache", stop)
    monkeypatch.setattr("momus.review.run.Reviewer", stop)
    (tmp_path / "a.py").write_text("x = 1\n")
    searches = ("a.py", "--critic", "bundled+fsbs")
    run(monkeypatch, capsys, *searches, "--dial", "25")
    assert opened.options == {"name": "bundled+fsbs", "dial": 25}
    run(monkeypatch, capsys, *searches)
    assert opened.options == {"name": "bundled+fsbs", "max_spurious": 1.5}
