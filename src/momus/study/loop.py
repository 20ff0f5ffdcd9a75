"""The stages of the outer loop (paper section 2.2.4): tamper, sample, rate, reward, PPO, and bundles of policies."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from momus.corpus.functions import Function
from momus.corpus.tasks import to_tasks
from momus.critique import TextMap
from momus.errors import MomusError
from momus.match import same_place
from momus.raters.job import RateWork, Summary, rate_all
from momus.records import Comparison, Sampled, Tamper, Task, read_jsonl, versioned, write_jsonl
from momus.sharding import Work, in_shards, map_shards, parts_of
from momus.study.config import StudyConfig
from momus.study.critiques import SHARD, Way, Write
from momus.study.graph import Job, write_json
from momus.tamper.job import Plan, tamper_all
from momus.tamper.operators import OPERATORS

TRAINED = tuple(sorted(name for name, operator in OPERATORS.items() if not operator.held_out))


def tamper(config: StudyConfig, number: int, job: Job) -> bool:
    """Bugs in the functions of a round. From the second round on only those that the newest critic misses are kept.

    Missed (section 2.2.2): in at least `misses` of `tries` critiques no comment touches a line of the bug. All
    operators but the held-out ones; nothing is run, as functions have no tests.
    """
    made = job.folder / "made.jsonl"
    functions = read_jsonl(job.inputs["split"] / f"functions-round-{number}.jsonl", Function)
    settings = config.tamper
    plan = Plan(
        operators=TRAINED,
        per_task=settings.per_task,
        seed=config.seed + number,
        sandbox=None,
        linter=settings.linter,
        linter_keep=settings.linter_keep,
        jobs=job.jobs,
    )
    tamper_all(list(to_tasks(functions, seed=config.seed)), made, plan, inputs={})
    tampers = list(read_jsonl(made, Tamper))
    critic = next((name for name in job.inputs if name.startswith("critic-")), None)
    kept = tampers
    if critic is not None:
        tries = job.folder / "tries.jsonl"
        write_critiques(
            Write(
                "policy",
                str(job.inputs[critic]),
                config.fsbs,
                n=settings.tries,
                temperature=config.sample.temperature,
                seed=config.seed,
            ),
            [versioned(tamper.task) for tamper in tampers],
            tries,
        )
        missed = misses(tampers, tries)
        kept = [tamper for tamper, count in zip(tampers, missed, strict=True) if count >= settings.misses]
    if len(kept) < 2:
        raise MomusError(
            f"round {number} is left with {len(kept)} tampers: raise tamper.functions, or lower tamper.misses"
        )
    write_json(job.folder / "counts.json", {"made": len(tampers), "kept": len(kept), "against": critic})
    write_jsonl(job.folder / "tampers.jsonl", kept)
    return True


def misses(tampers: Sequence[Tamper], critiques: Path) -> list[int]:
    """How many critiques of each tamper touch no line of any of its bugs. One that failed counts neither way."""
    missed: dict[str, int] = {}
    by_task = {versioned(tamper.task).id: tamper for tamper in tampers}
    for sampled in read_jsonl(critiques, Sampled):
        if sampled.error is None:
            tamper = by_task[sampled.task_id]
            spans = [span for bug in tamper.bugs for span in bug.spans]
            text = TextMap(tamper.task.answer)
            found = any(same_place(comment.highlight, spans, text) for comment in sampled.critique)
            missed[sampled.task_id] = missed.get(sampled.task_id, 0) + (not found)
    return [missed.get(versioned(tamper.task).id, 0) for tamper in tampers]


def sample(config: StudyConfig, job: Job, *, tampered: bool = True) -> bool:
    """Critiques of tampered answers and clean twins, or of twins alone, in every way that the config counts.

    The policy is sampled under the mask that makes quotes exact, as critiques are written in use.
    """
    tampers = _tampers(job)
    answers = [versioned(tamper.task) for tamper in tampers] if tampered else []
    clean = [versioned(tamper.task.model_copy(update={"answer": tamper.twin})) for tamper in tampers]
    tasks = [*answers, *_share(clean, len(answers), config.rate.untampered)]
    critic = str(_input(job, "critic-"))
    for way, n in _sampled_ways(config):
        work = Write(way, critic, config.fsbs, n=n, temperature=config.sample.temperature, seed=config.seed)
        write_critiques(work, tasks if n else [], job.folder / f"{way}.jsonl")
    return True


def _sampled_ways(config: StudyConfig) -> tuple[tuple[Way, int], ...]:
    sample = config.sample
    return (("policy", sample.n), ("forced", sample.forced), ("gate", sample.gated))


def rate(config: StudyConfig, job: Job, *, tampered: bool = True) -> bool:
    """Comparisons of what was sampled with the gold critiques, and one rater's ratings of them."""
    from momus.raters.compare import Mix, build

    folder = _input(job, "sample-")
    critiques = [row for way, _ in _sampled_ways(config) for row in read_jsonl(folder / f"{way}.jsonl", Sampled)]
    tampers = _tampers(job)
    items: list[Tamper | Task] = list(tampers)
    mix = Mix(
        gold=config.rate.gold,
        moved=config.rate.moved,
        untampered=config.rate.untampered,
        silence=config.rate.empty,
        per_task=config.rate.per_task,
        seed=config.seed,
    )
    if not tampered:
        items = [tamper.task.model_copy(update={"answer": tamper.twin}) for tamper in tampers]
        mix = replace(mix, untampered=1.0)
    built = build(items, critiques, mix)
    for why, count in built.skipped.items():
        job.say(f"left out: {count} answers with {why}")
    summary = rate_into(job.folder, built.comparisons, config.rate.rater, config.seed)
    write_json(
        job.folder / "counts.json",
        {
            "rater": summary.rater,
            "simulated": summary.simulated,
            "comparisons": summary.comparisons,
            "untampered": summary.untampered,
            "all_tied": summary.tied,
            "unscored": summary.unscored,
            "skipped": dict(sorted(built.skipped.items())),
        },
    )
    return True


