"""Imports OpenVINO, without its telemetry: the package reports its own import to Google Analytics where it can."""

from __future__ import annotations

import sys
from typing import Any

from momus.errors import MomusError

# `openvino` imports its converters where they can be imported, and they send an event as they are. Nothing else in it
# sends anything, and nothing here converts with them.
_SENDS = "openvino.tools.ovc"


def openvino() -> Any:
    """The package `openvino`. Raises MomusError where it is missing, as on platforms that it has no wheel for."""
    unseen = object()
    before = sys.modules.get(_SENDS, unseen)
    if before is unseen:
        sys.modules[_SENDS] = None  # type: ignore[assignment]  # Python's own way to say that it can't be imported
    try:
        import openvino
    except ImportError as error:
        raise MomusError(
            "a model on this machine needs the package openvino, which has no wheel for every platform; "
            "--critic examples, the linters and server:MODEL@URL work without it"
        ) from error
    finally:
        if before is unseen:
            del sys.modules[_SENDS]
    return openvino
