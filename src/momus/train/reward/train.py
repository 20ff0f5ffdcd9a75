"""Fit a reward model to rated comparisons: resumable anywhere, one process or several, bit for bit the same on a CPU.

What is simple on purpose: fp32 weights with bf16 compute (autocast), AdamW, dropout off, so that nothing is drawn at
random but the order of the comparisons, which the seed and the step decide.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from momus.errors import MomusError
from momus.train.config import FitConfig, LossConfig, OptimConfig, StageConfig
from momus.train.reward.data import Group
from momus.train.reward.loss import agreement, ranking_loss
from momus.train.reward.model import check_sharing, packed_scores, trunk_of, writing
from momus.train.trainer import Workers, learning_rate

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # of a comparison's scores and tiers
EVERY = 10  # steps between lines of metrics
SAVE_SECONDS = 120


def fit(
    model: Any,
    groups: Sequence[Group],
    config: FitConfig,
    out: Path,
    *,
    seed: int,
    workers: Workers,
    loss: Loss | None = None,
    minutes: float | None = None,
) -> bool:
    """Train `model` in place until every epoch is done (True) or `minutes` are up (False); call again to go on.

    `loss` is of the scores of one comparison and its tiers; `ranking_loss` unless another is given.

    Writes `out/state.pt` (weights, optimiser, position) and `out/metrics.jsonl`. Raises MomusError where `out` was
    begun with something else, where loss or gradient are no numbers any more, and where nothing can be written.
    """
    if not groups:
        raise MomusError("there is no comparison to train on: rate more critiques, or hold fewer out")
    model.to(workers.device).eval()
    check_sharing(model)
    key = fingerprint(model, groups, config, seed)
    # the head begins at zero, and at the trunk's rate margins would still be small when all was seen
    parts = [{"params": list(trunk_of(model).parameters()), "times": 1.0}]
    parts += [{"params": list(model.score.parameters()), "times": config.head_lr / config.lr}]
    optimizer = torch.optim.AdamW(
        parts, lr=config.lr, betas=config.betas, eps=config.eps, weight_decay=config.weight_decay
    )
    state, metrics = out / "state.pt", out / "metrics.jsonl"
    step = _resume(state, metrics, key, model, optimizer, workers.rank == 0)
    per_epoch = math.ceil(len(groups) / config.batch_comparisons)
    total = per_epoch * config.epochs
    schedule = _schedule(config, total)
    began = last_save = time.monotonic()
    meter = _Meter()
    while step < total:
        chosen = batch_of(len(groups), config.batch_comparisons, seed, step)
        mine = [groups[i] for i in chosen[workers.rank :: workers.world]]
        lost, right, asked = _accumulate(model, mine, len(chosen), config.micro_tokens, workers, loss)
        rate = learning_rate(schedule, step)
        norm = _step(model, optimizer, rate, config.clip, lost, workers, step, state)
        step += 1
        meter.add(lost, right, asked, sum(group.size for group in mine))
        now = time.monotonic()
        stop = workers.sum(torch.tensor(float(minutes is not None and now - began > minutes * 60))) > 0
        save = workers.sum(torch.tensor(float(now - last_save > SAVE_SECONDS))) > 0
        if workers.rank == 0:
            if step % EVERY == 0 or stop or step == total:
                line = {"step": step, "of": total, "lr": rate, "grad_norm": norm, **meter.flush()}
                with writing(metrics, metrics.with_name("metrics.partial")), metrics.open("a", encoding="utf-8") as to:
                    to.write(json.dumps(line) + "\n")
            if stop or save or step == total:
                _save(state, metrics, key, step, model, optimizer)
        if save:
            last_save = now
        if stop:
            break
    return step >= total


def batch_of(count: int, size: int, seed: int, step: int) -> list[int]:
    """Which comparisons make a step: each once an epoch, in an order of its own. The last one may be smaller."""
    epoch, at = divmod(step, math.ceil(count / size))
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return [int(i) for i in order[at * size : (at + 1) * size]]


def fingerprint(model: Any, groups: Sequence[Group], config: FitConfig, seed: int) -> str:
    """Changes with the weights that training starts from, the comparisons, their order, the settings and the seed."""
    digest = hashlib.sha256(f"{seed} {config.model_dump_json()}".encode())
    for group in groups:
        digest.update(repr((group.prompt, [(c.tokens, c.rank) for c in group.candidates])).encode())
    for name, param in model.named_parameters():
        digest.update(f"{name} {tuple(param.shape)}".encode())
        digest.update(param.detach().flatten()[:256].float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _schedule(config: FitConfig, total: int) -> StageConfig:
    """The warm-up and cosine of every stage, counted in steps."""
    optim = OptimConfig(tokens=total, lr=config.lr, final_lr=config.final_lr, warmup=config.warmup)
    return StageConfig(optim=optim, loss=LossConfig())


def _accumulate(
    model: Any,
    groups: Sequence[Group],
    together: int,
    micro_tokens: int,
    workers: Workers,
    loss: Loss | None = None,
) -> tuple[float, float, int]:
    """Forward and backward over this process's share of a step of `together` comparisons.

    Returns, over all processes, the mean loss of a comparison, and of the pairs that are not tied how many are right
    and how many there are.
    """
    of_one = loss or ranking_loss
    summed = torch.zeros(3, dtype=torch.float64)
    for micro in _micro_batches(groups, micro_tokens):
        with _bf16(workers.device):
            scores = packed_scores(model, micro)
        ranks = [torch.tensor([c.rank for c in group.candidates], device=workers.device) for group in micro]
        part = torch.stack([of_one(s, r) for s, r in zip(scores, ranks, strict=True)]).sum() / together
        part.backward()  # type: ignore[no-untyped-call]
        told = [agreement(s, r) for s, r in zip(scores, ranks, strict=True)]
        summed += torch.tensor([float(part.detach()), sum(t[0] for t in told), sum(t[1] for t in told)])
    loss_, right, asked = workers.sum(summed).tolist()
    return loss_, right, int(asked)


def _micro_batches(groups: Sequence[Group], micro_tokens: int) -> list[list[Group]]:
    """Groups of like size together; a comparison is never parted."""
    micros: list[list[Group]] = []
    for group in sorted(groups, key=lambda group: group.size):
        if not micros or group.size * (len(micros[-1]) + 1) > micro_tokens:
            micros.append([])
        micros[-1].append(group)
    return micros


def _bf16(device: torch.device) -> AbstractContextManager[Any]:
    return torch.autocast(device.type, torch.bfloat16)


def _step(
    model: Any,
    optimizer: torch.optim.Optimizer,
    rate: float,
    clip: float,
    loss: float,
    workers: Workers,
    step: int,
    state: Path,
) -> float:
    """Sum the gradients over all processes, clip, step. Returns the gradient's norm before clipping."""
    params = list(model.parameters())
    if workers.world > 1:
        for param in params:  # a process may have had nothing to do
            param.grad = torch.zeros_like(param) if param.grad is None else param.grad
            workers.sum(param.grad)
    norm = float(torch.nn.utils.clip_grad_norm_(params, clip))
    if not (math.isfinite(loss) and math.isfinite(norm)):
        kept = f"the checkpoint before it is kept in {state}" if state.exists() else "nothing was saved yet"
        raise MomusError(
            f"at step {step + 1} the {'gradient' if math.isfinite(loss) else 'loss'} is no number any more; {kept}: "
            "name a new --out and a lower lr"
        )
    for group in optimizer.param_groups:
        group["lr"] = rate * group["times"]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm


