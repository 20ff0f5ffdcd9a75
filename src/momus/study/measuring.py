"""The stages that measure: what is measured on, each policy's critiques, the baselines', and the results."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from momus.corpus.build import read_split
from momus.critics import open_critic
from momus.critique import Critique
from momus.decode import from_json
from momus.errors import MomusError
from momus.measure.datasets import load_bugs
from momus.measure.item import Item
from momus.measure.runs import gather
from momus.models.protocol import Prompt
from momus.records import GOLD, Sampled, Tamper, Task, read_jsonl, write_jsonl
from momus.study.config import StudyConfig
from momus.study.critiques import Way, Write, fit_dial
from momus.study.graph import Job, write_json
from momus.study.loop import write_critiques
from momus.study.results import Arm, results, with_notes
from momus.study.table import markdown, picture

ITEMS, DEV, DIAL = "items.jsonl", "dev.jsonl", "dial.json"
RESULTS, TABLE, PICTURE = "results.json", "results.md", "frontier.svg"
Dial = tuple[tuple[int, float], ...]  # percentile and length modifier
WAYS: dict[Way, str] = {"gate": "", "policy": "sampled", "fsbs": "fsbs", "best": "best-of-{n}"}  # as arms name them


def items(config: StudyConfig, job: Job) -> bool:
    """What is measured on, and development tampers for dials and for PPO's held-out slice."""
    from momus.train.gate import development_tampers

    corpus, seed = job.inputs["corpus"], config.measure.seed
    if config.measure.tasks is not None:
        measured = [tamper for tamper in load_bugs(config.measure.tasks) if tamper.bugs]
    else:
        functions = list(read_split(corpus, "heldout"))
        measured = list(development_tampers(functions, len(functions), seed))
    limit = config.measure.limit
    if limit is not None and limit < len(measured):
        measured = [measured[i] for i in sorted(random.Random(seed).sample(range(len(measured)), limit))]
    if not measured:
        raise MomusError("there is nothing to measure on: name tampers in measure.tasks")
    functions = list(read_split(corpus, "dev"))
    random.Random(seed).shuffle(functions)
    write_jsonl(job.folder / DEV, development_tampers(functions, config.measure.dev, seed))
    write_jsonl(job.folder / ITEMS, measured)
    return True


def files_of(ways: Sequence[Way]) -> tuple[str, ...]:
    """What `policy` writes for those ways."""
    return (*(f"{way}.jsonl" for way in ways), DIAL)


def policy(config: StudyConfig, ways: Sequence[Way], job: Job) -> bool:
    """A policy's critiques of every answer and clean twin, in some ways; dials are fitted on development tampers."""
    bundle = next(path for name, path in job.inputs.items() if name.startswith("bundle-"))
    tasks = tasks_of(job.inputs["items"] / ITEMS)
    dials: dict[str, dict[str, float]] = {}
    for way in ways:
        dial: Dial = ()
        if way in ("fsbs", "best"):
            dev = job.folder / f"{way}-dev.jsonl"
            write_critiques(_work(config, way, bundle), tasks_of(job.inputs["items"] / DEV), dev)
            dial = fit_dial(dev, config.fsbs)
            dials[way] = {str(percentile): modifier for percentile, modifier in dial}
        write_way(config, way, bundle, tasks, job.folder, dial)
    write_json(job.folder / DIAL, dials)
    return True


def write_way(config: StudyConfig, way: Way, bundle: Path, tasks: Sequence[Task], folder: Path, dial: Dial) -> None:
    """A policy's critiques of tasks in one way, at every setting of its dial, into `WAY.jsonl`."""
    write_critiques(replace(_work(config, way, bundle), dial=dial), tasks, folder / f"{way}.jsonl")


def _work(config: StudyConfig, way: Way, bundle: Path) -> Write:
    sampled = way == "policy"
    return Write(
        way,
        str(bundle),
        config.fsbs,
        n=config.measure.samples if sampled else 1,
        temperature=config.sample.temperature if sampled else config.fsbs.temperature,
        seed=config.measure.seed,
    )


