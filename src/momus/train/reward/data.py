"""Rated comparisons as what a reward model trains on: tokens of each critique, and the tier that it was put in."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from momus.critique import TextMap
from momus.decode import from_json
from momus.errors import MomusError
from momus.models.protocol import Codec, Prompt
from momus.raters.moved import MOVED
from momus.records import Comparison, R, Ranking, Rating, Task, read_jsonl
from momus.train.sources import refuse_reserved

COMPARISONS, RATINGS, RANKINGS = "comparisons.jsonl", "ratings.jsonl", "rankings.jsonl"
YES, NO = 5, 3  # from here on, and up to here, an attribute holds or not (1..7; 4 is unsure)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One critique of a comparison: its tokens behind the request, and its tier, 0 the best.

    What its rater said of it: `caught` a bug, makes `spurious` claims; None where that is unsure or was not scored.
    `moved`: another's comment, put at a line.
    """

    tokens: tuple[int, ...]
    rank: int
    gold: bool = False
    silent: bool = False
    caught: bool | None = None
    spurious: bool | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A comparison as one rater ordered it; at least two candidates, not all tied.

    `prompt` stands before every candidate. `problem` is what a split never parts. `twin` is the request for the clean
    original of a tampered answer; empty without one.
    """

    id: str
    problem: str
    prompt: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    buggy: bool = False
    twin: tuple[int, ...] = ()
    trains: bool = True

    @property
    def size(self) -> int:
        """Tokens, the prompt counted once."""
        return len(self.prompt) + sum(len(candidate.tokens) for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files hold, and how many comparisons and critiques were left out, by the reason in words."""

    groups: list[Group]
    left_out: Counter[str]
    raters: dict[str, bool] = field(default_factory=dict)  # name: simulated

    def sentences(self) -> list[str]:
        return [f"left out: {count:,} {reason}" for reason, count in sorted(self.left_out.items())]


def load(folders: Sequence[Path], codec: Codec, limit: int | None) -> Loaded:
    """Read comparisons with their ratings and rankings, one group for each rater of each comparison.

    A rater's ranking is the order; where there is none, the order of its overall scores. `limit` is the most tokens of
    a request and its critique. Critiques that failed, were not scored or do not fit, and comparisons with fewer than
    two others or without any order between them, are left out and counted. Raises MomusError where a file is missing
    or speaks of what is not there, and on a task that is set aside for measuring.
    """
    groups: list[Group] = []
    left_out: Counter[str] = Counter()
    raters: dict[str, bool] = {}
    for folder in folders:
        for group in _load(folder, codec, limit, left_out, raters):
            groups.append(group)
    return Loaded(groups, left_out, raters)


def general_pairs(paths: Iterable[Path], codec: Codec, limit: int | None) -> Loaded:
    """General preference data, JSON lines of a `prompt` (or `question`), `chosen` and `rejected`, as groups of two.

    Each reply is put as an answer that the critique has nothing to say of: a better answer deserves silence more.
    Texts, or lists of chat messages. Raises MomusError naming the line that is something else.
    """
    groups: list[Group] = []
    left_out: Counter[str] = Counter()
    silence = tuple(codec.write((), TextMap("")))
    for path in paths:
        for number, row in _rows(path):
            where = f"{path}:{number}"
            question = _text(row.get("prompt", row.get("question")), where, "prompt", every=True)
            replies = [_text(row.get(name), where, name, every=False) for name in ("chosen", "rejected")]
            try:
                asked = [(*codec.ask(Prompt(question, reply)), *silence) for reply in replies]
            except ValueError:
                left_out["general pairs with a reply that does not fit the model"] += 1
                continue
            if replies[0] == replies[1] or (limit is not None and max(map(len, asked)) > limit):
                same = replies[0] == replies[1]
                left_out[f"general pairs {'of equal replies' if same else 'longer than the context'}"] += 1
                continue
            candidates = tuple(Candidate(tokens, rank, silent=True) for rank, tokens in enumerate(asked))
            groups.append(Group(where, f"general:{question}", (), candidates))
    return Loaded(groups, left_out)


def split(groups: Sequence[Group], share: float, seed: int) -> tuple[list[Group], list[Group]]:
    """What trains and what is held out. Whole problems go one way or the other.

    A problem with a task whose own split is not `train` is held out, and of the others that share (one at least,
    where there are two).
    """
    measured = {group.problem for group in groups if not group.trains}
    rest = sorted({group.problem for group in groups} - measured)
    random.Random(seed).shuffle(rest)
    count = round(share * len(rest))
    if share and len(rest) > 1:
        count = max(1, count)
    held = measured | set(rest[:count])
    return [g for g in groups if g.problem not in held], [g for g in groups if g.problem in held]


