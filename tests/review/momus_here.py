"""`momus` as the command line runs it, in this process, with a home of its own: many runs must be quick."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

WHO = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ALL = ("--critic", "everything", "--no-cache")  # a comment on each line that holds code


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def momus(
    folder: Path, *arguments: str, given: bytes = b"", terminal: bool = False, **variables: str
) -> tuple[int, str, str]:
    """The exit code and what came out on standard output and standard error."""
    from momus.cli import main

    kind = _Terminal if terminal else io.TextIOWrapper
    out, err = (kind(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("MOMUS_", "GITHUB_", "GIT_", "CI_")) or name in ("FORCE_COLOR", "NO_COLOR"):
                patch.delenv(name)
        own = {"HOME": str(folder.parent / "home"), "XDG_CONFIG_HOME": str(folder.parent / "xdg")}
        for name, value in {**WHO, **own, **variables}.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["momus", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            main()
    said, told = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err))  # type: ignore[attr-defined]
    assert "a defect" not in told and "Traceback" not in told, told
    return int(str(ended.value.code or 0)), said, told
