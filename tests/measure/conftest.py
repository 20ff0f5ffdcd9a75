from __future__ import annotations

import pytest
from planted import make_tamper

from momus.records import Tamper


@pytest.fixture
def tampers() -> list[Tamper]:
    return [make_tamper(i) for i in range(4)]
