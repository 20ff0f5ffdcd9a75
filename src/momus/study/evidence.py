"""What a study's report is made of, as files of records: comparisons and ratings of all its critics, and the rest.

The critics are those of the first seed and the baselines, each of an answer's in one comparison. Beside the items that
the study measures on stand natural bugs, and answers with several bugs far apart. What only people could give is
simulated (`momus.study.people`).
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from momus import __version__
from momus.corpus.build import read_split
from momus.corpus.tasks import to_task
from momus.critics.recorded import Recorded
from momus.decode import from_json
from momus.errors import MomusError
from momus.measure import blindspots, data_folder, load_bugs, measure, small_bugs
from momus.measure.datasets import VARIABLE
from momus.measure.item import Item
from momus.measure.scattered import GAP, least_gap
from momus.measure.truth_choosers import Believer, choices_of
from momus.measure.truth_pairs import pair_of, solutions
from momus.raters.gold import gold_critique
from momus.raters.job import RANKINGS, RATINGS
from momus.records import (
    GOLD,
    Choice,
    Comparison,
    Ranking,
    Rating,
    Record,
    Sampled,
    Tamper,
    Task,
    read_jsonl,
    write_jsonl,
)
from momus.study import measuring, people
from momus.study.config import StudyConfig
from momus.study.critiques import Way
from momus.study.graph import Job, write_json
from momus.study.loop import TRAINED, rate_into
from momus.tamper import tamper

SAID = dict[str, dict[str, Sampled]]  # by critic, then by the id of the versioned task
INSERTED, NATURAL = "tampers", "natural bugs"  # the data sets, as figures name them
COMPARISONS, CHOICES, MEASURED, MANIFEST = "comparisons.jsonl", "choices.jsonl", "measured.json", "manifest.json"
FILES = (COMPARISONS, RATINGS, RANKINGS, CHOICES, MEASURED, blindspots.FILE, measuring.RESULTS, MANIFEST)


def items(config: StudyConfig, job: Job) -> bool:
    """Natural bugs, and answers of the held-out split with two or three bugs far apart."""
    rng = random.Random(config.measure.seed)
    natural = natural_bugs(config)
    limit = config.report.limit
    if limit is not None and limit < len(natural):
        natural = [natural[i] for i in sorted(rng.sample(range(len(natural)), limit))]
    functions = list(read_split(job.inputs["corpus"], "heldout"))
    rng.shuffle(functions)
    made: list[Tamper] = []
    for function in functions:
        if len(made) == config.report.scattered:
            break
        task = to_task(function, seed=config.measure.seed)
        found = tamper(task, rng=rng, n_bugs=2 + len(made) % 2, operators=TRAINED)
        if found is not None and least_gap(Item.of(found)) >= GAP:
            made.append(found)
    write_jsonl(job.folder / measuring.ITEMS, [*natural, *made])
    return True


def natural_file(config: StudyConfig) -> Path | None:
    """The file of natural bugs that the study names, from here or in the folder of MOMUS_DATA; None for the small set.

    Raises MomusError where it is in neither.
    """
    named, folder = config.report.natural, data_folder()
    if named is None or named.is_file():
        return named
    if folder is not None and (folder / named).is_file():
        return folder / named
    raise MomusError(
        f"there is no {named}, which report.natural names: mend the path, set {VARIABLE} to its folder, or leave it out"
    )


def natural_bugs(config: StudyConfig) -> list[Tamper]:
    """Those whose place is known, of the split dev, or the small set. Raises MomusError where there are none."""
    path = natural_file(config)
    if path is None:
        return small_bugs()
    found = [t for t in load_bugs(path, small_fix=True, parses=True, split="dev") if t.bugs]
    if not found:
        raise MomusError(f"{path}, which report.natural names, has no bugs of the split dev whose place is known")
    return found


def critiques(config: StudyConfig, ways: Sequence[Way], job: Job) -> bool:
    """A policy's critiques of these, with the dials that were fitted when it was measured."""
    bundle = next(path for name, path in job.inputs.items() if name.startswith("bundle-"))
    measured = next(path for name, path in job.inputs.items() if name.startswith("measure-"))
    dials = from_json((measured / measuring.DIAL).read_text(encoding="utf-8"))
    tasks = measuring.tasks_of(job.inputs["report-items"] / measuring.ITEMS)
    for way in ways:
        dial = tuple((int(percentile), modifier) for percentile, modifier in dials.get(way, {}).items())
        measuring.write_way(config, way, bundle, tasks, job.folder, dial)
    return True


def baselines(config: StudyConfig, job: Job) -> bool:
    return measuring.baselines(config, replace(job, inputs={**job.inputs, "items": job.inputs["report-items"]}))


