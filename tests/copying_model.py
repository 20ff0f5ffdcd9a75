"""A model for `served.serving` that repeats the code of its request, with a change, and tells how sure it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from served import Answer


def words(text: str) -> list[str]:
    """Tokens of a text: words with the blanks before them."""
    found, at = [], 0
    for k in range(1, len(text) + 1):
        if k == len(text) or (text[k - 1].isspace() != text[k].isspace() and not text[k - 1].isspace()):
            found.append(text[at:k])
            at = k
    return found


def copying(change: Callable[[str], str] = str, *, fenced: bool = True) -> Callable[[dict[str, Any]], Any]:
    """A model that repeats the code of its request with a change, sure of all but what it has changed."""

    def model(body: dict[str, Any]) -> Answer:
        prompt = body["messages"][0]["content"]
        code = prompt.split("```python\n")[1].split("\n```")[0] + "\n"
        written = change(code)
        said = f"Here it is:\n```python\n{written}```\n" if fenced else written
        content = []
        for token in words(said):
            known = token in words(f"```python\n{code}```\n")
            others = [(token, -0.05 if known else -0.2), ("?", -4.0)]
            if not known:
                others.append((" -=", -2.6))
            content.append(
                {
                    "token": token,
                    "logprob": others[0][1],
                    "top_logprobs": [{"token": text, "logprob": p} for text, p in others],
                }
            )
        choice = {"message": {"content": said}, "finish_reason": "stop", "logprobs": {"content": content}}
        usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(content)}
        return Answer(200, json.dumps({"model": body["model"], "choices": [choice], "usage": usage}).encode())

    return model


def mend(code: str) -> str:
    return code.replace(" -= ", " += ")
