"""A training step on the CPU, forward and backward, with the trainer's attention and with those it could have had.

The model is as large as the bundled one and its weights are random: the figure is about the step. The peers are torch's
fused attention (`sdpa`) under the same loss, and Hugging Face's own loss, which computes the logits of every position.
All go through the same batches, in turn, on one thread.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from momus.bench import Goal, Outcome, Say
from momus.errors import MissingExtra

if TYPE_CHECKING:
    from momus.train.batches import Batch

OURS, FUSED, PEER = "Momus", "Momus, sdpa", "Hugging Face's loss, its attention"
ARCH = {"hidden": 192, "layers": 8, "heads": 3, "kv_heads": 1, "ffn": 512}
VOCAB = 8192
MICRO_TOKENS = 2048
LENGTHS = (60, 400)  # tokens of an example, drawn evenly
CODE_FRACTION, LINE = 0.25, 12  # as LossConfig has it; tokens of a line
STEPS = 12
FUSED_GOAL, PEER_GOAL = 1.0, 1.3


def bench(*, seed: int = 0, say: Say = lambda line: None, steps: int = STEPS) -> Outcome:
    """Time each contestant over the same `steps` batches, in CPU-seconds. Raises MissingExtra without torch."""
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtra("the bench of training", "train")
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        say("training steps")
        spent, tokens = _contest(seed, steps)
    finally:
        torch.set_num_threads(threads)
    contestants: dict[str, dict[str, float]] = {
        name: {"cpu_s_per_step": round(cpu_s / steps, 6), "tokens_per_cpu_s": round(tokens / cpu_s, 1)}
        for name, cpu_s in spent.items()
    }
    goals = [
        Goal("a step, times as fast as with sdpa", _times(spent, FUSED), "at least", FUSED_GOAL, "x"),
        Goal("a step, times as fast as Hugging Face", _times(spent, PEER), "at least", PEER_GOAL, "x"),
    ]
    work = {"steps": steps, "micro_tokens": MICRO_TOKENS, "lengths": list(LENGTHS), "code_fraction": CODE_FRACTION}
    figures: dict[str, Any] = {"work": work, "arch": {**ARCH, "vocab": VOCAB}, "contestants": contestants}
    return Outcome("train", goals, figures, ("torch", "transformers"))


def _times(spent: dict[str, float], peer: str) -> float:
    return round(spent[peer] / spent[OURS], 2)


def _contest(seed: int, steps: int) -> tuple[dict[str, float], int]:
    """CPU-seconds of each contestant over all batches but the first, which warms up; and the tokens in those."""
    import torch

    from momus.train import attention
    from momus.train.config import LossConfig, ModelConfig
    from momus.train.model import new_model
    from momus.train.trainer import losses_of, positions

    model = new_model(ModelConfig.model_validate(ARCH), VOCAB, 0, 1, seed)
    model.to(torch.bfloat16).train()  # type: ignore[arg-type]
    weights = LossConfig(code=0.3, token=4.0, scan=2.0, code_fraction=CODE_FRACTION)
    rng = np.random.default_rng(seed)
    spent = dict.fromkeys((OURS, FUSED, PEER), 0.0)
    tokens = 0
    for step in range(steps + 1):
        batch = _batch(rng)
        where = positions(batch, torch.rand(batch.ids.shape) < CODE_FRACTION)
        counts = {name: int(mask.sum()) for name, mask in where.items()}
        for name in spent:
            model.set_attn_implementation(attention.NAME if name == OURS else "sdpa")
            began = time.process_time()
            if name == PEER:
                loss = model(input_ids=batch.ids, labels=batch.targets, use_cache=False).loss
            else:
                loss, _ = losses_of(model, batch, where, counts, weights, (2, 3))
            loss.backward()
            model.zero_grad(set_to_none=True)
            spent[name] += (time.process_time() - began) * (step > 0)
        tokens += int((batch.kinds != 0).sum()) * (step > 0)
    return spent, tokens


def _batch(rng: np.random.Generator) -> Batch:
    """Right-padded rows of like length, as the trainer's batches are: code of which every line is judged."""
    import torch

    from momus.train.batches import Batch
    from momus.train.examples import Kind, Verdict

    longest = int(rng.integers(*LENGTHS))
    lengths = np.maximum(longest - rng.integers(0, 10, max(1, MICRO_TOKENS // longest)), 1)
    there = np.arange(longest) < lengths[:, None]
    ids = np.where(there, rng.integers(4, VOCAB, there.shape), 0)
    kinds = np.where(there, Kind.CODE, Kind.NONE)
    kinds[:, LINE - 1 :: LINE][there[:, LINE - 1 :: LINE]] = Kind.SCAN
    verdicts = np.where(there, Verdict.OK, Verdict.NONE)
    return Batch(*(torch.from_numpy(part.astype(np.int64)) for part in (ids, ids, kinds, verdicts)))