def rate_into(folder: Path, comparisons: Sequence[Comparison], rater: str, seed: int) -> Summary:
    """One rater's ratings of comparisons, as `momus rate` leaves them; what was rated before is not rated again."""
    return rate_all(comparisons, folder, RateWork(rater, seed), inputs={})


def reward(config: StudyConfig, job: Job) -> bool:
    """The reward model, from the first seed's SFT checkpoint, on the comparisons of all rounds so far.

    Scores are normalised on that policy's own critiques of the first round.
    """
    from momus.train.reward.stage import reward as train

    rated = [path for name, path in job.inputs.items() if name.startswith("rate-")]
    samples = [path / "policy.jsonl" for name, path in job.inputs.items() if name.startswith("sample-")][:1]
    return train(
        _input(job, "sft-"),
        rated,
        job.folder,
        config=config.reward,
        seed=config.seed,
        samples=samples,
        minutes=job.minutes,
        say=job.say,
    )


def ppo(config: StudyConfig, seed: int, job: Job, *, estimator: Literal["gae", "rloo"] | None = None) -> bool:
    """The seed's SFT policy, trained against the newest reward model on the comparisons' requests (section 2.2.4).

    What it finds on development tampers is watched as it goes.
    """
    from momus.train.ppo.run import ppo as train

    settings = config.ppo
    if estimator is not None:
        # Leave-one-out takes the group's mean off itself.
        baseline = "none" if estimator == "rloo" else settings.baseline
        settings = type(settings).model_validate(
            {**settings.model_dump(), "estimator": estimator, "baseline": baseline}
        )
    return train(
        settings,
        _input(job, "sft-"),
        _input(job, "reward-"),
        [path / "comparisons.jsonl" for name, path in job.inputs.items() if name.startswith("rate-")],
        job.folder,
        seed=seed,
        watch=job.inputs["items"] / "dev.jsonl",
        minutes=job.minutes,
    )


def bundle(config: StudyConfig, policy: str, job: Job, *, dial_pairs: int = 0) -> bool:
    """A policy as a bundle, with the gate that is fitted to it, and the reward model that is among the inputs.

    With `dial_pairs` it also gets the dial that `momus review` turns; the study fits dials of its own.
    """
    from momus.train.export import export

    reward = next((path for name, path in job.inputs.items() if name.startswith("reward-")), None)
    export(
        job.inputs[policy],
        job.inputs["tokenizer"] / "tokenizer.json",
        job.inputs["ngram"] / "ngram.npz",
        job.inputs["corpus"],
        job.folder,
        name=f"{config.name}-{policy}",
        reward=reward,
        bits=config.export.bits,
        pairs=config.export.pairs,
        dial_pairs=dial_pairs,
        clean_flagged=config.export.clean_flagged,
        seed=config.seed,
    )
    return True


def write_critiques(work: Work[Task], tasks: Sequence[Task], out: Path) -> None:
    """Critiques of tasks, shard by shard; a file that is there is whole."""
    if not out.exists():
        map_shards(in_shards(tasks, SHARD), work, out)
    shutil.rmtree(parts_of(out), ignore_errors=True)


def _tampers(job: Job) -> list[Tamper]:
    """Of all rounds that the stage is given, in their order."""
    folders = [path for name, path in job.inputs.items() if name.startswith("tamper-")]
    return [tamper for folder in folders for tamper in read_jsonl(folder / "tampers.jsonl", Tamper)]


def _input(job: Job, kind: str) -> Path:
    """The only input of a kind, or the first."""
    return next(path for name, path in job.inputs.items() if name.startswith(kind))


def _share(clean: list[Task], tampered: int, untampered: float) -> list[Task]:
    """Of the clean answers as many as make the share of untampered ones, with some to spare for ties."""
    if not tampered:
        return clean
    return clean[: round(1.5 * tampered * untampered / (1 - untampered) + 0.5)]
