"""The stages of a study one by one: what each runs, what it needs, and which settings decide it."""

from __future__ import annotations

import platform
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from momus.study import early, loop, measuring
from momus.study.config import StudyConfig
from momus.study.critiques import Way
from momus.study.graph import Job, Stage

CHECKPOINT = ("config.json", "model.safetensors", "tokenizer.json")
BUNDLE = ("bundle.json", "graph.onnx", "weights.bin", "tokenizer.json", "ngram.npz")
REWARD = ("reward/graph.onnx", "reward/weights.bin")


def to_sft(config: StudyConfig) -> list[Stage]:
    """All up to the policies that imitate, one for each seed."""
    start, seed = config.start, config.seed
    sections = dumped(config)
    given = (*(("scan",) if start.scan else ()), *(f"sft-{n}" for n, _ in zip(config.seeds, start.sft, strict=False)))
    stages = [
        Stage(
            "corpus",
            partial(early.corpus, config),
            early.CORPUS,
            settings={"corpus": sections["corpus"], "python": platform.python_version()},
            given=start.corpus,
        ),
        Stage(
            "tokenizer",
            partial(early.tokenizer, config),
            ("tokenizer.json",),
            ("corpus",),
            {"size": config.tokenizer.size, "seed": seed},
            start.tokenizer,
        ),
        Stage(
            "ngram",
            partial(early.ngram, config),
            ("ngram.npz",),
            ("corpus", "tokenizer"),
            {"ngrams": config.tokenizer.ngrams},
            start.ngram,
        ),
        Stage(
            "split",
            partial(early.split, config),
            ("functions-train.jsonl", *(f"functions-round-{n}.jsonl" for n in rounds(config))),
            ("corpus", *given),
            {"functions": config.tamper.functions, "rounds": config.rounds, "seed": seed},
        ),
    ]
    if start.scan is None:
        stages.append(
            Stage(
                "pretrain",
                seeded(seed, partial(early.pretrain, config)),
                CHECKPOINT[:2],
                ("split", "tokenizer"),
                {name: sections[name] for name in ("model", "data", "pretrain")} | {"seed": seed},
                start.pretrain,
            )
        )
    stages.append(
        Stage(
            "scan",
            seeded(seed, partial(early.scan, config)),
            CHECKPOINT[:2],
            ("split", "tokenizer", "pretrain"),
            {"data": sections["data"], "scan": sections["scan"], "seed": seed},
            start.scan,
        )
        if start.scan is None
        else Stage("scan", partial(early.scan, config), CHECKPOINT[:2], given=start.scan)
    )
    stages += [
        Stage(
            f"sft-{number}",
            seeded(number, partial(early.sft, config, number)),
            CHECKPOINT,
            ("split", "tokenizer", "scan"),
            {"data": sections["data"], "sft": sections["sft"], "seed": number},
            start.sft[place] if place < len(start.sft) else None,
        )
        for place, number in enumerate(config.seeds)
    ]
    return stages


def bundle(config: StudyConfig, name: str, checkpoint: str, reward: str | None = None, *, dial: bool = False) -> Stage:
    rewards = () if reward is None else (reward,)
    pairs = config.export.dial_pairs if dial else 0
    return Stage(
        name,
        partial(loop.bundle, config, checkpoint, dial_pairs=pairs),
        (*BUNDLE, *(REWARD if reward is not None else ())),
        (checkpoint, *rewards, "tokenizer", "ngram", "corpus"),
        config.export.model_dump(mode="json") | {"dial_pairs": pairs, "seed": config.seed, "name": config.name},
    )


def measure(config: StudyConfig, name: str, ways: tuple[Way, ...]) -> Stage:
    """The policy of the stage `bundle-NAME`, in some ways."""
    return Stage(
        f"measure-{name}",
        partial(measuring.policy, config, ways),
        measuring.files_of(ways),
        ("items", f"bundle-{name}"),
        {
            "ways": list(ways),
            "fsbs": config.fsbs.model_dump(mode="json"),
            "samples": config.measure.samples,
            "temperature": config.sample.temperature,
            "seed": config.measure.seed,
        },
    )


def sample(config: StudyConfig, name: str, critic: str, tampers: tuple[str, ...], *, tampered: bool = True) -> Stage:
    return Stage(
        f"sample-{name}",
        partial(loop.sample, config, tampered=tampered),
        ("policy.jsonl", "forced.jsonl", "gate.jsonl"),
        (*tampers, critic),
        config.sample.model_dump(mode="json")
        | {"untampered": config.rate.untampered, "max_tokens": config.fsbs.max_tokens, "seed": config.seed},
    )


def rate(config: StudyConfig, name: str, tampers: tuple[str, ...], *, tampered: bool = True) -> Stage:
    return Stage(
        f"rate-{name}",
        partial(loop.rate, config, tampered=tampered),
        ("comparisons.jsonl", "ratings.jsonl", "rankings.jsonl"),
        (*tampers, f"sample-{name}"),
        config.rate.model_dump(mode="json") | {"seed": config.seed},
    )


def reward(config: StudyConfig, name: str, rounds: tuple[Any, ...]) -> Stage:
    return Stage(
        f"reward-{name}",
        seeded(config.seed, partial(loop.reward, config)),
        (*CHECKPOINT, "reward.json"),
        (f"sft-{config.seeds[0]}", *(f"{kind}-{n}" for n in rounds for kind in ("sample", "rate"))),
        {"reward": config.reward.model_dump(mode="json"), "seed": config.seed},
    )


def ppo(
    config: StudyConfig, name: str, seed: int, reward: str, rounds: tuple[Any, ...], *, rloo: bool = False
) -> Stage:
    estimator: Literal["rloo"] | None = "rloo" if rloo else None
    return Stage(
        name,
        seeded(seed, partial(loop.ppo, config, seed, estimator=estimator)),
        CHECKPOINT,
        (f"sft-{seed}", f"reward-{reward}", "items", *(f"rate-{n}" for n in rounds)),
        {"ppo": config.ppo.model_dump(mode="json"), "estimator": estimator, "seed": seed},
    )


def seeded(seed: int, run: Callable[[Job], bool]) -> Callable[[Job], bool]:
    """A stage that draws the same whatever ran in this process before it."""

    def seeded(job: Job) -> bool:
        import torch

        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        return run(job)

    return seeded


def rounds(config: StudyConfig) -> tuple[int, ...]:
    """The numbers of the outer loop's rounds."""
    return tuple(range(1, config.rounds + 1))


def dumped(config: StudyConfig) -> dict[str, Any]:
    """The sections of a study as JSON values."""
    return config.model_dump(mode="json")
