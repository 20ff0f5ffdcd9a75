"""Errors meant for the person at the keyboard: one clear sentence that names the mend. Everything else is a defect."""

from __future__ import annotations


class MomusError(Exception):
    """Something the user can mend. The command line prints the sentence, without a traceback, and exits with 2."""


class MissingExtra(MomusError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the optional part '{extra}': pip install 'momus[{extra}]'")