def baseline_names(config: StudyConfig) -> tuple[str, ...]:
    return ("surprisal", "random", "everything", "empty", *(f"linter:{name}" for name in config.measure.linters))


def file_of(critic: str) -> str:
    return f"{critic.replace(':', '-')}.jsonl"


def baselines(config: StudyConfig, job: Job) -> bool:
    """The critics that know nothing, the linters, and the gold critiques."""
    bundle = next(path for name, path in job.inputs.items() if name.startswith("bundle-"))
    path = job.inputs["items"] / ITEMS
    tasks = tasks_of(path)
    for name in baseline_names(config):
        critic = open_critic(name, **({"bundle": bundle} if name == "surprisal" else {}))
        said = gather(critic, tasks, seed=config.measure.seed, folder=job.folder / "critiques")
        write_jsonl(job.folder / file_of(name), [said[task.id] for task in tasks])
    write_jsonl(job.folder / file_of(GOLD), _gold(path))
    return True


def report(config: StudyConfig, measured: Mapping[str, tuple[str, int, Sequence[Way]]], job: Job) -> bool:
    """Results of all that was measured: `measured` names policy, seed and ways by stage. Writes them as JSON, as a
    table, and the frontier as a picture. Every critique is scored by the last round's reward model."""
    tampers = list(read_jsonl(job.inputs["items"] / ITEMS, Tamper))
    those = [Item.of(tamper) for tamper in tampers]
    arms: list[Arm] = []
    for stage, (name, seed, ways) in measured.items():
        for way in ways:
            arms += arms_of(config, name, seed, way, job.inputs[stage] / f"{way}.jsonl")
    folder = job.inputs["measure-baselines"]
    for name in (GOLD, *baseline_names(config)):
        arms.append(Arm(name, "", _by_task(read_jsonl(folder / file_of(name), Sampled))))
    reward = next(path for name, path in job.inputs.items() if name.startswith("reward-"))
    arms = _scored(arms, those, reward)
    best = WAYS["best"].format(n=config.fsbs.settings.candidates)
    found = results(
        those,
        arms,
        pairs=_pairs(config, best),
        tracks=[("ppo+fsbs", f"sft+{best}"), ("ppo+fsbs", "sft+fsbs"), ("sft+fsbs", f"sft+{best}")],
        seed=config.measure.seed,
        draws=config.measure.draws,
    )
    about = from_json((reward / "reward.json").read_text(encoding="utf-8"))
    simulated = any(rater["simulated"] for rater in about["raters"])
    found = with_notes(found, _notes(config, simulated))
    title = f"{config.name}: {len(config.seeds)} seeds, {config.rounds} rounds"
    body = {
        "schema_version": 1,
        "study": config.model_dump(mode="json", exclude_none=True),
        "simulated": simulated,
        "reward_model": {"held_out": about["held_out"], "trained_on": about["trained_on"], "raters": about["raters"]},
        "dials": {stage: from_json((job.inputs[stage] / DIAL).read_text(encoding="utf-8")) for stage in measured},
        **found.to_json(),
    }
    (job.folder / TABLE).write_text(markdown(found, title), encoding="utf-8")
    (job.folder / PICTURE).write_text(picture(found, title), encoding="utf-8")
    write_json(job.folder / RESULTS, body)
    return True


def arms_of(config: StudyConfig, name: str, seed: int, way: Way, path: Path) -> Iterator[Arm]:
    """What a policy wrote in one way, as an arm for each setting of its dial."""
    shown = WAYS[way].format(n=config.fsbs.settings.candidates)
    by_dial: dict[int | None, list[Sampled]] = {}
    for sampled in read_jsonl(path, Sampled):
        percentile = sampled.critic.partition("@")[2]
        by_dial.setdefault(int(percentile) if percentile else None, []).append(sampled)
    for dial, those in by_dial.items():
        yield Arm(name, shown, _by_task(those), dial, seed)