def warnings(groups: Sequence[Group], held: Sequence[Group]) -> list[str]:
    """What keeps the report from having intervals, or from being at all."""
    if len({group.problem for group in groups}) == 1:
        return [
            "warning: all comparisons share one group, so that nothing can be held out: give each problem a `group` of "
            "its own (momus tamper groups a folder by file and function)"
        ]
    if len({group.problem for group in held}) == 1:
        return [
            "warning: what is held out is of one group, which has no interval: hold more out, or rate more problems"
        ]
    return []


def mix(groups: Sequence[Group], general: Sequence[Group], share: float, seed: int) -> list[Group]:
    """The comparisons, and of the general pairs so many, drawn at random, that they are `share` of the whole.

    All of them where there are too few.
    """
    wanted = math.ceil(len(groups) * share / (1 - share) - 1e-9)
    drawn = random.Random(seed).sample(list(general), min(wanted, len(general)))
    return [*groups, *drawn]


def tasks_of(folder: Path) -> Iterator[Task]:
    """The tasks that a folder's comparisons are of. Raises MomusError where the file cannot be read."""
    for comparison in _read(folder / COMPARISONS, Comparison):
        yield comparison.task


def _load(
    folder: Path, codec: Codec, limit: int | None, left_out: Counter[str], raters: dict[str, bool]
) -> Iterator[Group]:
    comparisons = {}
    for comparison in _read(folder / COMPARISONS, Comparison):
        if comparison.id in comparisons:
            raise MomusError(f"{folder / COMPARISONS} holds the comparison {comparison.id} twice; keep one of them")
        refuse_reserved(comparison.task)
        comparisons[comparison.id] = comparison
    scores = _scores(folder, comparisons, raters)
    orders = _orders(folder, comparisons, raters)
    if not scores and not orders:
        raise MomusError(f"{folder} holds neither {RATINGS} nor {RANKINGS} with a line in it; run momus rate first")
    for key, comparison in comparisons.items():
        rated = sorted({rater for found in (scores, orders) for name, rater in found if name == key})
        if not rated:
            left_out["comparisons that nobody rated"] += 1
        for rater in rated:
            said = scores.get((key, rater), {})
            order = orders.get((key, rater)) or _by_overall(said)
            group = _group(comparison, rater, order, said, codec, limit, left_out)
            if group is not None:
                yield group


Said = dict[int, dict[tuple[str, int | None], int | None]]  # critique: (attribute, bug): score


def _scores(
    folder: Path, comparisons: Mapping[str, Comparison], raters: dict[str, bool]
) -> dict[tuple[str, str], Said]:
    path = folder / RATINGS
    found: defaultdict[tuple[str, str], Said] = defaultdict(dict)
    for rating in _read(path, Rating) if path.exists() else ():
        _check(path, rating.comparison_id, [rating.critique], comparisons)
        row = found[rating.comparison_id, rating.rater].setdefault(rating.critique, {})
        if (rating.attribute, rating.bug) in row:
            raise MomusError(
                f"{path}: {rating.rater} scores {rating.attribute} of critique {rating.critique} in "
                f"{rating.comparison_id} twice; keep one of them"
            )
        row[rating.attribute, rating.bug] = rating.score
        raters[rating.rater] = raters.get(rating.rater, False) or rating.simulated
    return found


def _orders(
    folder: Path, comparisons: Mapping[str, Comparison], raters: dict[str, bool]
) -> dict[tuple[str, str], tuple[tuple[int, ...], ...]]:
    path = folder / RANKINGS
    found: dict[tuple[str, str], tuple[tuple[int, ...], ...]] = {}
    for ranking in _read(path, Ranking) if path.exists() else ():
        _check(path, ranking.comparison_id, [i for tier in ranking.order for i in tier], comparisons)
        if (ranking.comparison_id, ranking.rater) in found:
            raise MomusError(f"{path}: {ranking.rater} ranks {ranking.comparison_id} twice; keep one of them")
        found[ranking.comparison_id, ranking.rater] = ranking.order
        raters[ranking.rater] = raters.get(ranking.rater, False) or ranking.simulated
    return found


