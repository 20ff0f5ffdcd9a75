"""Answers that somebody rated good, of which every other one has a bug; and critiques of them in words of a model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

RIGHT, WRONG = "return total / len(prices)", "return total / len(prices) + 1"
PROSE_WRONG = "The Danube flows into the Baltic Sea."
_ANSWER = re.compile(r"## Answer\n\n(`{3,})\w*\n(?P<text>.*?)\n\1\n", re.DOTALL)


def is_wrong(answer: str) -> bool:
    return WRONG in answer or PROSE_WRONG in answer


def code(n: int, wrong: bool) -> str:
    body = f"    total = sum(prices) + {n} - {n}\n    {WRONG if wrong else RIGHT}\n"
    return f"def mean_{n}(prices):\n{body}"


def prose(n: int, wrong: bool) -> str:
    end = PROSE_WRONG if wrong else "The Danube flows into the Black Sea."
    return f"Rivers of Europe, part {n}.\nThe Rhine rises in the Alps.\n{end}"


def write_good(path: Path, count: int, *, prose_too: bool = False) -> Path:
    rows = [{"id": f"c{n}", "question": "The mean price.", "answer": code(n, n % 2 == 0)} for n in range(count)]
    if prose_too:
        rows += [{"prompt": f"Where do rivers end? {n}", "response": prose(n, n % 2 == 0)} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def reviewer(body: dict[str, Any]) -> str:
    """A model that sees what is wrong with an answer, and finds fault with half of the others as well."""
    match = _ANSWER.search(body["messages"][-1]["content"])
    if match is None:  # asked what it can do, or whether a claim is true
        return "TRUE"
    text = match["text"]
    for quote in (WRONG, PROSE_WRONG):
        if quote in text:
            return f"```text other high\n{quote}\n```\nThis is wrong.\n"
    first = text.splitlines()[0]
    return f"```text other medium\n{first}\n```\nI doubt this.\n" if len(text) % 2 else "No problems found.\n"
