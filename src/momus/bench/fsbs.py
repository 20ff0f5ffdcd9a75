"""Searching: FSBS on the bundled runtime, against the same search by Hugging Face's `generate` on the same weights.

The weights are random, so that the figures are about the runtime: 28 critiques, each round adds 60 tokens to each, of
which a quote takes 15. The reward model is of the same size. Each contestant runs in a process of its own, on one
thread. Run as a module, it is one contestant.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from momus.bench import Goal, Outcome, Say
from momus.bench.decode import prepare
from momus.bench.process import measure
from momus.bench.random_weights import ARCH_44M
from momus.critics.fsbs import PAPER, SearchSettings, search
from momus.critique import Comment, Critique, Span, TextMap
from momus.errors import MissingExtra
from momus.models.arch import Arch
from momus.models.protocol import Branch, Drawn, Prompt, ScoreSession, Session, Written
from momus.models.quote import QuoteSpace
from momus.models.reward import BundledScorer
from momus.models.runtime import Runtime
from momus.models.session import TokenBackend, TokenSession

N, K, ROUNDS = PAPER.n, PAPER.k, PAPER.rounds
PROMPT, TOKENS = 600, 60
LINES, LINE_TOKENS = 40, 13  # a quote: its line's marker, which is a choice, then tokens that are not
SPEED_GOAL, BOUND_GOAL, BEST_OF_GOAL, REWARD_GOAL = 6.0, 1.10, 2.0, 35.0
RUNS = 3  # of ours, of which the one with the fewest CPU-seconds counts
OURS, BOUND, BEST_OF, PEER = "fsbs", "decoding alone", "best of 28", "Hugging Face generate, float32"
_SELF = [sys.executable, "-m", "momus.bench.fsbs"]
_ANSWER = "".join(f"line_{n}\n" for n in range(1, LINES + 1))


def bench(*, seed: int = 0, say: Say = lambda line: None, arch: Arch = ARCH_44M) -> Outcome:
    """Time every contestant. Raises MissingExtra without torch, transformers, onnx and onnxruntime."""
    for package in ("torch", "transformers", "safetensors", "onnx", "onnxruntime"):
        if find_spec(package) is None:
            raise MissingExtra("the bench of searching against Hugging Face", "train")
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="momus-bench-") as name:
        say("writing random weights")
        prepare(arch, Path(name), seed, ("hf", "8"))
        for contestant in (OURS, BOUND, BEST_OF, PEER):
            say(f"searching: {contestant}")
            used = measure([*_SELF, contestant, name, str(seed)])
            found[contestant] = {**json.loads(used.stdout.splitlines()[-1]), "peak_mb": round(used.peak_mb, 1)}
    ours, peer = found[OURS], found[PEER]
    alone = ours["cpu_s"] - ours["reward_cpu_s"]
    goals = [
        Goal("FSBS, times as fast as Hugging Face", _round(peer["cpu_s"] / ours["cpu_s"]), "at least", SPEED_GOAL, "x"),
        Goal(
            "both without reward model, times as fast",
            _round((peer["cpu_s"] - peer["reward_cpu_s"]) / alone),
            "at least",
            SPEED_GOAL,
            "x",
        ),
        Goal(
            "without reward model, of decoding alone", _round(alone / found[BOUND]["cpu_s"]), "at most", BOUND_GOAL, "x"
        ),
        Goal(
            "without reward model, of best of 28", _round(alone / found[BEST_OF]["cpu_s"]), "at most", BEST_OF_GOAL, "x"
        ),
        Goal(
            "the reward model's share", _round(100 * ours["reward_cpu_s"] / ours["cpu_s"]), "at most", REWARD_GOAL, "%"
        ),
        Goal("critiques the same, one by one or together", ours["same"], "at least", 100.0, "%"),
    ]
    figures = {
        "work": {
            "prompt_tokens": PROMPT,
            "candidates": PAPER.candidates,
            "tokens_each_round": TOKENS,
            "quote_tokens": LINE_TOKENS + 2,
        },
        "arch": arch.to_dict(),
        "parameters": arch.parameters,
        "contestants": found,
    }
    return Outcome("fsbs", goals, figures, ("numpy", "onnxruntime", "torch", "transformers"))


def _round(value: float) -> float:
    return round(value, 3)


class Codec:
    """Random weights speak no language: prompts and quotes are drawn tokens, and nothing ends a critique."""

    pad, end = 3, -1
    open, close = 0, 1
    opener: tuple[int, ...] = (0,)
    _markers = 100

    def __init__(self, vocab: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._prompt: list[int] = rng.integers(200, vocab, PROMPT).tolist()
        self._lines: list[list[int]] = rng.integers(200, vocab, (LINES, LINE_TOKENS - 1)).tolist()

    def quote_line(self, number: int, text: str) -> list[int]:
        return [self._markers + number, *self._lines[number - 1]]

    def ask(self, prompt: Prompt) -> list[int]:
        return self._prompt

    def write(self, comments: Sequence[Comment], answer: TextMap) -> list[int]:
        return []

    def read(self, tokens: Sequence[int], answer: TextMap) -> Written:
        return Written(Critique((Comment(Span(0, 1), ""),) * list(tokens).count(self.open)), 0)

    def forced(self, tokens: Sequence[int], answer: TextMap) -> list[int]:
        return []

    def settled(self, tokens: Sequence[int]) -> int:
        return len(tokens)


class _Clocked:
    """A reward model's session, with the CPU-seconds that it takes."""

    def __init__(self, scorer: BundledScorer, prompt: Prompt) -> None:
        began = time.process_time()
        self._session: ScoreSession = scorer.open(prompt)
        self.cpu_s = time.process_time() - began

    def score(self, branches: Sequence[Branch]) -> list[float]:
        began = time.process_time()
        scores = self._session.score(branches)
        self.cpu_s += time.process_time() - began
        return scores

    def close(self) -> None:
        self._session.close()


