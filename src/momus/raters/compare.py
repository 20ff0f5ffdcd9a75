"""Comparisons of several critiques of one answer, blind and shuffled (section 2.2.3 of the paper).

Of a tampered answer: models' critiques and the gold one. Of an answer without known bugs: models' critiques alone. All
draws go by the seed and the task, so that the order of files and other tasks change nothing.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from momus.critique import Critique
from momus.errors import MomusError
from momus.raters.gold import gold_critique
from momus.raters.moved import MOVED, moved
from momus.records import GOLD, Bug, Comparison, Sampled, Tamper, Task, versioned

SILENT = "empty"  # the critic of an empty critique that was put in
TOO_FEW = "fewer than two different critiques"
NO_PLACE = "the place of the bug is not known"
NO_CRITIQUE = "no critique that did not fail"


@dataclass(frozen=True, slots=True)
class Mix:
    """What stands in comparisons. Raises MomusError on a value that makes no sense.

    `size` critiques in each; in the share `gold` of those on tampered answers one is the gold critique (in the paper in
    all of them: but a reward model learns to tell its words first, and from models' critiques alone where bugs are).
    The share `moved` of those on tampered answers is of one comment, a model's or the gold one's, at several lines.
    `untampered` is the share of comparisons on answers without known bugs, where as many are at hand; in the share
    `silence` of those without an empty critique, one takes a model's place. `per_task` comparisons of each answer, of
    different critiques.
    """

    size: int = 4
    gold: float = 1.0
    moved: float = 0.0
    untampered: float = 0.2
    silence: float = 0.3
    per_task: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 2 or self.per_task < 1:
            raise MomusError("a comparison needs two critiques or more, and a task one comparison or more")
        for name in ("gold", "moved", "untampered", "silence"):
            if not 0 <= getattr(self, name) <= 1:
                raise MomusError(f"the share {name} lies between 0 and 1, not at {getattr(self, name)}")


@dataclass(slots=True)
class Built:
    """Comparisons, and how many answers had none, by reason. `asked` is the share of untampered ones asked for."""

    comparisons: list[Comparison]
    asked: float
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def untampered(self) -> float:
        """The share of comparisons whose answer has no known bug."""
        clean = sum(not comparison.bugs for comparison in self.comparisons)
        return clean / len(self.comparisons) if self.comparisons else 0.0


@dataclass(frozen=True, slots=True)
class _Answer:
    task: Task
    bugs: tuple[Bug, ...]
    twin: str | None

    def compared(self, number: int, critiques: Sequence[Sampled]) -> Comparison:
        """Its comparison of that number, counted from 0."""
        name = f"{self.task.id}/{number}"
        return Comparison(id=name, task=self.task, critiques=tuple(critiques), bugs=self.bugs, twin=self.twin)


def build(items: Iterable[Tamper | Task], critiques: Iterable[Sampled], mix: Mix) -> Built:
    """Compare what critics said of each tamper, of its clean twin and of each task, found by the ids of `versioned`.

    Failed critiques are left out, and of equal ones all but one. An answer with fewer than two is skipped and counted.
    Raises MomusError where no critique is of any of the answers, or no comparison is left.
    """
    items = list(items)
    told: dict[str, list[Sampled]] = {}
    for sampled in critiques:
        told.setdefault(sampled.task_id, []).append(sampled)
    built = Built([], mix.untampered)
    tampered: list[Comparison] = []
    by_id = {versioned(item.task).id: item for item in items if isinstance(item, Tamper)}
    for name, item in by_id.items():
        if not item.bugs and name in told:
            built.skipped[NO_PLACE] += 1
            continue
        tampered += _compare(_Answer(versioned(item.task), item.bugs, item.twin), told, mix, built.skipped)
    clean = [
        c
        for task in clean_answers(items, among=told)
        for c in _compare(_Answer(task, (), None), told, mix, built.skipped)
    ]
    if not told or not (tampered or clean or built.skipped):
        raise MomusError("none of the critiques is of these tasks: give the tasks that momus critique was given")
    if mix.untampered == 1:
        tampered = []
    elif tampered:
        clean = _drawn(clean, int(mix.untampered / (1 - mix.untampered) * len(tampered) + 1e-9), mix.seed)
    elif mix.untampered == 0:
        clean = []
    built.comparisons = _shuffled([*tampered, *clean], mix.seed)
    if not built.comparisons:
        reasons = "; ".join(f"{count} x {why}" for why, count in built.skipped.items()) or "see the share of untampered"
        raise MomusError(f"no comparison could be made ({reasons}): sample more critiques with momus critique -n")
    return built


def tampered_answers(items: Iterable[Tamper | Task]) -> list[Task]:
    """The answers with bugs in them, under versioned ids, each once."""
    return list({task.id: task for i in items if isinstance(i, Tamper) for task in [versioned(i.task)]}.values())


def clean_answers(
    items: Iterable[Tamper | Task], *, twins: float = 1.0, seed: int = 0, among: Container[str] | None = None
) -> list[Task]:
    """The answers without known bugs, under versioned ids: tasks, and a share of the distinct twins of tampers.

    Of answers that are equal the first stands for all (of those `among` the ids, where these are given). Whether a twin
    is among them goes by the seed and its answer.
    """
    distinct: dict[tuple[str, str], Task] = {}
    for item in items:
        task = item.task.model_copy(update={"answer": item.twin}) if isinstance(item, Tamper) else item
        content = f"{seed}\0{task.question}\0{task.answer}"
        if isinstance(item, Tamper) and _unit(content) >= twins:
            continue
        named = versioned(task)
        if among is None or named.id in among:
            distinct.setdefault((task.question, task.answer), named)
    return list(distinct.values())


def _unit(content: str) -> float:
    """A number in [0, 1) that goes by the content alone."""
    return int.from_bytes(hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()[:7], "big") / 2**56


def _compare(answer: _Answer, told: dict[str, list[Sampled]], mix: Mix, skipped: Counter[str]) -> list[Comparison]:
    mine = told.get(answer.task.id)
    if mine is None:
        return []
    rng = random.Random(f"{mix.seed}/{answer.task.id}")
    pool = _distinct([sampled for sampled in mine if sampled.error is None], rng)
    if not pool:
        skipped[NO_CRITIQUE] += 1
        return []
    found: list[Comparison] = []
    used = 0
    for k in range(mix.per_task):
        if answer.bugs and mix.moved and rng.random() < mix.moved and (places := _places(answer, pool, mix.size, rng)):
            found.append(answer.compared(k, places))
            continue
        with_gold = bool(answer.bugs) and (mix.gold == 1 or rng.random() < mix.gold)
        room = mix.size - with_gold
        chosen = pool[used : used + room]
        used += room
        if k and len(chosen) < min(2, room):
            break
        chosen = _with_silence(chosen, room, answer.task, mix, rng)
        if with_gold:
            gold = gold_critique(answer.bugs, answer.task.answer, rng)
            chosen = [c for c in chosen if _key(c.critique) != _key(gold)]
            if gold.comments:
                chosen.append(Sampled(task_id=answer.task.id, critic=GOLD, critique=gold))
        if len(chosen) < 2:
            skipped[TOO_FEW] += 1
            break
        rng.shuffle(chosen)
        found.append(answer.compared(k, chosen))
    return found


def _places(answer: _Answer, pool: Sequence[Sampled], size: int, rng: random.Random) -> tuple[Sampled, ...]:
    """The first comment of a model's critique, or of the gold one, at several lines of the answer; empty where that
    cannot be."""
    gold = gold_critique(answer.bugs, answer.task.answer, rng)
    said = [critique.comments[0] for critique in (gold, *(s.critique for s in pool)) if critique.comments]
    if not said:
        return ()
    critiques = moved(rng.choice(said), answer.bugs, answer.task.answer, size, rng)
    rng.shuffle(critiques)
    return tuple(Sampled(task_id=answer.task.id, critic=MOVED, i=i, critique=c) for i, c in enumerate(critiques))


def _distinct(critiques: Sequence[Sampled], rng: random.Random) -> list[Sampled]:
    """Each critique once, critics by turns, so that a comparison has as many critics in it as it can."""
    seen: set[Critique] = set()
    by_critic: dict[str, list[Sampled]] = {}
    for sampled in sorted(critiques, key=lambda s: (s.critic, s.i)):
        if _key(sampled.critique) not in seen:
            seen.add(_key(sampled.critique))
            by_critic.setdefault(sampled.critic, []).append(sampled)
    queues = [by_critic[critic] for critic in sorted(by_critic)]
    rng.shuffle(queues)
    for queue in queues:
        rng.shuffle(queue)
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def _with_silence(chosen: list[Sampled], room: int, task: Task, mix: Mix, rng: random.Random) -> list[Sampled]:
    wanted = rng.random() < mix.silence
    if not wanted or any(not sampled.critique.comments for sampled in chosen):
        return chosen
    return [*chosen[: room - 1], Sampled(task_id=task.id, critic=SILENT)]


def _key(critique: Critique) -> Critique:
    return critique.without_metadata()


def _drawn(comparisons: list[Comparison], count: int, seed: int) -> list[Comparison]:
    return _shuffled(comparisons, seed)[:count]


def _shuffled(comparisons: list[Comparison], seed: int) -> list[Comparison]:
    """In an order that goes by the seed and each id alone."""
    return sorted(comparisons, key=lambda c: hashlib.sha256(f"{seed}/{c.id}".encode("utf-8", "surrogatepass")).digest())
