"""A study's TOML as stages: which there are, what each builds on, and which settings decide it."""

from __future__ import annotations

import platform
import random
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from momus.corpus.build import file_hash
from momus.errors import MomusError
from momus.records import GOLD
from momus.study import early, loop, measuring
from momus.study.config import StudyConfig
from momus.study.critiques import Way
from momus.study.graph import Job, Stage

CHECKPOINT = ("config.json", "model.safetensors", "tokenizer.json")
BUNDLE = ("bundle.json", "graph.onnx", "weights.bin", "tokenizer.json", "ngram.npz")
REWARD = ("reward/graph.onnx", "reward/weights.bin")


def plan(config: StudyConfig) -> list[Stage]:
    """All stages of a study. Raises MomusError where a file that it names is missing."""
    return [*_early(config), *_loop(config), *_measuring(config)]


def _early(config: StudyConfig) -> list[Stage]:
    start, seed = config.start, config.seed
    sections = _sections(config)
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
            ("functions-train.jsonl", *(f"functions-round-{n}.jsonl" for n in _rounds(config))),
            ("corpus", *given),
            {"functions": config.tamper.functions, "rounds": config.rounds, "seed": seed},
        ),
    ]
    if start.scan is None:
        stages.append(
            Stage(
                "pretrain",
                _seeded(seed, partial(early.pretrain, config)),
                CHECKPOINT[:2],
                ("split", "tokenizer"),
                {name: sections[name] for name in ("model", "data", "pretrain")} | {"seed": seed},
                start.pretrain,
            )
        )
    stages.append(
        Stage(
            "scan",
            _seeded(seed, partial(early.scan, config)),
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
            _seeded(number, partial(early.sft, config, number)),
            CHECKPOINT,
            ("split", "tokenizer", "scan"),
            {"data": sections["data"], "sft": sections["sft"], "seed": number},
            start.sft[place] if place < len(start.sft) else None,
        )
        for place, number in enumerate(config.seeds)
    ]
    return stages


def _loop(config: StudyConfig) -> list[Stage]:
    """Every round: the newest policy of the first seed is the adversary and is sampled. The reward model and PPO begin
    anew from SFT, with the comparisons of all rounds so far. The last round's PPO is run for every seed."""
    first, last, sections = config.seeds[0], config.rounds, _sections(config)
    stages: list[Stage] = []
    for n in _rounds(config):
        newest = f"sft-{first}" if n == 1 else f"ppo-{n - 1}-{first}"
        stages.append(_bundle(config, f"critic-{n}", newest))
        adversary = (f"critic-{n}",) if n > 1 and config.tamper.adversarial else ()
        stages += [
            Stage(
                f"tamper-{n}",
                partial(loop.tamper, config, n),
                ("tampers.jsonl",),
                ("split", *adversary),
                {"tamper": sections["tamper"], "seed": config.seed}
                | (
                    {"temperature": config.sample.temperature, "max_tokens": config.fsbs.max_tokens}
                    if adversary
                    else {}
                ),
            ),
            _sample(config, str(n), f"critic-{n}", (f"tamper-{n}",)),
            _rate(config, str(n), (f"tamper-{n}",)),
            _reward(config, str(n), _rounds(config)[:n]),
        ]
        for seed in config.seeds if n == last else (first,):
            stages.append(_ppo(config, f"ppo-{n}-{seed}", seed, str(n), _rounds(config)[:n]))
    tampers = tuple(f"tamper-{n}" for n in _rounds(config))
    if "rloo" in config.variants:
        stages.append(_ppo(config, "ppo-rloo", first, str(last), _rounds(config), rloo=True))
    if "no-tampered" in config.variants:
        stages += [
            _sample(config, "no-tampered", f"critic-{last}", tampers, tampered=False),
            _rate(config, "no-tampered", tampers, tampered=False),
            _reward(config, "no-tampered", ("no-tampered",)),
            _ppo(config, "ppo-no-tampered", first, "no-tampered", ("no-tampered",)),
        ]
    return stages