def _save(path: Path, metrics: Path, key: str, step: int, model: Any, optimizer: torch.optim.Optimizer) -> None:
    if not all(bool(param.isfinite().all()) for param in model.parameters()):
        raise MomusError(f"after step {step} a weight is no number any more; name a new --out and a lower lr")
    partial = path.with_name(path.name + ".partial")
    body = {
        "step": step,
        "key": key,
        "measured": metrics.stat().st_size if metrics.exists() else 0,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with writing(path, partial):
        torch.save(body, partial)
        partial.replace(path)


def _resume(path: Path, metrics: Path, key: str, model: Any, optimizer: torch.optim.Optimizer, first: bool) -> int:
    """Go on from a checkpoint: its step, 0 without one. What was measured after it is forgotten, to be done again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        if first:
            metrics.unlink(missing_ok=True)
        return 0
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        same, step = saved["key"] == key, int(saved["step"])
        if same:
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            if first and metrics.exists() and metrics.stat().st_size > saved["measured"]:
                os.truncate(metrics, saved["measured"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise MomusError(
            f"{path} is not a checkpoint of this model ({reason}); name a new --out, or remove it to begin again"
        ) from None
    if not same:
        raise MomusError(
            f"{path.parent} was begun with another policy, other comparisons or settings; go on with those, or name a "
            "new --out"
        )
    return step


class _Meter:
    """Means over the steps since the last line."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.steps, self.loss, self.right, self.asked, self.tokens = 0, 0.0, 0.0, 0, 0

    def add(self, loss: float, right: float, asked: int, tokens: int) -> None:
        self.steps, self.loss, self.tokens = self.steps + 1, self.loss + loss, self.tokens + tokens
        self.right, self.asked = self.right + right, self.asked + asked

    def flush(self) -> dict[str, float]:
        line = {
            "loss": round(self.loss / self.steps, 5),
            "accuracy": round(self.right / max(1, self.asked), 4),
            "tokens_per_s": round(self.tokens / max(1e-9, time.monotonic() - self.began), 1),
        }
        self.__init__()  # type: ignore[misc]
        return line