class _Singly:
    """A session that samples its branches one at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.fork, self.crop, self.extend, self.close = session.fork, session.crop, session.extend, session.close

    def sample(self, branches: Sequence[Branch], **options: Any) -> list[Drawn]:
        return [self._session.sample([branch], **options)[0] for branch in branches]


def contest(contestant: str, folder: Path, seed: int) -> dict[str, Any]:
    """Load one contestant, warm it up, let it search: CPU-seconds, and the reward model's share of them."""
    arch = Arch.from_dict(json.loads((folder / "arch.json").read_text()))
    codec = Codec(arch.vocab, seed)
    head = np.random.default_rng(seed).standard_normal(arch.hidden).astype(np.float32)
    if contestant == PEER:
        return _hugging_face(folder, codec, head, seed)
    backend = TokenBackend(_runtime(folder, arch), codec)
    if contestant == OURS:
        return _fsbs(backend, BundledScorer(_runtime(folder, arch), codec, head), codec, seed)
    return _decoding(backend, codec, contestant == BEST_OF, seed)


def _runtime(folder: Path, arch: Arch) -> Runtime:
    from momus.models.onnx_backend import OnnxRuntime

    return OnnxRuntime(folder / "8", arch, json.loads((folder / "8" / "index.json").read_text()))


def _fsbs(backend: TokenBackend, scorer: BundledScorer, codec: Codec, seed: int) -> dict[str, Any]:
    prompt = Prompt("", _ANSWER)

    def once(wrap: Callable[[TokenSession], Session] = lambda session: session) -> tuple[list[Any], float, float]:
        began = time.process_time()
        session = backend.open_tokens(codec.ask(prompt))
        scores = _Clocked(scorer, prompt)
        quote = QuoteSpace(_ANSWER)
        settings = SearchSettings(max_tokens=TOKENS - 1, temperature=1.0)
        result = search(wrap(session), scores, _ANSWER, codec=codec, quote=quote, settings=settings, seed=seed)
        session.close()
        return [c.tokens for c in result.candidates], time.process_time() - began, scores.cpu_s

    runs = [once() for _ in range(RUNS)]
    singly = once(_Singly)[0]
    drawn, cpu, reward = min(runs, key=lambda run: run[1])
    same = sum(a == b for a, b in zip(drawn, singly, strict=True))
    drawn_tokens = sum(map(len, drawn))
    if len(drawn) != PAPER.candidates or drawn_tokens != TOKENS * (N + N * K * sum(range(2, ROUNDS + 1))):
        raise RuntimeError(f"the search wrote {len(drawn)} critiques of {drawn_tokens} tokens")
    return {"cpu_s": round(cpu, 3), "reward_cpu_s": round(reward, 3), "same": 100 * same / len(drawn)}


def _decoding(backend: TokenBackend, codec: Codec, best_of: bool, seed: int) -> dict[str, Any]:
    """The same numbers of tokens without opener, mask and scores: in the search's batches, or all at once."""

    def once() -> float:
        began = time.process_time()
        session = backend.open_tokens(codec.ask(Prompt("", _ANSWER)))
        options: dict[str, Any] = {"max_tokens": TOKENS, "temperature": 1.0, "stop": frozenset(), "quote": None}
        if best_of:
            session.sample(session.fork(None, PAPER.candidates), seed=seed, **options)
        else:
            batch = session.fork(None, N)
            for turn in range(ROUNDS):
                session.sample(batch, seed=seed, **options)
                if turn < ROUNDS - 1:
                    batch = session.fork(batch[:K], N)
        session.close()
        return time.process_time() - began

    return {"cpu_s": round(min(once() for _ in range(RUNS)), 3)}


def _hugging_face(folder: Path, codec: Codec, head: Any, seed: int) -> dict[str, Any]:
    """The same search as one would write it: `generate` for each round's survivors, a classifier for the scores."""
    import torch
    import transformers

    peer: Any = transformers  # only partly typed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = peer.Qwen3ForCausalLM.from_pretrained(folder / "hf", dtype=torch.float32).eval()
    reward = peer.Qwen3ForSequenceClassification.from_pretrained(folder / "hf", num_labels=1, dtype=torch.float32)
    reward.eval().config.pad_token_id = codec.pad
    with torch.no_grad():
        reward.score.weight.copy_(torch.from_numpy(head)[None])
    began, spent, drawn = time.process_time(), 0.0, 0
    survivors = torch.tensor([codec.ask(Prompt("", _ANSWER))])
    with torch.inference_mode():
        for _ in range(ROUNDS):
            ids = torch.cat([survivors, torch.full((len(survivors), 1), codec.open)], dim=1)
            config = peer.GenerationConfig(
                max_new_tokens=TOKENS - 1,
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
                num_return_sequences=N,
                pad_token_id=codec.pad,
            )
            written = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
            drawn += len(written)
            scoring = time.process_time()
            scores = reward(written, attention_mask=torch.ones_like(written), use_cache=False).logits[:, 0]
            spent += time.process_time() - scoring
            survivors = written[scores.topk(K).indices]
    cpu = time.process_time() - began
    if drawn != PAPER.candidates:
        raise RuntimeError(f"the peer wrote {drawn} critiques")
    return {"cpu_s": round(cpu, 3), "reward_cpu_s": round(spent, 3)}


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    print(json.dumps(contest(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
