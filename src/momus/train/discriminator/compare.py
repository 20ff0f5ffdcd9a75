"""Discriminators of several sizes over the same twins (Fig. 13), and critics where the largest of them fails (7.7)."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from momus import __version__
from momus.critics import Critic
from momus.errors import MomusError
from momus.measure.figure import NOTHING, Figure, figures_of
from momus.measure.intervals import Bootstrap
from momus.measure.paired import paired
from momus.measure.results import measure
from momus.measure.runs import Track
from momus.records import Tamper
from momus.train.discriminator.report import COIN, Floats, by_operator, columns, crossed, logits_of
from momus.train.discriminator.stage import Discriminator, open_discriminator
from momus.train.discriminator.twins import NATURAL, Twins, read, twins_of
from momus.train.reward.model import context_of

TENTH = 0.1
# Who spots two of three of an operator's bugs and guesses the rest orders 5 of 6 pairs rightly. The paper asks of a bug
# that the critic of the day miss it at least once in three: what the smallest model sees more often is too easy.
TOO_EASY = 5 / 6
LEAST_PAIRS = 10  # of an operator, to say anything of it


@dataclass(frozen=True, slots=True)
class Sized:
    """One discriminator over the common pairs: its compute in FLOPs, and its logits [pairs, 2]."""

    name: str
    flops: float
    parameters: int
    logits: Floats


def compare(
    folders: Sequence[Path],
    on: Sequence[Path],
    *,
    critics: Sequence[Critic] = (),
    family: str = "discriminator",
    by: str = "place@3",
    flops: Mapping[str, float] | None = None,
    runs: Path | None = None,
    track: Track | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """What `discriminators.json` holds: log-loss by size, the tenth where the largest is most surely wrong, repairs.

    All sizes are measured over the same pairs of the files `on`: those that fit all of them. The tenth is of the
    tampered answers, those that the largest calls clean most surely; each critic's figure there is `by`, a measure of
    `momus measure`. `flops` says the compute of a folder that does not know its own, by the folder's name. Raises
    MomusError on what cannot be compared.
    """
    opened = [open_discriminator(folder) for folder in folders]
    tampers = read(on, measured=True)
    kept, pairs = _common(opened, tampers)
    sizes = sorted(
        (
            Sized(
                d.folder.name,
                _flops(d, flops or {}),
                int(d.about["parameters"]),
                crossed(rows, logits_of(rows, d.logits), seed),
            )
            for d, rows in zip(opened, pairs, strict=True)
        ),
        key=lambda size: size.flops,
    )
    groups = [pair.group.problem for pair in pairs[0]]
    bootstrap = Bootstrap(groups, draws=draws, seed=seed)
    largest = sizes[-1]
    tenth = wrong_tenth(largest.logits)
    body: dict[str, Any] = {
        "schema_version": 1,
        "momus": __version__,
        "on": [path.name for path in on],
        "pairs": len(kept),
        "problems": len(set(groups)),
        "coin": COIN,
        "families": [{"name": family, "sizes": [_told(size, bootstrap) for size in sizes]}],
        "differences": [_difference(a, b, groups, draws, seed) for a, b in itertools.pairwise(sizes)],
        **repairs(pairs[0], sizes, draws=draws),
    }
    if critics:
        found = measure(
            critics, [kept[i] for i in tenth], label="the tenth", seed=seed, draws=draws, runs=runs, track=track
        )
        if not any(by in row.figures for row in found.rows):
            known = ", ".join(sorted({name for row in found.rows for name in row.figures}))
            raise MomusError(f"there is no measure {by!r} of these answers: choose from {known}")
        body["wrong_tenth"] = {row.critic: row.figures.get(by, NOTHING).to_json() for row in found.rows}
        body["wrong_tenth_of"] = {
            "size": largest.name,
            "answers": len(tenth),
            "of": len(kept),
            "called_clean": int((largest.logits[tenth, 0] < 0).sum()),
            "by": by,
            "critics": [row.to_json() for row in found.rows],
        }
        body["simulated"] = f"that a critic caught the bug is judged by code ({by}), not by people"
    return body


def wrong_tenth(logits: Floats) -> list[int]:
    """The tenth of the tampered answers that are called clean most surely, the surest first: [pairs, 2] to indices."""
    return [int(i) for i in np.argsort(logits[:, 0], kind="stable")[: math.ceil(TENTH * len(logits))]]


def repairs(pairs: Sequence[Twins], sizes: Sequence[Sized], *, draws: int = 2000) -> dict[str, list[Any]]:
    """Operators whose bugs the smallest size spots too easily, easiest first, and those with too few pairs to tell.

    Too easy: it orders 5 of 6 pairs rightly or more, and surely more than half.
    """
    tables = [(size, by_operator(pairs, size.logits, draws=draws)) for size in sizes]
    smallest = tables[0][1]
    easy: list[dict[str, Any]] = []
    few: list[str] = []
    for name, row in smallest.items():
        order = Figure.from_json(row["order"])
        if name == NATURAL:
            continue
        if order.n < LEAST_PAIRS:
            few.append(name)
        elif order.mean >= TOO_EASY and order.low > 0.5:
            by_size = {size.name: table[name]["order"]["mean"] for size, table in tables}
            easy.append({"operator": name, "order": row["order"], "by_size": by_size})
    return {"repair": sorted(easy, key=lambda row: -row["order"]["mean"]), "too_few_pairs": few}


def lines(body: Mapping[str, Any]) -> list[str]:
    """What was found, as text."""
    family = body["families"][0]
    said = [f"{body['pairs']:,} pairs of {body['problems']:,} problems; a coin has a log-loss of {COIN:.3f}", ""]
    said.append(f"{family['name']:24} {'FLOPs':>9} {'weights':>12} {'log-loss':>24} {'accuracy %':>11} {'order %':>8}")
    for size in family["sizes"]:
        loss = Figure.from_json(size["measures"]["log_loss"])
        rest = [100 * Figure.from_json(size["measures"][name]).mean for name in ("accuracy", "order")]
        shown = f"{loss.mean:.3f} ({loss.low:.3f} to {loss.high:.3f})"
        said.append(
            f"{size['name']:24} {size['flops']:>9.2g} {size['parameters']:>12,} {shown:>24} {rest[0]:>11.1f} "
            f"{rest[1]:>8.1f}"
        )
    if about := body.get("wrong_tenth_of"):
        said += [
            "",
            f"Where {about['size']} is most surely wrong ({about['answers']} of {about['of']} tampered answers, "
            f"{about['called_clean']} of them called clean), critics have {about['by']}:",
        ]
        for critic, figure in body["wrong_tenth"].items():
            share = Figure.from_json(figure)
            said.append(f"{critic:24} {100 * share.mean:.1f}% ({100 * share.low:.1f} to {100 * share.high:.1f})")
    easy = [f"{row['operator']} ({100 * row['order']['mean']:.0f}% of {row['order']['n']})" for row in body["repair"]]
    said += ["", f"For repair, as the smallest spots them too easily: {', '.join(easy) or 'none'}"]
    if body["too_few_pairs"]:
        said.append(f"With fewer than {LEAST_PAIRS} pairs, not told: {', '.join(body['too_few_pairs'])}")
    return said


def _common(opened: Sequence[Discriminator], tampers: Sequence[Tamper]) -> tuple[list[Tamper], list[list[Twins]]]:
    """The tampers that fit every discriminator, and the pairs of each. Raises MomusError where one trained on any."""
    if len({d.folder.name for d in opened}) < len(opened):
        raise MomusError("two of these folders bear the same name: their sizes could not be told apart")
    found: list[tuple[Tamper, list[Twins]]] = []
    seen: set[tuple[str, str]] = set()
    for tamper in tampers:
        key = (tamper.task.answer, tamper.twin)
        rows = [row for d in opened for row in twins_of([tamper], d.codec, _limit(d), Counter())]
        if len(rows) == len(opened) and tamper.bugs and key not in seen:
            seen.add(key)
            found.append((tamper, rows))
    if not found:
        raise MomusError("no pair of twins with a known bug fits all of these discriminators: give others with --on")
    for number, d in enumerate(opened):
        trained = set(d.about["trained_on"]["groups"])
        for tamper, rows in found:
            if rows[number].group.problem in trained:
                raise MomusError(
                    f"{d.folder} was trained on the problem of {tamper.task.id}: measure on others, or no figure means "
                    "anything"
                )
    return [tamper for tamper, _ in found], [[rows[n] for _, rows in found] for n in range(len(opened))]


def _limit(opened: Discriminator) -> int | None:
    limits = (opened.about["config"].get("max_tokens"), context_of(opened.model))
    return min((n for n in limits if n is not None), default=None)


def _flops(opened: Discriminator, given: Mapping[str, float]) -> float:
    known = given.get(opened.folder.name, opened.about.get("flops"))
    if not isinstance(known, int | float) or not known > 0:
        raise MomusError(
            f"nobody knows the compute that {opened.folder} was pre-trained with: say it, --flops "
            f"{opened.folder.name}=1e15"
        )
    return float(known)


def _told(size: Sized, bootstrap: Bootstrap) -> dict[str, Any]:
    found = figures_of(columns(size.logits), bootstrap)
    return {
        "name": size.name,
        "flops": size.flops,
        "parameters": size.parameters,
        "measures": {name: figure.to_json() for name, figure in found.items()},
    }


def _difference(a: Sized, b: Sized, groups: Sequence[str], draws: int, seed: int) -> dict[str, Any]:
    """What the larger of two neighbours has more of log-loss; below 0 it is the better."""
    tested = paired(columns(b.logits)["log_loss"], columns(a.logits)["log_loss"], groups, draws=draws, seed=seed)
    return {"from": a.name, "to": b.name, "log_loss": tested.to_json()}