def _scored(arms: Sequence[Arm], those: Sequence[Item], folder: Path) -> list[Arm]:
    """The arms with the reward model's score of each critique; None where it does not fit the model's context."""
    from momus.train.reward.model import context_of, open_reward

    model = open_reward(folder)
    limit = context_of(model.model)
    tasks = {task.id: task for item in those for task in (item.task, item.twin)}
    wanted: dict[tuple[int, ...], float] = {}
    where: dict[tuple[str, Critique], tuple[int, ...]] = {}
    for sampled in (sampled for arm in arms for several in arm.said.values() for sampled in several):
        task = tasks[sampled.task_id]
        try:
            tokens = tuple(model.tokens(Prompt(task.question, task.answer), sampled.critique))
        except ValueError:
            continue
        if sampled.error is None and (limit is None or len(tokens) <= limit):
            where[sampled.task_id, sampled.critique] = tokens
            wanted[tokens] = 0.0
    wanted = dict(zip(wanted, model.score(list(wanted)), strict=True))

    def with_score(sampled: Sampled) -> Sampled:
        tokens = where.get((sampled.task_id, sampled.critique))
        return sampled.model_copy(update={"score": None if tokens is None else wanted[tokens]})

    return [
        replace(arm, said={task: [with_score(sampled) for sampled in several] for task, several in arm.said.items()})
        for arm in arms
    ]


def _pairs(config: StudyConfig, best: str) -> list[tuple[str, str]]:
    """Which arms are subtracted: before and after PPO, before and after search, a variant from what it varies."""
    percentiles, middle = config.fsbs.percentiles, middle_of(config)
    pairs = [("sft", "ppo"), ("sft+sampled", "ppo+sampled")]
    pairs += [(f"sft+fsbs@{dial}", f"ppo+fsbs@{dial}") for dial in percentiles]
    pairs += [("ppo", f"ppo+fsbs@{middle}"), ("sft", f"sft+fsbs@{middle}")]
    pairs += [(f"sft+{best}@{middle}", f"sft+fsbs@{middle}"), (f"sft+{best}@{middle}", f"ppo+fsbs@{middle}")]
    for variant in ("no-tampered", "rloo"):
        pairs += [("ppo", variant), ("ppo+sampled", f"{variant}+sampled")]
        pairs += [(f"ppo+fsbs@{middle}", f"{variant}+fsbs@{middle}")]
    return pairs


def middle_of(config: StudyConfig) -> int:
    """The dial's setting that stands for all."""
    percentiles = config.fsbs.percentiles
    return 50 if 50 in percentiles else percentiles[len(percentiles) // 2]


def _notes(config: StudyConfig, simulated: bool) -> list[str]:
    notes = []
    if simulated:
        notes.append(
            f"The comparisons were rated by a simulated rater ({config.rate.rater}), not by people. It knows the bug's "
            "place, class and fix, by which CBI is counted here too."
        )
    if "no-tampered" in config.variants:
        notes.append(
            "`no-tampered` was rated on unmodified answers alone, where a simulated rater knows of no bug: it prefers "
            "silence. People would find natural bugs there."
        )
    return notes


def tasks_of(path: Path) -> list[Task]:
    """Every answer with its clean twin behind it, under versioned ids, each once."""
    those = (Item.of(tamper) for tamper in read_jsonl(path, Tamper))
    return list({task.id: task for item in those for task in (item.task, item.twin)}.values())


def _gold(path: Path) -> Iterator[Sampled]:
    """The bugs' own comments, as SFT teaches them; silence on the twin."""
    from momus.train.examples import comments_of

    for tamper in read_jsonl(path, Tamper):
        item = Item.of(tamper)
        yield Sampled(task_id=item.task.id, critic=GOLD, critique=Critique(tuple(comments_of(tamper))))
        yield Sampled(task_id=item.twin.id, critic=GOLD)


def _by_task(those: Iterable[Sampled]) -> dict[str, list[Sampled]]:
    found: dict[str, list[Sampled]] = {}
    for sampled in those:
        found.setdefault(sampled.task_id, []).append(sampled)
    return found
