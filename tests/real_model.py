"""A small real model for tests: SmolLM2-135M (98 MB), fetched once per machine into the user's cache of models."""

from __future__ import annotations

from pathlib import Path

import pytest

from momus.errors import MomusError
from momus.models.catalogue import known
from momus.models.fetch import get


class _Quiet:
    """Nobody watches: what could not be had stands in the error."""

    def say(self, line: str) -> None: ...

    def at(self, what: str, done: int, total: int) -> None: ...


def smollm2() -> Path:
    """The verified GGUF. However many processes ask, one fetches. Fails the test, with the reason, where none can."""
    try:
        return get(known("smollm2-135m"), _Quiet())
    except MomusError as error:
        pytest.fail(f"this test needs a real model: {error}", pytrace=False)