def evidence(config: StudyConfig, ways: Mapping[str, Sequence[Way]], job: Job) -> bool:
    """Write all files of records that the report reads. `ways` are those of each policy of the first seed."""
    inserted, further = (
        [Item.of(t) for t in read_jsonl(job.inputs[name] / measuring.ITEMS, Tamper)]
        for name in ("items", "report-items")
    )
    natural = [item for item in further if not any(bug.operator for bug in item.tamper.bugs)]
    said = _said(config, ways, job)
    draft = f"ppo+fsbs@{measuring.middle_of(config)}"  # whose critiques people are shown
    seed, draws = config.measure.seed, config.measure.draws
    those = [*inserted, *further]
    comparisons = [
        *(_on_tampered(item, said, draft, seed) for item in those),
        *(_compared(item.twin, _critics(item.twin, said)) for item in _twins(config, inserted)),
    ]
    write_jsonl(job.folder / COMPARISONS, comparisons)
    _rate(config, comparisons, job.folder)
    write_jsonl(job.folder / CHOICES, _choices(inserted, said[draft], seed))
    command = f"momus study {config.name}.toml"
    replayed = [Recorded(name, rows.values()) for name, rows in said.items()]
    sets = [
        measure(replayed, [i.tamper for i in of], label=label, draws=draws, seed=seed).to_json()
        for label, of in ((INSERTED, inserted), (NATURAL, natural))
    ]
    measured = {"schema_version": 1, "momus": __version__, "draws": draws, "command": command, "data": sets}
    write_json(job.folder / MEASURED, measured)
    critic = "ppo" if "ppo" in said else draft
    card = blindspots.card(measured, critic, inserted=[INSERTED], natural=[NATURAL], command=command)
    blindspots.save(card, job.folder)
    audited = people.audit(inserted, said[draft], seed=seed, draws=draws)
    if audited["rerated"]:
        write_json(job.folder / "audit.json", {"command": command, **audited})
    for stage in ("results", "scaling", "discriminators"):
        if stage in job.inputs:
            body = from_json((job.inputs[stage] / f"{stage}.json").read_text(encoding="utf-8"))
            write_json(job.folder / f"{stage}.json", {"command": command, **body})
    write_json(job.folder / MANIFEST, {"command": command, "notes": _notes(config)})
    return True


def _said(config: StudyConfig, ways: Mapping[str, Sequence[Way]], job: Job) -> SAID:
    """What each critic said of each answer; of a ranking without reward model the middle of the dial alone."""
    said: SAID = {}
    middle = measuring.middle_of(config)
    for policy, those in ways.items():
        for way in those:
            for folder in (job.inputs[f"measure-{policy}-{config.seeds[0]}"], job.inputs[f"report-{policy}"]):
                for arm in measuring.arms_of(config, policy, config.seeds[0], way, folder / f"{way}.jsonl"):
                    if way != "best" or arm.dial == middle:
                        rows = said.setdefault(arm.name, {})
                        rows.update((task, several[0]) for task, several in arm.said.items())
    for name in measuring.baseline_names(config):
        for stage in ("measure-baselines", "report-baselines"):
            rows = said.setdefault(name, {})
            path = job.inputs[stage] / measuring.file_of(name)
            rows.update((sampled.task_id, sampled) for sampled in read_jsonl(path, Sampled))
    return {
        name: {task: row.model_copy(update={"critic": name, "i": 0}) for task, row in rows.items()}
        for name, rows in said.items()
    }


def _critics(task: Task, said: SAID) -> Iterator[Sampled]:
    return (rows[task.id] for rows in said.values() if task.id in rows and rows[task.id].error is None)


def _on_tampered(item: Item, said: SAID, draft: str, seed: int) -> Comparison:
    """All critics' critiques of an answer with bugs, a simulated person's, a simulated team's, and the gold one."""
    critics = [*_critics(item.task, said), people.human(item, seed)]
    mine = said[draft].get(item.task.id)
    if mine is not None and mine.error is None:
        critics.append(people.team(item, mine, seed))
    gold = gold_critique(item.tamper.bugs, item.task.answer, random.Random(f"{seed}/gold/{item.task.id}"))
    critics.append(Sampled(task_id=item.task.id, critic=GOLD, critique=gold))
    compared = _compared(item.task, critics)
    return compared.model_copy(update={"bugs": item.tamper.bugs, "twin": item.tamper.twin})


def _compared(task: Task, critics: Iterable[Sampled]) -> Comparison:
    those = list(critics)
    random.Random(f"shown/{task.id}").shuffle(those)
    return Comparison(id=task.id, task=task, critiques=tuple(those))


def _choices(those: Sequence[Item], said: Mapping[str, Sampled], seed: int) -> list[Choice]:
    """Which of a tampered answer and its twin passes, as one believes who cannot read code but only critiques."""
    pairs = []
    for item in those:
        pair = pair_of(item.tamper, seed)
        both = [said[task.id] for task in solutions(pair) if task.id in said and said[task.id].error is None]
        if len(both) == 2:
            pairs.append(pair.model_copy(update={"critiques": tuple(both)}))
    return choices_of(Believer(seed), pairs)


def _twins(config: StudyConfig, those: Sequence[Item]) -> list[Item]:
    """The items whose clean twins are compared too, as large a share as in the loop; each twin once."""
    distinct = list({item.twin.id: item for item in those}.values())
    share = config.rate.untampered
    count = min(len(distinct), max(1, round(share / (1 - share) * len(those))))
    return random.Random(config.measure.seed).sample(distinct, count)


def _rate(config: StudyConfig, comparisons: Sequence[Comparison], folder: Path) -> None:
    """Every rater's ratings and rankings, in one file each."""
    ratings: list[Record] = []
    rankings: list[Record] = []
    for number, rater in enumerate(config.report.raters, 1):
        rated = folder / f"rated-{number}"
        rate_into(rated, comparisons, rater, config.measure.seed)
        ratings += read_jsonl(rated / RATINGS, Rating)
        rankings += read_jsonl(rated / RANKINGS, Ranking)
    write_jsonl(folder / RATINGS, ratings)
    write_jsonl(folder / RANKINGS, rankings)
    for rated in folder.glob("rated-*"):
        shutil.rmtree(rated)


def _notes(config: StudyConfig) -> list[str]:
    natural = "the small set that Momus wrote itself, so they are bugs written by hand"
    if config.report.natural is not None:
        natural = f"those of {config.report.natural.name} (dev)"
    return [
        f"natural bugs: {natural}",
        "the person, the team, whoever chooses a solution and both looks of the audit are simulated by rule",
        "critics: those of the first seed, and the baselines",
    ]