def _measuring(config: StudyConfig) -> list[Stage]:
    first, last = config.seeds[0], config.rounds
    sections, variants = _sections(config), config.variants
    tasks = config.measure.tasks
    if tasks is not None and not tasks.is_file():
        raise MomusError(f"there is no {tasks}, which measure.tasks names: mend the path, or leave it out")
    about = {name: sections["measure"].get(name) for name in ("limit", "dev", "seed")}
    stages = [
        Stage(
            "items",
            partial(measuring.items, config),
            (measuring.ITEMS, measuring.DEV),
            ("corpus",),
            about | {"tasks": None if tasks is None else file_hash(tasks)},
        )
    ]
    policies: list[tuple[str, str, int, str]] = []  # arm, checkpoint, seed, reward model
    policies += [("sft", f"sft-{seed}", seed, f"reward-{last}") for seed in config.seeds]
    policies += [("ppo", f"ppo-{last}-{seed}", seed, f"reward-{last}") for seed in config.seeds]
    if "rloo" in variants:
        policies.append(("rloo", "ppo-rloo", first, f"reward-{last}"))
    if "no-tampered" in variants:
        policies.append(("no-tampered", "ppo-no-tampered", first, "reward-no-tampered"))
    measured: dict[str, tuple[str, int, tuple[Way, ...]]] = {}
    for arm, checkpoint, seed, reward in policies:
        name = f"{arm}-{seed}" if arm in ("sft", "ppo") else arm
        ways = _ways(config, arm, seed)
        stages += [
            _bundle(config, f"bundle-{name}", checkpoint, reward, dial=name == f"ppo-{first}"),
            Stage(
                f"measure-{name}",
                partial(measuring.policy, config, ways),
                measuring.files_of(ways),
                ("items", f"bundle-{name}"),
                {
                    "ways": list(ways),
                    "fsbs": sections["fsbs"],
                    "samples": config.measure.samples,
                    "temperature": config.sample.temperature,
                    "seed": config.measure.seed,
                },
            ),
        ]
        measured[f"measure-{name}"] = (arm, seed, ways)
    names = measuring.baseline_names(config)
    stages += [
        Stage(
            "measure-baselines",
            partial(measuring.baselines, config),
            tuple(measuring.file_of(name) for name in (*names, GOLD)),
            ("items", f"bundle-sft-{first}"),
            {"critics": list(names), "seed": config.measure.seed},
        ),
        Stage(
            "results",
            partial(measuring.report, config, measured),
            (measuring.RESULTS, measuring.TABLE, measuring.PICTURE),
            ("items", f"reward-{last}", *measured, "measure-baselines"),
            {"study": config.model_dump(mode="json")},
        ),
    ]
    return stages


def _ways(config: StudyConfig, arm: str, seed: int) -> tuple[Way, ...]:
    """How a policy's critiques are measured; what is not SFT or PPO itself, at the first seed only."""
    variants, first = config.variants, seed == config.seeds[0]
    if arm == "sft":
        ways: list[Way] = ["gate", "policy"]
        ways += ["fsbs"] if "fsbs-no-rl" in variants and first else []
        ways += ["best"] if "no-rm" in variants and first else []
        return tuple(ways)
    if arm == "ppo" and "rl-no-fsbs" not in variants:
        return ("policy", "fsbs")
    return ("gate", "policy", "fsbs")


def _bundle(config: StudyConfig, name: str, checkpoint: str, reward: str | None = None, *, dial: bool = False) -> Stage:
    rewards = () if reward is None else (reward,)
    pairs = config.export.dial_pairs if dial else 0
    return Stage(
        name,
        partial(loop.bundle, config, checkpoint, dial_pairs=pairs),
        (*BUNDLE, *(REWARD if reward is not None else ())),
        (checkpoint, *rewards, "tokenizer", "ngram", "corpus"),
        config.export.model_dump(mode="json") | {"dial_pairs": pairs, "seed": config.seed, "name": config.name},
    )


def _sample(config: StudyConfig, name: str, critic: str, tampers: tuple[str, ...], *, tampered: bool = True) -> Stage:
    return Stage(
        f"sample-{name}",
        partial(loop.sample, config, tampered=tampered),
        ("policy.jsonl", "forced.jsonl", "gate.jsonl"),
        (*tampers, critic),
        config.sample.model_dump(mode="json")
        | {"untampered": config.rate.untampered, "max_tokens": config.fsbs.max_tokens, "seed": config.seed},
    )


def _rate(config: StudyConfig, name: str, tampers: tuple[str, ...], *, tampered: bool = True) -> Stage:
    return Stage(
        f"rate-{name}",
        partial(loop.rate, config, tampered=tampered),
        ("comparisons.jsonl", "ratings.jsonl", "rankings.jsonl"),
        (*tampers, f"sample-{name}"),
        config.rate.model_dump(mode="json") | {"seed": config.seed},
    )


def _reward(config: StudyConfig, name: str, rounds: tuple[Any, ...]) -> Stage:
    return Stage(
        f"reward-{name}",
        _seeded(config.seed, partial(loop.reward, config)),
        (*CHECKPOINT, "reward.json"),
        (f"sft-{config.seeds[0]}", *(f"{kind}-{n}" for n in rounds for kind in ("sample", "rate"))),
        {"reward": config.reward.model_dump(mode="json"), "seed": config.seed},
    )


def _ppo(
    config: StudyConfig, name: str, seed: int, reward: str, rounds: tuple[Any, ...], *, rloo: bool = False
) -> Stage:
    estimator: Literal["rloo"] | None = "rloo" if rloo else None
    return Stage(
        name,
        _seeded(seed, partial(loop.ppo, config, seed, estimator=estimator)),
        CHECKPOINT,
        (f"sft-{seed}", f"reward-{reward}", "items", *(f"rate-{n}" for n in rounds)),
        {"ppo": config.ppo.model_dump(mode="json"), "estimator": estimator, "seed": seed},
    )


def _seeded(seed: int, run: Callable[[Job], bool]) -> Callable[[Job], bool]:
    """A stage that draws the same whatever ran in this process before it."""

    def seeded(job: Job) -> bool:
        import torch

        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        return run(job)

    return seeded


def _rounds(config: StudyConfig) -> tuple[int, ...]:
    return tuple(range(1, config.rounds + 1))


def _sections(config: StudyConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")
