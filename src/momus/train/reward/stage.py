"""The stage `momus train reward`: comparisons in, a normalised reward model and its report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from momus import __version__
from momus.critique import TextMap
from momus.errors import MomusError
from momus.models.protocol import Codec, Prompt
from momus.records import Sampled, Task, read_jsonl
from momus.train.config import RewardConfig
from momus.train.policy import open_policy
from momus.train.reward import data
from momus.train.reward.data import Group
from momus.train.reward.model import FILE, as_classifier, context_of, is_finished, raw_scores, save_reward
from momus.train.reward.report import evaluate
from momus.train.reward.train import fingerprint, fit
from momus.train.trainer import Workers

NORMALISED_ON = 500  # critiques at most


def reward(
    start: Path,
    comparisons: Sequence[Path],
    out: Path,
    *,
    config: RewardConfig,
    seed: int = 0,
    also: Sequence[Path] = (),
    samples: Sequence[Path] = (),
    minutes: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> bool:
    """Train a reward model from the policy in `start` on folders of rated comparisons; True once it stands in `out`.

    `also` are files of general preference data. Scores are normalised on `samples`, files of the SFT policy's critiques
    of tasks that are compared; without any, on gold critiques and on silence about clean answers, which SFT teaches.
    `say` gets what was left out, in sentences. A finished stage is not run again. Raises MomusError on input that
    cannot be used.
    """
    workers = Workers.join()
    policy = open_policy(start)
    model = as_classifier(policy)
    limit = min((n for n in (config.max_tokens, context_of(model)) if n is not None), default=None)
    loaded = data.load(comparisons, policy.codec, limit)
    general = data.general_pairs(also, policy.codec, limit)
    train, held = data.split(loaded.groups, config.held_out, seed)
    groups = data.mix(train, general.groups, config.also_share, seed)
    key = fingerprint(model, groups, config, seed)
    if is_finished(out / FILE, {"key": key}, "reward model of another policy, other comparisons or settings"):
        return True
    if workers.rank == 0:
        for line in (*loaded.sentences(), *general.sentences()):
            say(line)
        say(
            f"{len(train):,} comparisons train, {len(held):,} are held out; general pairs: {len(groups) - len(train):,}"
        )
        for line in data.warnings(loaded.groups, held):
            say(line)
    if not train:
        raise MomusError("there is no comparison to train on: rate more critiques, or hold fewer out")
    sequences = _sampled(samples, comparisons, policy.codec, limit, say) if samples else _taught(train, policy.codec)
    if not fit(model, groups, config, out, seed=seed, workers=workers, minutes=minutes):
        return False
    if workers.rank == 0:
        raw = np.array(raw_scores(model, sequences))
        silence = policy.codec.write((), TextMap(""))
        report = evaluate(held, silence, lambda asked: raw_scores(model, asked)) if held else None
        about: dict[str, Any] = {
            "schema_version": 1,
            "momus": __version__,
            "mean": float(raw.mean()),
            "std": float(raw.std()) or 1.0,  # one sample, or all alike: the raw scale is kept
            "normalised_on": {"critiques": len(raw), "of": "samples" if samples else "gold and silence"},
            "key": key,
            "seed": seed,
            "config": config.model_dump(mode="json"),
            "raters": [{"name": name, "simulated": made} for name, made in sorted(loaded.raters.items())],
            "trained_on": {"comparisons": len(train), "general_pairs": len(groups) - len(train)},
            "left_out": dict(sorted((loaded.left_out + general.left_out).items())),
            "held_out": report,
        }
        save_reward(model, policy, about, out)
    workers.wait()
    return True


def _taught(groups: Sequence[Group], codec: Codec) -> list[tuple[int, ...]]:
    """What SFT teaches: gold critiques, silence about clean answers and about clean twins; each once."""
    silence = tuple(codec.write((), TextMap("")))
    found: dict[tuple[int, ...], None] = {}
    for group in groups:
        for candidate in group.candidates:
            if candidate.gold:
                found[(*group.prompt, *candidate.tokens)] = None
        clean = group.twin if group.buggy else group.prompt
        if clean:
            found[(*clean, *silence)] = None
    if not found:
        raise MomusError("there is no gold critique and no clean answer to normalise scores on; give --samples FILE")
    return list(found)[:NORMALISED_ON]


def _sampled(
    paths: Sequence[Path], comparisons: Sequence[Path], codec: Codec, limit: int | None, say: Callable[[str], None]
) -> list[tuple[int, ...]]:
    """Critiques of the SFT policy, of those tasks that are compared."""
    tasks: dict[str, Task] = {task.id: task for folder in comparisons for task in data.tasks_of(folder)}
    found: list[tuple[int, ...]] = []
    skipped = 0
    for path in paths:
        try:
            for sampled in read_jsonl(path, Sampled):
                task = tasks.get(sampled.task_id)
                if task is None or sampled.error is not None:
                    skipped += 1
                    continue
                try:
                    prompt = codec.ask(Prompt(task.question, task.answer))
                    tokens = (*prompt, *codec.write(sampled.critique.comments, TextMap(task.answer)))
                except ValueError:
                    skipped += 1
                    continue
                if limit is None or len(tokens) <= limit:
                    found.append(tokens)
                else:
                    skipped += 1
        except OSError as error:
            raise MomusError(f"cannot read {path}: {error.strerror}") from None
    if skipped:
        say(f"left out: {skipped:,} samples that failed, do not fit, or are of tasks that are not compared")
    if not found:
        raise MomusError(f"no critique in {paths[0]} is of a task that is compared; give the samples of those tasks")
    return found[:NORMALISED_ON]
