"""What a family of sizes shows: bugs caught and preference over compute, SFT alone against RL (paper, Fig. 5).

No critique is searched for. *Preferred* is how often a size's critique of a tampered answer ranks above that of one
fixed critic, the SFT policy of the study's own model, ties half, as the study's rater has it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from momus.measure import Bootstrap, Figure
from momus.measure.ballots import Panel
from momus.measure.item import Item
from momus.measure.preference import duels_of, win_rate
from momus.measure.scaling import multiplier, read_families
from momus.raters.job import RANKINGS, RATINGS
from momus.records import Comparison, Ranking, Rating, Sampled, Tamper, read_jsonl
from momus.study.config import StudyConfig
from momus.study.graph import Job, write_json
from momus.study.loop import rate_into
from momus.study.measuring import ITEMS
from momus.study.results import Arm, results

SCALING = "scaling.json"
SFT, RL = "sft", "rl"  # the two families
REFERENCE = "reference"  # the critic that all sizes are compared with
_MEASURES = ("cbi_place", "cbi_claim", "cbi_fix", "spurious", "twin_fix", "comments")


@dataclass(frozen=True, slots=True)
class Member:
    """One size, by the names of its stages: those whose compute counts, and those that measured it by family."""

    name: str
    trained: tuple[str, ...]
    measured: Mapping[str, str]


def scaling(config: StudyConfig, members: Sequence[Member], job: Job) -> bool:
    """Sum the sizes up in `scaling.json`, as the report reads it, with the compute multiplier to match."""
    from momus.train.compute import compute_of

    assert config.scaling is not None
    those = [Item.of(tamper) for tamper in read_jsonl(job.inputs["items"] / ITEMS, Tamper)]
    file = f"{config.scaling.way}.jsonl"
    said = {
        (family, member.name): _said(job.inputs[stage] / file)
        for member in members
        for family, stage in member.measured.items()
    }
    arms = [Arm(_name(*key), "", rows) for key, rows in said.items()]
    found = results(those, arms, seed=config.measure.seed, draws=config.measure.draws)
    reference = _said(job.inputs[f"measure-sft-{config.seeds[0]}"] / file)
    preferred, simulated = _preferred(config, those, said, reference, job.folder / "rated")
    families: list[dict[str, Any]] = []
    for family in (RL, SFT):
        sizes: list[dict[str, Any]] = []
        for member in members:
            row = found.row(_name(family, member.name))
            assert row is not None
            costs = [compute_of(job.inputs[stage]) for stage in member.trained]
            figures = {name: figure for name, figure in row.figures.items() if name in _MEASURES}
            figures["preferred"] = preferred[family, member.name]
            sizes.append(
                {
                    "name": member.name,
                    "parameters": costs[0].parameters,
                    "tokens": sum(cost.tokens for cost in costs),
                    "flops": sum(cost.flops for cost in costs),
                    "measures": {name: figure.to_json() for name, figure in figures.items()},
                }
            )
        families.append({"name": family, "sizes": sorted(sizes, key=lambda size: size["flops"])})
    body: dict[str, Any] = {
        "schema_version": 1,
        "measure": config.scaling.measure,
        "higher": RL,
        "lower": SFT,
        "families": families,
    }
    by_family = read_families(body, config.scaling.measure)
    told = multiplier(by_family[RL], by_family[SFT], seed=config.measure.seed) if len(by_family) == 2 else None
    body["multiplier"] = None if told is None else told.to_json()
    if simulated:
        body["simulated"] = f"a simulated rater ({config.rate.rater}) preferred, and taught the reward model"
    write_json(job.folder / SCALING, body)
    return True


def _preferred(
    config: StudyConfig,
    those: Sequence[Item],
    said: Mapping[tuple[str, str], Mapping[str, Sequence[Sampled]]],
    reference: Mapping[str, Sequence[Sampled]],
    folder: Path,
) -> tuple[dict[tuple[str, str], Figure], bool]:
    """How often each size of each family is preferred to the reference, and whether the rater is simulated."""
    comparisons = [
        comparison
        for key, rows in said.items()
        for item in those
        for comparison in _against(_name(*key), item, rows, reference, config.measure.seed)
    ]
    rated = rate_into(folder, comparisons, config.rate.rater, config.measure.seed)
    panel = Panel(comparisons, read_jsonl(folder / RATINGS, Rating), read_jsonl(folder / RANKINGS, Ranking))
    duels = duels_of(panel.preferences())
    draws = Bootstrap(panel.groups(), draws=config.measure.draws, seed=config.measure.seed).over(duels.groups)
    return {key: win_rate(duels, _name(*key), REFERENCE, draws) for key in said}, rated.simulated


def _against(
    name: str,
    item: Item,
    rows: Mapping[str, Sequence[Sampled]],
    reference: Mapping[str, Sequence[Sampled]],
    seed: int,
) -> Iterator[Comparison]:
    """The last critique of a size beside the reference's first, of the tampered answer: where the two are one policy,
    they are two critiques of it all the same."""
    mine, other = rows.get(item.task.id, ()), reference.get(item.task.id, ())
    if not mine or not other or mine[-1].error is not None or other[0].error is not None:
        return
    both = [
        mine[-1].model_copy(update={"critic": name, "i": 0}),
        other[0].model_copy(update={"critic": REFERENCE, "i": 0}),
    ]
    random.Random(f"{seed}/{name}/{item.task.id}").shuffle(both)
    yield Comparison(
        id=f"{name}/{item.task.id}",
        task=item.task,
        critiques=tuple(both),
        bugs=item.tamper.bugs,
        twin=item.tamper.twin,
    )


def _said(path: Path) -> dict[str, list[Sampled]]:
    """What a policy wrote, by task."""
    found: dict[str, list[Sampled]] = {}
    for sampled in read_jsonl(path, Sampled):
        found.setdefault(sampled.task_id, []).append(sampled)
    return found


def _name(family: str, size: str) -> str:
    return f"{family}-{size}"
