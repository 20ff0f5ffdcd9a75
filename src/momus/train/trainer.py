"""One training loop for every stage: bf16 compute on fp32 master weights, one process or several, resumable anywhere.

What is simple on purpose: plain AdamW, gradients averaged by one all-reduce, no gradient scaling (bf16 needs none).
The head is computed only at the positions that carry a loss, which at this size is half of the work saved.
Several processes: `torchrun --nproc_per_node 2 -m momus train ...`; one for each GPU where there are any.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from pickle import UnpicklingError

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812 (the name the field uses)
from transformers import Qwen3ForCausalLM

from momus.decode import from_json
from momus.errors import MomusError
from momus.train import attention
from momus.train.batches import Batch, epochs
from momus.train.config import LossConfig, StageConfig
from momus.train.examples import ExampleFile, Kind, Verdict

HEAD_CHUNK = 1024  # positions whose logits are held at once
EVERY = 20  # steps between lines of metrics


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes of a run. `torchrun` says how many there are; alone, there is one."""

    rank: int
    world: int
    device: torch.device

    @staticmethod
    def join() -> Workers:
        world = int(os.environ.get("WORLD_SIZE", "1"))
        cuda = torch.cuda.is_available()
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(device)
        if world > 1 and not dist.is_initialized():
            # counts are summed on the CPU; the first process may be long at the examples while the others wait
            dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=timedelta(hours=12))
        return Workers(dist.get_rank() if world > 1 else 0, world, device)

    def wait(self) -> None:
        """Until every process is here."""
        if self.world > 1:
            dist.barrier()

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor


class Master:
    """fp32 copies of the weights, which the optimiser moves; the model computes in bf16."""

    def __init__(self, model: Qwen3ForCausalLM, stage: StageConfig) -> None:
        self.model = model
        self.params = [p.detach().float().clone().requires_grad_() for p in model.parameters()]
        embeddings = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
        embedding = [id(param) in embeddings for param in model.parameters()]
        hidden = [m for m, e in zip(self.params, embedding, strict=True) if m.dim() > 1 and not e]
        plain = [m for m in self.params if m.dim() <= 1]
        optim = stage.optim
        by_adam = [{"params": plain, "weight_decay": 0.0}]
        by_adam += [{"params": [m for m, e in zip(self.params, embedding, strict=True) if e]}]
        self.optimizers: list[torch.optim.Optimizer] = []
        if optim.method == "muon":
            self.optimizers.append(
                torch.optim.Muon(hidden, lr=optim.lr, weight_decay=optim.weight_decay, adjust_lr_fn="match_rms_adamw")
            )
        else:
            by_adam.append({"params": hidden})
        self.optimizers.append(
            torch.optim.AdamW(by_adam, lr=optim.lr, betas=optim.betas, weight_decay=optim.weight_decay, fused=True)
        )
        self.push()

    def push(self) -> None:
        """Copy the masters into the model."""
        with torch.no_grad():
            for param, master in zip(self.model.parameters(), self.params, strict=True):
                param.copy_(master)

    def step(self, lr: float, clip: float, workers: Workers) -> float:
        """Average the gradients over all processes, clip, step. Returns the gradient's norm before clipping."""
        grads = [p.grad for p in self.model.parameters()]
        flat = torch.cat([g.detach().float().reshape(-1) for g in grads if g is not None])
        workers.sum(flat)
        norm = float(flat.norm())
        if not math.isfinite(norm):
            raise MomusError("the gradient is no number any more; go on from the checkpoint with a lower lr")
        flat *= min(1.0, clip / (norm + 1e-6))
        start = 0
        for master in self.params:
            master.grad = flat[start : start + master.numel()].view_as(master)
            start += master.numel()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
        self.model.zero_grad(set_to_none=True)
        self.push()
        return norm


def learning_rate(stage: StageConfig, seen: int) -> float:
    """Linear warm-up, then a cosine down to `final_lr` of the peak, by the share of the tokens seen."""
    optim = stage.optim
    done = min(1.0, seen / optim.tokens)
    if done < optim.warmup:
        return optim.lr * min(1.0, (done + 1e-3) / optim.warmup)
    progress = (done - optim.warmup) / max(1e-9, 1 - optim.warmup)
    floor = optim.lr * optim.final_lr
    return floor + 0.5 * (optim.lr - floor) * (1 + math.cos(math.pi * progress))