def _check(path: Path, key: str, critiques: Sequence[int], comparisons: Mapping[str, Comparison]) -> None:
    if key not in comparisons:
        raise MomusError(f"{path} speaks of comparison {key}, which is not in {COMPARISONS} beside it")
    if critiques and max(critiques) >= len(comparisons[key].critiques):
        raise MomusError(
            f"{path} speaks of critique {max(critiques)} of comparison {key}, which has "
            f"{len(comparisons[key].critiques)} (counted from 0)"
        )


def _by_overall(said: Said) -> tuple[tuple[int, ...], ...]:
    overall = {i: row.get(("overall", None)) for i, row in said.items()}
    values = sorted({score for score in overall.values() if score is not None}, reverse=True)
    return tuple(tuple(i for i, score in overall.items() if score == value) for value in values)


def _group(
    comparison: Comparison,
    rater: str,
    order: tuple[tuple[int, ...], ...],
    said: Said,
    codec: Codec,
    limit: int | None,
    left_out: Counter[str],
) -> Group | None:
    task, text = comparison.task, TextMap(comparison.task.answer)
    try:
        prompt = tuple(codec.ask(Prompt(task.question, task.answer)))
    except ValueError:
        left_out["comparisons whose answer does not fit the model"] += 1
        return None
    if limit is not None and len(prompt) >= limit:
        left_out["comparisons whose answer is longer than the context"] += 1
        return None
    tiers = {i: rank for rank, tier in enumerate(order) for i in tier}
    kept: list[Candidate] = []
    for i, sampled in enumerate(comparison.critiques):
        if sampled.error is not None or i not in tiers:
            left_out["critiques that failed" if sampled.error is not None else "critiques that were not scored"] += 1
            continue
        try:
            tokens = tuple(codec.write(sampled.critique.comments, text))
        except ValueError:
            left_out["critiques that quote nothing"] += 1
            continue
        if limit is not None and len(prompt) + len(tokens) > limit:
            left_out["critiques that are longer than the context"] += 1
            continue
        row = said.get(i, {})
        kept.append(
            Candidate(
                tokens,
                tiers[i],
                gold=i in comparison.gold,
                moved=sampled.critic == MOVED,
                silent=not sampled.critique.comments,
                caught=_holds([score for (name, _), score in row.items() if name == "cbi"]),
                spurious=_holds([row.get(("nitpick", None)), row.get(("fake_problem", None))]),
            )
        )
    if len(kept) < 2:
        left_out["comparisons with fewer than two scored critiques"] += 1
        return None
    if len({candidate.rank for candidate in kept}) < 2:
        left_out["comparisons whose critiques are all tied"] += 1
        return None
    return Group(
        id=f"{comparison.id}:{rater}",
        problem=task.group or task.id,
        prompt=prompt,
        candidates=tuple(kept),
        buggy=bool(comparison.bugs) or comparison.twin is not None,
        twin=_request(Prompt(task.question, comparison.twin), codec, limit) if comparison.twin is not None else (),
        trains=task.split in (None, "", "train"),
    )


def _request(prompt: Prompt, codec: Codec, limit: int | None) -> tuple[int, ...]:
    """The tokens of a request and silence's room; empty where it does not fit."""
    try:
        ids = tuple(codec.ask(prompt))
    except ValueError:
        return ()
    return ids if limit is None or len(ids) + len(codec.write((), TextMap(prompt.answer))) <= limit else ()


def _holds(scores: Sequence[int | None]) -> bool | None:
    """Whether any of these holds; none does where all were scored low; else unsure."""
    if any(score is not None and score >= YES for score in scores):
        return True
    return False if scores and all(score is not None and score <= NO for score in scores) else None


def _read(path: Path, kind: type[R]) -> Iterator[R]:
    try:
        yield from read_jsonl(path, kind)
    except OSError as error:
        raise MomusError(f"cannot read {path}: {error.strerror}") from None


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    row = from_json(line)
                    if not isinstance(row, dict):
                        raise MomusError(f"{path}:{number}: no JSON object, with prompt, chosen and rejected")
                    yield number, row
    except OSError as error:
        raise MomusError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise MomusError(f"{path} is not JSON lines: {error}") from None


def _text(value: Any, where: str, name: str, *, every: bool) -> str:
    """A text, or that of chat messages: all of them, or the last one."""
    messages = value if isinstance(value, list) else []
    texts = [m["content"] for m in messages if isinstance(m, dict) and isinstance(m.get("content"), str)]
    if texts and len(texts) == len(messages):
        return "\n\n".join(texts if every else texts[-1:])
    if not isinstance(value, str):
        raise MomusError(f"{where}: `{name}` is neither a text nor a list of chat messages")
    return value
