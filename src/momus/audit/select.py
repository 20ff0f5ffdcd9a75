"""What is looked at again: the answers with the most suspect critiques, and as many drawn at random without one.

The control is drawn first, from all answers, so that it says what a second look finds in any of them; the rest are
criticised. Who looks again is told neither how suspect an answer is nor who said so, and finds both kinds in an order
of their own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from momus.audit.answers import for_critic, reads_code_only
from momus.audit.order import Score, first, scored
from momus.critics.job import CritiqueWork, critique_all
from momus.decode import from_json
from momus.errors import MomusError
from momus.records import Prefilled, Record, Sampled, Task, read_jsonl, write_jsonl
from momus.sharding import Runner, identity_of, run_here, write_manifest

CRITIQUES, ARMS, MANIFEST = "critiques.jsonl", "arms.jsonl", "audit.manifest.json"
TEAM, WRITE = "team.jsonl", "write.jsonl"  # named for the desk's kinds
FILES = {"team": TEAM, "write": WRITE}
Arm = Literal["critique", "control"]


class Chosen(Record):
    """An answer that is looked at again, and why. `place` is its place in the order, 0 the most suspect."""

    task: Task
    arm: Arm
    critique: Sampled | None = None
    place: int | None = None


@dataclass(slots=True)
class Told:
    """What became of the answers."""

    answers: int = 0
    not_read: int = 0  # by a critic that reads Python only
    criticised: int = 0
    failed: int = 0
    silent: int = 0  # answers of which no critique says anything
    critique: int = 0  # looked at again with a critique
    control: int = 0
    ordered: str = ""
    left_out: list[str] = field(default_factory=list)


def select(
    tasks: Sequence[Task],
    out: Path,
    work: CritiqueWork,
    *,
    top: int,
    score: Score | None = None,
    scored_by: str = "",
    seed: int = 0,
    inputs: dict[str, str],
    run: Runner = run_here,
) -> Told:
    """Criticise answers and write what is to be looked at again into the folder `out`; a stopped run goes on.

    `team.jsonl` (with the critique) and `write.jsonl` (the control) are for the desk, each in a drawn order;
    `arms.jsonl` says which is which, and is for the report alone. `score` is a reward model's, `scored_by` its name.
    Raises MomusError where there are too few answers, or the critic can read none.
    """
    readable = for_critic(tasks, work.critic)
    if len(readable) < 2:
        raise MomusError("an audit needs two answers at least: one to criticise and one beside it")
    top = min(top, len(readable) // 2)
    drawn = random.Random(f"{seed}/control").sample(range(len(readable)), top)
    rest = [task for i, task in enumerate(readable) if i not in set(drawn)]
    critique_all(rest, out / CRITIQUES, work, inputs=inputs, run=run)
    said: dict[str, list[Sampled]] = {}
    for sampled in read_jsonl(out / CRITIQUES, Sampled):
        said.setdefault(sampled.task_id, []).append(sampled)
    rated, ordered = scored(rest, said, score)
    if score is not None and scored_by:
        ordered = f"by the reward model {scored_by}"
    chosen = first(rated, top, seed)
    errors = [sampled.error for rows in said.values() for sampled in rows if sampled.error is not None]
    if len(errors) == sum(map(len, said.values())):
        raise MomusError(f"{work.critic} failed on all {len(rest)} answers, the first because {errors[0]}")
    if not chosen:
        raise MomusError(f"{work.critic} has nothing to say of any of these answers: there is nothing to look at again")
    by_id = {task.id: task for task in rest}
    rows = [
        Chosen(task=_shown(by_id[sampled.task_id]), arm="critique", critique=sampled, place=place)
        for place, sampled in enumerate(chosen)
    ]
    control = [readable[i] for i in drawn[: len(chosen)]]
    rows += [Chosen(task=_shown(task), arm="control") for task in control]
    try:
        _write(rows, out, seed)
    except OSError as error:
        raise MomusError(f"can't write {out}: {error.strerror or error}: name another place with -o") from None
    told = Told(
        answers=len(tasks),
        not_read=len(tasks) - len(readable),
        criticised=len(rest),
        failed=sum(all(s.error is not None for s in rows_) for rows_ in said.values()),
        critique=len(chosen),
        control=len(control),
        ordered=ordered,
    )
    told.silent = told.criticised - told.failed - len(rated)
    if told.not_read and reads_code_only(work.critic):
        told.left_out.append(f"{told.not_read} answers are not Python, which is all that {work.critic} reads")
    settings = {"verb": "audit select", "critic": work.critic, "n": work.n, "top": top, "seed": seed}
    settings["options"] = {key: str(value) for key, value in sorted(work.options.items())}
    identity = identity_of({**settings, "ordered": ordered}, tasks)
    counts = {name: getattr(told, name) for name in told.__dataclass_fields__ if name != "left_out"}
    write_manifest(
        out / MANIFEST, out / ARMS, "audit select", identity, {"settings": settings, "inputs": inputs, "counts": counts}
    )
    return told


def read_chosen(folder: Path) -> list[Chosen]:
    """What an audit's folder holds. Raises MomusError where it is none."""
    try:
        return list(read_jsonl(folder / ARMS, Chosen))
    except FileNotFoundError:
        raise MomusError(f"{folder} holds no audit: make one with momus audit select") from None
    except OSError as error:
        raise MomusError(f"can't read {folder / ARMS}: {error.strerror or error}") from None


def read_settings(folder: Path) -> dict[str, Any]:
    """The manifest of an audit. Raises MomusError where it cannot be read."""
    try:
        told: dict[str, Any] = from_json((folder / MANIFEST).read_text(encoding="utf-8"))
        told["settings"]["critic"], told["counts"]["ordered"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"can't read {folder / MANIFEST} ({error}): finish momus audit select first") from None
    return told


def _write(rows: Sequence[Chosen], out: Path, seed: int) -> None:
    mixed = list(rows)
    random.Random(f"{seed}/shown").shuffle(mixed)
    write_jsonl(out / TEAM, (Prefilled(task=row.task, critique=_blind(row.critique)) for row in mixed if row.critique))
    write_jsonl(out / WRITE, (row.task for row in mixed if row.critique is None))
    write_jsonl(out / ARMS, rows)


def _shown(task: Task) -> Task:
    """Without tests, which would decide in the person's place, and without its split."""
    return task.model_copy(update={"tests": None, "prelude": "", "split": None})


def _blind(sampled: Sampled) -> Sampled:
    return Sampled(task_id=sampled.task_id, critic=sampled.critic, critique=sampled.critique.without_metadata())
