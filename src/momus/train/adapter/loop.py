"""The training of an adapter: one example at a time, gradients summed over a batch, a checkpoint to go on from."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from momus.errors import MomusError
from momus.train.adapter.base import logits_of, save_adapter
from momus.train.adapter.config import AdapterConfig, learning_rate
from momus.train.adapter.examples import Example

STATE, LOG, ADAPTER = "state.pt", "log.jsonl", "adapter"
SAVE_EVERY = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Run:
    """What is trained and where: `examples` in the order of training, `base` the SHA-256 of the weights, the folder
    `out` for checkpoint, log and adapter."""

    model: Any
    base: str
    examples: Sequence[Example]
    config: AdapterConfig
    out: Path


def train(run: Run, *, minutes: float | None = None, say: Callable[[str], None] = print) -> bool:
    """Train to the end, or for so many minutes; whether it is finished. Going on from a checkpoint is exact on a CPU.

    The parameters that are trained are kept in float32 and computed with in bfloat16. Raises MomusError where the loss
    is no number, and on a checkpoint of another base, config or data.
    """
    started = saved = time.monotonic()
    params = [p for p in run.model.parameters() if p.requires_grad]
    masters = [p.detach().float().clone().requires_grad_() for p in params]
    optimizer = torch.optim.AdamW(masters, lr=run.config.lr, weight_decay=0.0)
    step = _resume(run, masters, optimizer)
    _push(params, masters)
    steps = run.config.examples // run.config.batch
    while step < steps:
        batch = _batch(run, step)
        losses = _gradients(run, params, batch)
        lr = learning_rate(run.config, step)
        norm = _step(params, masters, optimizer, lr, run.config.clip)
        step += 1
        _log(
            run.out,
            {"step": step, "of": steps, "norm": round(norm, 3), "lr": lr} | losses,
        )
        now = time.monotonic()
        if minutes is not None and now - started >= 60 * minutes:
            break
        if now - saved >= SAVE_EVERY:
            _save(run, masters, optimizer, step)
            saved = now
            say(f"step {step} of {steps}: {losses['changed']:.3f} a changed token, {losses['copied']:.4f} a copied one")
    _save(run, masters, optimizer, step)
    save_adapter(run.model, run.out / ADAPTER)
    return step >= steps


def _batch(run: Run, step: int) -> list[Example]:
    first = step * run.config.batch
    return [run.examples[k % len(run.examples)] for k in range(first, first + run.config.batch)]


def _gradients(run: Run, params: Sequence[torch.Tensor], batch: Sequence[Example]) -> dict[str, float]:
    """Add up the gradients of a batch's mean over weighted tokens; the means of changed and of copied tokens."""
    total = sum(sum(example.weights) for example in batch)
    sums = {"changed": 0.0, "copied": 0.0}
    counts = dict.fromkeys(sums, 0)
    for example in batch:
        device = params[0].device
        ids = torch.tensor(example.ids, device=device)
        weights = torch.tensor(example.weights, device=device)
        logits = logits_of(run.model, ids, example.first).float()
        losses = torch.nn.functional.cross_entropy(logits, ids[example.first :], reduction="none")
        loss = (losses * weights).sum() / total
        if not math.isfinite(float(loss.detach())):
            raise MomusError("the loss is no number; lower lr and go on from the checkpoint")
        loss.backward()  # type: ignore[no-untyped-call]
        changed = weights > 1
        for name, mask in (("changed", changed), ("copied", ~changed)):
            sums[name] += float(losses.detach()[mask].sum())
            counts[name] += int(mask.sum())
    return {name: round(sums[name] / max(1, counts[name]), 5) for name in sums}


def _step(
    params: Sequence[torch.Tensor],
    masters: Sequence[torch.Tensor],
    optimizer: torch.optim.Optimizer,
    lr: float,
    clip: float,
) -> float:
    """Move the masters by the parameters' gradients, clipped; the norm before clipping."""
    for param, master in zip(params, masters, strict=True):
        master.grad = torch.zeros_like(master) if param.grad is None else param.grad.float()
        param.grad = None
    norm = float(torch.nn.utils.clip_grad_norm_(masters, clip))
    if not math.isfinite(norm):
        raise MomusError("the gradient is no number; lower lr and go on from the checkpoint")
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
    _push(params, masters)
    return norm


def _push(params: Sequence[torch.Tensor], masters: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        for param, master in zip(params, masters, strict=True):
            param.copy_(master)


def _identity(run: Run, step: int) -> dict[str, Any]:
    """What a checkpoint has to agree in. How many examples, and how the rate falls, may be changed while it runs."""
    kept = run.config.model_dump(exclude={"examples", "fall", "final_lr", "lr"})
    return {"base": run.base, "config": kept, "data": digest_of(run.examples[: step * run.config.batch])}


def digest_of(examples: Sequence[Example]) -> str:
    """A SHA-256 of the tokens of all examples, in order."""
    sha = hashlib.sha256()
    for example in examples:
        sha.update(repr((example.ids, example.first)).encode())
    return sha.hexdigest()


def _save(run: Run, masters: Sequence[torch.Tensor], optimizer: torch.optim.Optimizer, step: int) -> None:
    run.out.mkdir(parents=True, exist_ok=True)
    work = run.out / f".{STATE}.{os.getpid()}"
    state = {"step": step, "masters": list(masters), "optimizer": optimizer.state_dict(), "of": _identity(run, step)}
    try:
        torch.save(state, work)
        work.replace(run.out / STATE)
    except (OSError, RuntimeError) as error:
        work.unlink(missing_ok=True)
        raise MomusError(
            f"the checkpoint can't be written to {run.out} ({error}); make room and run it again"
        ) from None


def _resume(run: Run, masters: Sequence[torch.Tensor], optimizer: torch.optim.Optimizer) -> int:
    """Take up the checkpoint in `out`, if there is one: the step that comes next."""
    path = run.out / STATE
    if not path.is_file():
        return 0
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        wanted, found = _identity(run, int(state["step"])), state["of"]
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        raise MomusError(f"the checkpoint {path} can't be read ({error}); remove it to begin anew") from None
    other = [name for name in wanted if wanted[name] != found.get(name)]
    if other:
        raise MomusError(f"the checkpoint {path} is of another {' and '.join(other)}: name another --out, or remove it")
    with torch.no_grad():
        for master, kept in zip(masters, state["masters"], strict=True):
            master.copy_(kept)
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def _log(out: Path, line: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