def train(
    model: Qwen3ForCausalLM,
    data: ExampleFile,
    stage: StageConfig,
    out: Path,
    *,
    seed: int,
    verdict_tokens: tuple[int, int],
    together: int = 1,
    minutes: float | None = None,
    workers: Workers | None = None,
) -> bool:
    """Train until the stage's tokens are seen (True) or `minutes` are up (False); call again to go on.

    Writes `out/state.pt` (masters, optimiser, position: an exact resume) and `out/metrics.jsonl`.
    """
    workers = workers or Workers.join()
    model.to(workers.device, torch.bfloat16).train()  # type: ignore[arg-type]
    if workers.device.type == "cpu":
        model.set_attn_implementation(attention.NAME)
    master = Master(model, stage)
    state = out / "state.pt"
    step, seen = _resume(state, master, stage)
    if seen >= stage.optim.tokens:
        return True
    optim = stage.optim
    steps = epochs(data, optim.batch_tokens, optim.micro_tokens, seed, workers.rank, workers.world, together, step)
    began = time.monotonic()
    last_save, meter = began, _Meter()
    while seen < stage.optim.tokens:
        batches = [_to(batch, workers.device) for batch in next(steps)]
        rng = torch.Generator().manual_seed(seed + step)
        tokens, losses = _accumulate(model, batches, stage.loss, workers, rng, verdict_tokens)
        norm = master.step(learning_rate(stage, seen), stage.optim.clip, workers)
        seen, step = seen + tokens, step + 1
        meter.add(losses, tokens)
        now = time.monotonic()
        stop = workers.sum(torch.tensor(float(minutes is not None and now - began > minutes * 60))) > 0
        save = workers.sum(torch.tensor(float(now - last_save > 120))) > 0
        if (step % EVERY == 0 or stop or seen >= stage.optim.tokens) and workers.rank == 0:
            line = {"step": step, "tokens": seen, "lr": learning_rate(stage, seen), "grad_norm": norm, **meter.flush()}
            with (out / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
                metrics.write(json.dumps(line) + "\n")
        if (stop or save or seen >= stage.optim.tokens) and workers.rank == 0:
            _save(state, master, step, seen)
        if save:
            last_save = now
        if stop:
            return seen >= stage.optim.tokens
    return True


LOSSES = ("code", "token", "scan", "decision", "comment")  # as in LossConfig
_NEXT = ((Kind.CODE, "code"), (Kind.DECISION, "decision"), (Kind.COMMENT, "comment"))


def positions(batch: Batch, code: torch.Tensor) -> dict[str, torch.Tensor]:
    """Which positions [rows, length] each loss is computed at. `code` says which of the CODE ones are."""
    judged, scan = batch.verdicts != Verdict.NONE, batch.kinds == Kind.SCAN
    said = {name: batch.kinds == kind for kind, name in _NEXT}
    return {**said, "code": said["code"] & code, "token": judged & ~scan, "scan": judged & scan}


def losses_of(
    model: Qwen3ForCausalLM,
    batch: Batch,
    where: dict[str, torch.Tensor],
    counts: dict[str, int],
    weights: LossConfig,
    verdict_tokens: tuple[int, int],
) -> tuple[torch.Tensor, dict[str, float]]:
    """The weighted loss of one micro-batch, each part divided by its count over the whole step.

    `where` is what `positions` says; `verdict_tokens` are the tokens that stand for OK and BUG: a verdict is a choice
    between these two alone. Also returns each part's share, unweighted.
    """
    hidden = model.model(input_ids=batch.ids, use_cache=False).last_hidden_state
    total = hidden.new_zeros((), dtype=torch.float32)
    shares: dict[str, float] = {}
    rows = model.lm_head.weight[list(verdict_tokens)]
    for name in LOSSES:
        weight = getattr(weights, name)
        if not weight or not counts[name]:
            continue
        states = hidden[where[name]]
        if name in ("token", "scan"):
            logits, targets = states @ rows.T, batch.verdicts[where[name]] - Verdict.OK
            loss = F.cross_entropy(logits.float(), targets, reduction="sum")
        else:
            chunks = zip(*(torch.split(x, HEAD_CHUNK) for x in (states, batch.targets[where[name]])), strict=True)
            parts = [F.cross_entropy(model.lm_head(s).float(), t, reduction="sum") for s, t in chunks]
            loss = torch.stack(parts).sum() if parts else hidden.new_zeros((), dtype=torch.float32)
        total = total + weight * loss / counts[name]
        shares[name] = float(loss.detach()) / counts[name]
    return total, shares


def _accumulate(
    model: Qwen3ForCausalLM,
    batches: Sequence[Batch],
    weights: LossConfig,
    workers: Workers,
    rng: torch.Generator,
    verdict_tokens: tuple[int, int],
) -> tuple[int, dict[str, float]]:
    """Forward and backward over a step. Counts are global, so that the split into batches and processes is not felt."""
    masks = [torch.rand(b.ids.shape, generator=rng).to(b.ids.device) < weights.code_fraction for b in batches]
    places = [positions(batch, mask) for batch, mask in zip(batches, masks, strict=True)]
    tokens = sum(int((batch.ids != 0).sum()) for batch in batches)
    counted = torch.tensor([tokens, *(sum(int(p[name].sum()) for p in places) for name in LOSSES)], dtype=torch.float64)
    workers.sum(counted)
    counts = {name: int(counted[i]) for i, name in enumerate(LOSSES, 1)}
    total = dict.fromkeys((name for name in LOSSES if getattr(weights, name) and counts[name]), 0.0)
    for batch, where in zip(batches, places, strict=True):
        loss, shares = losses_of(model, batch, where, counts, weights, verdict_tokens)
        loss.backward()  # type: ignore[no-untyped-call]
        for name, share in shares.items():
            total[name] += share
    summed = workers.sum(torch.tensor(list(total.values())))
    return int(counted[0]), dict(zip(total, summed.tolist(), strict=True))


class _Meter:
    def __init__(self) -> None:
        self.began, self.tokens, self.rows = time.monotonic(), 0, 0
        self.sums: dict[str, float] = {}

    def add(self, losses: dict[str, float], tokens: int) -> None:
        self.tokens += tokens
        self.rows += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def flush(self) -> dict[str, float]:
        line = {f"loss_{name}": round(value / self.rows, 5) for name, value in self.sums.items()}
        line["tokens_per_s"] = round(self.tokens / (time.monotonic() - self.began), 1)
        self.__init__()  # type: ignore[misc]
        return line


def _to(batch: Batch, device: torch.device) -> Batch:
    parts = (batch.ids, batch.targets, batch.kinds, batch.verdicts)
    return Batch(*(part.to(device) for part in parts))


def _save(path: Path, master: Master, step: int, seen: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    names = [name for name, _ in master.model.named_parameters()]
    weights = dict(zip(names, (p.detach() for p in master.params), strict=True))
    torch.save(
        {
            "step": step,
            "seen": seen,
            "weights": weights,
            "optimizers": [optimizer.state_dict() for optimizer in master.optimizers],
        },
        partial,
    )
    partial.replace(path)


def _resume(path: Path, master: Master, stage: StageConfig) -> tuple[int, int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return 0, 0
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        with torch.no_grad():
            for (name, _), param in zip(master.model.named_parameters(), master.params, strict=True):
                param.copy_(saved["weights"][name])
        for optimizer, kept in zip(master.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        step, seen = int(saved["step"]), int(saved["seen"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise MomusError(
            f"{path} is not a checkpoint of this model ({reason}); name a new --out, or remove it to begin again"
        ) from None
    master.push()
    _forget(path.with_name("metrics.jsonl"), step)
    return step, seen


def _forget(metrics: Path, step: int) -> None:
    """Drop what was measured after the checkpoint: it is trained, and measured, again."""
    if (dist.is_initialized() and dist.get_rank() > 0) or not metrics.exists():
        return
    lines = metrics.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and from_json(line)["step"] <= step]
    if len(kept) < len(lines):
        metrics.write_text("".join(kept), encoding="utf-8")
