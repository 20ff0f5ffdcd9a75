"""Inexact quotes find the place they mean, or none."""

from __future__ import annotations

import ast
import inspect
import json
import random
import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.models.quote import Anchor, QuoteSpace

ANSWER = 'def f(a, b):\n    if a == b:\n        return "same"\n    total = a + b\n    return total\n'


def found(quote: str, answer: str = ANSWER) -> tuple[str, str] | None:
    anchor = QuoteSpace(answer).anchor(quote)
    return None if anchor is None else (answer[anchor.start : anchor.end], anchor.method)


@pytest.mark.parametrize(
    ("quote", "text", "method"),
    [
        ("total = a + b", "total = a + b", "exact"),
        ("\n    total = a + b\n", "    total = a + b", "exact"),
        ("a == b", "a == b", "exact"),
        ("if a==b:", "if a == b:", "whitespace"),
        ("return “same”", 'return "same"', "whitespace"),
        ("if a == b:\nreturn 'same'", 'if a == b:\n        return "same"', "fuzzy"),
        ('if a == b:\nreturn "same"', 'if a == b:\n        return "same"', "whitespace"),
        ('RETURN "SAME"', 'return "same"', "case"),
        ("... total = a + b …", "total = a + b", "ellipsis"),
        ("…return…", None, None),
        ("totl = a + b", "total = a + b", "fuzzy"),
        ("x", None, None),
        ("", None, None),
        ("   ", None, None),
        ("...", None, None),
        ("while True:", None, None),
    ],
)
def test_the_first_method_that_finds_a_place_wins(quote: str, text: str | None, method: str | None) -> None:
    assert found(quote) == (None if text is None else (text, method))


def test_a_short_line_is_quoted_whole_but_a_short_piece_is_nowhere() -> None:
    assert found("x", "x\ny = x\n") == ("x", "exact")
    assert found("y", "x\ny = x\n") is None


def test_like_lines_that_are_not_unique_are_nowhere() -> None:
    answer = "value_1 = compute(1)\nvalue_2 = compute(2)\n"
    assert found("value_3 = compute(3)", answer) is None


@given(st.text(max_size=60), st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_an_anchor_is_always_inside_the_answer(answer: str, quote: str) -> None:
    anchor = QuoteSpace(answer).anchor(quote)
    assert anchor is None or 0 <= anchor.start < anchor.end <= len(answer)


@given(st.text(min_size=4, max_size=60), st.data())
@settings(max_examples=300, deadline=None)
def test_an_exact_quote_is_found_as_itself(answer: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(answer) - 1))
    end = data.draw(st.integers(start + 1, len(answer)))
    quote = answer[start:end]
    anchor = QuoteSpace(answer).anchor(quote)
    if sum(not c.isspace() for c in quote) >= 4:
        assert anchor is not None and anchor.method == "exact"
        assert answer[anchor.start : anchor.end].strip() == quote.strip()


# The table of noises that models make, on real code: what must come back right, and what may come back wrong.


def typo(line: str, rng: random.Random) -> str:
    place = rng.randrange(len(line))
    return line[:place] + rng.choice("abcdefgh_") + line[place + 1 :]


def dropped_word(line: str, rng: random.Random) -> str:
    words = line.split(" ")
    del words[rng.randrange(len(words))]
    return " ".join(words)


def ellipsis(line: str, rng: random.Random) -> str:
    return "..." + line[len(line) // 4 :] if rng.random() < 0.5 else line[: -len(line) // 4] + "..."


def curly(line: str, rng: random.Random) -> str:
    return line.replace("'", "’").replace('"', "“").replace(" = ", "=").replace(", ", ",  ")


NOISE: dict[str, tuple[Callable[[str, random.Random], str], float, float]] = {
    # noise -> (how, least share found right, greatest share found wrong)
    "dedent, spaces, curly quotes": (curly, 1.0, 0.0),
    "typo": (typo, 0.95, 0.01),
    "dropped word": (dropped_word, 0.85, 0.02),
    "ellipsis": (ellipsis, 0.90, 0.01),
}


def lines_of(module: object) -> tuple[str, list[tuple[int, str]]]:
    source = inspect.getsource(module)  # type: ignore[arg-type]
    source = "\n".join(source.split("\n")[:300])
    seen: dict[str, int] = {}
    for number, line in enumerate(source.split("\n")):
        key = "".join(line.split()).lower()
        seen[key] = -1 if key in seen else number
    lines = source.split("\n")
    kept = [(n, lines[n].strip()) for n in seen.values() if n >= 0 and len(lines[n].split()) > 3]
    return source, kept


@pytest.mark.parametrize("noise", NOISE)
def test_noise(noise: str) -> None:
    how, least_right, most_wrong = NOISE[noise]
    source, lines = lines_of(textwrap)
    space = QuoteSpace(source)
    rng = random.Random(7)
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    right = wrong = 0
    chosen = [rng.choice(lines) for _ in range(100)]
    for number, line in chosen:
        anchor = space.anchor(how(line, rng))
        if anchor is not None:
            on_line = starts[number] <= anchor.start and anchor.end < starts[number + 1]
            right += on_line
            wrong += not on_line
    assert right >= least_right * len(chosen)
    assert wrong <= most_wrong * len(chosen)


def test_invented_quotes_are_never_accepted() -> None:
    source, _ = lines_of(textwrap)
    space = QuoteSpace(source)
    rng = random.Random(3)
    own = {"".join(line.split()) for line in source.split("\n")}
    invented = [
        line
        for module in (ast, json, random)
        for _, line in lines_of(module)[1]
        if "".join(line.split()) not in own and "".join(line.split()) not in "".join(source.split())
    ]
    accepted: list[tuple[str, Anchor]] = []
    for line in rng.sample(invented, 150):
        if (anchor := space.anchor(line)) is not None:
            accepted.append((line, anchor))
    assert accepted == []
