"""Texts and JSON from outside: what no database, file or browser can hold is refused where it comes in.

JSON may spell half of a surrogate pair (`"\\ud800"`), which is no character: nothing that has one can be written as
UTF-8. And it may nest without end, which whoever writes it out again can't follow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse

from momus.decode import TooDeep, from_json
from momus.desk.problems import Problem, invalid, wrong

DEEPEST = 64  # levels of lists and objects: a form has seven
_HALF = re.compile("[\ud800-\udfff]")
_INSTEAD = "\ufffd"


class NotJson(ValueError):
    """These bytes are no JSON."""


def read_json(raw: bytes | str) -> Any:
    """JSON as Python's. Raises NotJson on bytes that are none, TooDeep on what nobody could read, Problem 422 on half a
    surrogate pair or on nesting deeper than `DEEPEST`."""
    try:
        data = from_json(raw)
    except TooDeep:
        raise
    except ValueError:  # of JSON and of UTF-8
        raise NotJson("that is no JSON") from None
    check(data)
    return data


def check(data: Any) -> None:
    """Raises Problem 422 where JSON that was read holds half a surrogate pair, or nests too deep."""
    for path, text in _texts(data):
        if _HALF.search(text):
            raise invalid(
                wrong(
                    whole(path),
                    "surrogate",
                    "A text holds half of a surrogate pair, which is no character: take it out.",
                )
            )


def suspect(raw: bytes) -> bool:
    """Whether JSON might not pass `check`; most of it is seen not to be without reading it."""
    return b"\\u" in raw or b"\xed" in raw or raw.count(b"[") + raw.count(b"{") > DEEPEST


def whole(text: str) -> str:
    """A text that can be written as UTF-8: half a pair becomes U+FFFD, so that positions stay true."""
    return _HALF.sub(_INSTEAD, text)


class SoundJson(JSONResponse):
    """JSON that can always be sent, whatever was stored before texts were checked where they come in."""

    def render(self, content: Any) -> bytes:
        return whole(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))).encode()


def too_deep() -> Problem:
    return invalid(wrong("", "too-deep", f"The JSON is nested deeper than {DEEPEST} levels: flatten it."))


def _texts(data: Any) -> Iterator[tuple[str, str]]:
    """Every text in JSON, keys as well, with a pointer to it. Raises Problem 422 on nesting that is too deep."""
    waiting: list[tuple[str, Any, int]] = [("", data, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, str):
            yield path, value
            continue
        if not isinstance(value, dict | list):
            continue
        if depth == DEEPEST:
            raise too_deep()
        if isinstance(value, dict):
            for key, inner in value.items():
                yield path, key
                waiting.append((f"{path}/{key}", inner, depth + 1))
        else:
            waiting += [(f"{path}/{i}", inner, depth + 1) for i, inner in enumerate(value)]
