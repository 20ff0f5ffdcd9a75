"""Quote masks: what they cost to build and a token, and whether every quote is exact, over real and odd answers."""

from __future__ import annotations

import random
import re
import statistics
import sysconfig
import time
from pathlib import Path
from typing import Any, Literal

from momus.bench import Goal, Outcome, Say
from momus.errors import MomusError
from momus.models.quote import DONE, QuoteSpace

LINES = 300
WALKS = 400
FUZZ = 400
TOKEN_GOAL_US, BUILD_GOAL_MS = 20.0, 50.0
MODES: tuple[Literal["lines", "substring"], ...] = ("lines", "substring")


class Pieces:
    """A vocabulary of short pieces of text, numbered as they are met: about four characters a token."""

    open, close = 0, 1
    _piece = re.compile(r" ?[A-Za-z]{1,6}|\d{1,3}|\s+|.", re.DOTALL)

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._pieces: list[str] = []

    def encode(self, text: str) -> list[int]:
        ids = []
        for piece in self._piece.findall(text):
            if piece not in self._ids:
                self._ids[piece] = len(self._pieces) + 2
                self._pieces.append(piece)
            ids.append(self._ids[piece])
        return ids

    def decode(self, ids: list[int]) -> str:
        return "".join(self._pieces[i - 2] for i in ids)

    def quote_line(self, number: int, text: str) -> list[int]:
        return self.encode(text)


def bundled_vocabulary() -> Any:
    """The bundle's tokenizer, without line numbers (which end at the longest window); None where there is no bundle."""
    from momus.corpus.tokenizer import Tokenizer

    path = Path(__file__).parent.parent / "bundle" / "tokenizer.json"
    if not path.is_file():
        return None
    tokenizer = Tokenizer.load(path)

    class Bundled:
        open, close = tokenizer.id("<|quote|>"), tokenizer.id("<|/quote|>")

        def encode(self, text: str) -> list[int]:
            return tokenizer.encode(text)

        def decode(self, ids: list[int]) -> str:
            return tokenizer.decode(ids)

        def quote_line(self, number: int, text: str) -> list[int]:
            return tokenizer.encode(text)

    return Bundled()


def bench(*, seed: int = 0, say: Say = lambda line: None) -> Outcome:
    """Build masks over 300 lines of the standard library, walk through them, and fuzz odd answers."""
    answer = _real_answer()
    figures: dict[str, Any] = {}
    goals: list[Goal] = []
    for mode in MODES:
        say(f"masks of {mode}")
        vocabulary = bundled_vocabulary() or Pieces()
        builds = []
        for _ in range(7):
            began = time.process_time()
            masker = QuoteSpace(answer, mode).masker(vocabulary)
            builds.append((time.process_time() - began) * 1e3)
        rng = random.Random(seed)
        tokens, spent = 0, 0.0
        for _ in range(WALKS):
            # choosing is the model's work: only the masker's calls are timed, the first use of each state included
            state, length = masker.start(), 0
            while state != DONE and length < 200:
                began = time.process_time()
                allowed = masker.allowed(state)
                spent += time.process_time() - began
                token = int(allowed[rng.randrange(len(allowed))])
                began = time.process_time()
                state = masker.advance(state, token)
                spent += time.process_time() - began
                length += 1
            tokens += length
        clock = _clock_cost() * 2
        per_token = max(0.0, spent / tokens - clock) * 1e6
        exact, walked = _fuzz(mode, seed)
        figures[mode] = {
            "vocabulary": "bundle" if bundled_vocabulary() else "pieces",
            "build_ms_first": round(builds[0], 2),
            "build_ms_median": round(statistics.median(builds), 2),
            "us_per_token": round(per_token, 2),
            "tokens_walked": tokens,
            "fuzz_quotes": walked,
            "fuzz_exact": exact,
        }
        goals += [
            Goal(
                f"{mode}: build for {LINES} lines, the first time", round(builds[0], 2), "at most", BUILD_GOAL_MS, "ms"
            ),
            Goal(f"{mode}: a token", round(per_token, 2), "at most", TOKEN_GOAL_US, "us"),
            Goal(f"{mode}: exact quotes over fuzzed answers", 100 * exact / walked, "at least", 100.0, "%"),
        ]
    return Outcome("quote", goals, {"answer_lines": LINES, "answer_characters": len(answer), **figures}, ("numpy",))


def _clock_cost() -> float:
    began = time.process_time()
    for _ in range(10_000):
        time.process_time()
    return (time.process_time() - began) / 10_000


def _real_answer() -> str:
    path = Path(sysconfig.get_paths()["stdlib"]) / "argparse.py"
    if not path.is_file():
        raise MomusError("the bench of quotes reads the standard library's argparse.py; use a Python that ships it")
    lines = path.read_text(encoding="utf-8").split("\n")
    return "\n".join(lines[200 : 200 + LINES]) + "\n"


def _fuzz(mode: Literal["lines", "substring"], seed: int) -> tuple[int, int]:
    """How many of so many random quotes of odd answers are exact."""
    rng = random.Random(seed + 1)
    alphabet = [*"ab \t`'\"\\{}[]()#é½…😀\u0301\u2028\x0c", "\n", "\r\n", "\n\n", "```", "return x\n", "    "]
    exact = walked = 0
    while walked < FUZZ:
        answer = "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 120)))
        vocabulary = Pieces()
        masker = QuoteSpace(answer, mode).masker(vocabulary)
        if not len(masker.allowed(masker.start())):
            continue
        state, tokens = masker.start(), []
        while state != DONE:
            allowed = masker.allowed(state)
            tokens.append(int(allowed[rng.randrange(len(allowed))]))
            state = masker.advance(state, tokens[-1])
        walked += 1
        span = masker.locate(tokens[:-1])
        quote = vocabulary.decode(tokens[:-1])
        exact += span is not None and span.of(answer) == quote and quote in answer
    return exact, walked
