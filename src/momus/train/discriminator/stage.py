"""The stage `momus train discriminator`: tampers with their twins in, a calibrated sequence classifier out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from momus import __version__
from momus.corpus.build import read_split
from momus.decode import from_json
from momus.errors import MomusError
from momus.models.protocol import Codec
from momus.records import Tamper
from momus.sharding import sha256_of
from momus.train.compute import compute_of
from momus.train.config import DiscriminatorConfig
from momus.train.discriminator import report
from momus.train.discriminator.twins import Twins, read, twin_loss, twins_of, unseen
from momus.train.gate import development_tampers
from momus.train.policy import open_codec, open_policy
from momus.train.reward import data
from momus.train.reward.model import (
    as_classifier,
    context_of,
    is_finished,
    open_classifier,
    raw_scores,
    save_classifier,
)
from momus.train.reward.train import fingerprint, fit
from momus.train.trainer import Workers

FILE = "discriminator.json"


@dataclass(frozen=True, slots=True)
class Discriminator:
    """An opened discriminator. `about` is its `discriminator.json`."""

    model: Any
    codec: Codec
    about: dict[str, Any]
    folder: Path

    def logits(self, requests: Sequence[Sequence[int]]) -> list[float]:
        """The calibrated logit of "tampered" of each request, in tokens. Raises MomusError on one too long."""
        return raw_scores(self.model, requests)


def open_discriminator(folder: Path) -> Discriminator:
    """Open what `momus train discriminator` wrote. Raises MomusError where the folder holds none, or a damaged one."""
    try:
        about = from_json((folder / FILE).read_text(encoding="utf-8"))
        about["measured"]["log_loss"]["mean"]
    except FileNotFoundError:
        raise MomusError(f"no discriminator in {folder}; finish momus train discriminator first") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{folder / FILE} cannot be read ({error}); train the discriminator again") from None
    codec = open_codec(folder)
    return Discriminator(open_classifier(folder, codec, "discriminator"), codec, about, folder)


def discriminator(
    start: Path,
    out: Path,
    *,
    config: DiscriminatorConfig,
    tampers: Sequence[Path] = (),
    corpus: Path | None = None,
    functions: int | None = None,
    on: Sequence[Path] = (),
    flops: float | None = None,
    seed: int = 0,
    minutes: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Train a discriminator from the checkpoint in `start`; True once it stands in `out`.

    Pairs come from `tampers`, files of records, and of so many `functions` (all: None) of a `corpus`, tampered with as
    they are read. A share of the problems never trains: the probabilities are calibrated on it. Measured are the files
    `on`, or without any that share itself. `flops` is the compute of the
    checkpoint's pre-training, told by its folder unless given. A finished stage is not run again. Raises MomusError on
    input that cannot be used.
    """
    if not tampers and corpus is None:
        raise MomusError("there is nothing to train on: give --tampers FILE, or --corpus FOLDER")
    workers = Workers.join()
    policy = open_policy(start)
    model = as_classifier(policy)
    limit = min((n for n in (config.max_tokens, context_of(model)) if n is not None), default=None)
    left_out: Counter[str] = Counter()
    pairs = twins_of([*read(tampers), *_drawn(corpus, functions, seed)], policy.codec, limit, left_out)
    train, held = _parted(pairs, config.held_out, seed, left_out)
    held = unseen(train, held, left_out)
    apart: Counter[str] = Counter()
    measured = unseen(train, twins_of(read(on, measured=True), policy.codec, limit, apart), apart) if on else held
    if on and not measured:
        raise MomusError(f"no pair of twins is left to measure on in {', '.join(map(str, on))}: give others with --on")
    groups = [pair.group for pair in train]
    if not groups:
        raise MomusError("there is no pair of twins to train on: give more tampers, or hold fewer out")
    if len({pair.group.problem for pair in held}) < 2 and not on:
        raise MomusError(
            f"of {len({p.group.problem for p in pairs})} problems fewer than two are held out to measure on: give more "
            "tampers, a higher held_out, or files to measure on with --on"
        )
    key = fingerprint(model, groups, config, seed)
    inputs = {str(path): _sha256(path) for path in (*tampers, *on)}
    what = "discriminator of another checkpoint, other twins or settings"
    if is_finished(out / FILE, {"key": key, "inputs": inputs}, what):
        return True
    if workers.rank == 0:
        for reason, count in sorted(left_out.items()):
            say(f"left out: {count:,} {reason}")
        for reason, count in sorted(apart.items()):
            say(f"left out of what is measured: {count:,} {reason}")
        say(f"{len(train):,} pairs of twins train, {len(held):,} calibrate, {len(measured):,} are measured on")
    if not fit(model, groups, config, out, seed=seed, workers=workers, loss=twin_loss, minutes=minutes):
        return False
    if workers.rank == 0:
        kept = report.logits_of(held, lambda asked: raw_scores(model, asked)) if held else np.zeros((0, 2))
        scale = report.scale_of(kept) if len(kept) else 1.0
        raw = report.logits_of(measured, lambda asked: raw_scores(model, asked)) if on else kept
        _scaled(model, scale)
        about: dict[str, Any] = {
            "schema_version": 1,
            "momus": __version__,
            "start": start.name,
            "parameters": sum(param.numel() for param in model.parameters()),
            "flops": flops if flops is not None else _compute(start),
            "scale": scale,
            "calibrated_on": {"pairs": len(held), "problems": len({pair.group.problem for pair in held})},
            "key": key,
            "inputs": inputs,
            "seed": seed,
            "config": config.model_dump(mode="json"),
            "trained_on": {"pairs": len(train), "groups": sorted({pair.group.problem for pair in pairs})},
            "left_out": dict(sorted(left_out.items())),
            "measured": {
                "on": [path.name for path in on] or "held out",
                **report.evaluate(measured, raw, scale, seed=seed),
            },
        }
        save_classifier(model, policy, about, out, FILE)
    workers.wait()
    return True


def _compute(start: Path) -> float | None:
    """The FLOPs of the stage that left a checkpoint; None where nobody knows, as of a model from elsewhere."""
    try:
        return compute_of(start).flops
    except MomusError:
        return None


def _drawn(corpus: Path | None, functions: int | None, seed: int) -> list[Tamper]:
    """Functions of the train split, drawn at random, one bug in each, by the operators that train."""
    if corpus is None:
        return []
    every = list(read_split(corpus, "train"))
    random.Random(f"{seed}/twins").shuffle(every)
    wanted = len(every) if functions is None else functions
    return list(development_tampers(every, wanted, seed))


def _parted(pairs: Sequence[Twins], share: float, seed: int, left_out: Counter[str]) -> tuple[list[Twins], list[Twins]]:
    """What trains and what is held out, by whole problems. Held-out operators are in neither."""
    kept = [pair for pair in pairs if pair.trains or not pair.group.trains]
    if apart := len(pairs) - len(kept):
        left_out["pairs of operators that are never trained on"] += apart
    _, held = data.split([pair.group for pair in kept], share, seed)
    problems = {group.problem for group in held}
    train = [pair for pair in kept if pair.group.problem not in problems]
    return train, [pair for pair in kept if pair.group.problem in problems]


def _scaled(model: Any, scale: float) -> None:
    """Put the calibration into the head, so that sigmoid(logit) is the probability for whoever opens the folder."""
    with torch.no_grad():
        model.score.weight.mul_(scale)
    model.config.id2label, model.config.label2id = {0: "tampered"}, {"tampered": 0}


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise MomusError(f"cannot read {path}: {error.strerror or error}") from None
