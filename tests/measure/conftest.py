from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for planted.py: test modules are imported by path

from planted import make_tamper

from momus.records import Tamper


@pytest.fixture
def tampers() -> list[Tamper]:
    return [make_tamper(i) for i in range(4)]
