"""Reads JSON and TOML that came from a file, a program or a server: nested too deeply is bad input like any other.

The parsers of the standard library call themselves for each level, and end in a RecursionError, which nobody expects of
bad input. Here it is an error that says what is wrong, and a ValueError, as the parsers raise for all else.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

from momus.errors import MomusError


class TooDeep(MomusError, ValueError):
    """A text whose brackets stand inside of each other deeper than any that was written for Momus."""

    def __init__(self) -> None:
        super().__init__("it is nested too deeply to be read")


def from_json(text: str | bytes) -> Any:
    """The value that a JSON text holds. Raises ValueError where it is not JSON, TooDeep among them."""
    try:
        return json.loads(text)
    except RecursionError:
        raise TooDeep from None


def from_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError where it is not TOML, TooDeep among them."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TooDeep from None
