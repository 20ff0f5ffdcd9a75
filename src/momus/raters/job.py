"""One rater's ratings of many comparisons, into one folder, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from momus.decode import from_json
from momus.errors import MomusError
from momus.raters.form import ATTRIBUTES, as_records
from momus.raters.protocol import Rater
from momus.raters.registry import open_rater
from momus.records import Comparison, Ranking, Rating, Record, read_jsonl, write_jsonl
from momus.sharding import (
    Runner,
    finished,
    identity_of,
    in_shards,
    map_shards,
    open_parts,
    run_here,
    sha256_of,
    write_manifest,
)

SHARD = 16  # comparisons: what a stopped run may lose
COMPARISONS, RATINGS, RANKINGS, MANIFEST = "comparisons.jsonl", "ratings.jsonl", "rankings.jsonl", "manifest.json"


@dataclass(frozen=True, slots=True)
class RateWork:
    """Which rater, and how it is opened."""

    rater: str
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def open(self) -> Callable[[Sequence[Comparison]], Iterable[Record]]:
        """Raises MomusError where the rater cannot be opened."""
        rater = open_rater(self.rater, seed=self.seed, **self.options)
        return lambda shard: rated(rater, shard)


@dataclass(slots=True)
class Scores:
    """The scores of one attribute: how many, their mean (None without any), and how many are missing."""

    n: int = 0
    mean: float | None = None
    unscored: int = 0

    def add(self, score: int | None) -> None:
        if score is None:
            self.unscored += 1
            return
        self.mean = ((self.mean or 0.0) * self.n + score) / (self.n + 1)
        self.n += 1


@dataclass(slots=True)
class Summary:
    """What a rater made of the comparisons; `by_critic` is what it does not know: critic -> attribute -> scores."""

    rater: str
    simulated: bool
    comparisons: int = 0
    untampered: int = 0
    ranked: int = 0
    tied: int = 0  # with all critiques in one tier: they teach nothing
    unscored: int = 0  # comparisons without any overall score
    why: str = ""  # the first reason for one
    by_critic: dict[str, dict[str, Scores]] = field(default_factory=dict)
    verdicts: dict[str, list[int]] = field(default_factory=dict)  # rationale of a ranking -> without, with known bugs


def rated(rater: Rater, comparisons: Sequence[Comparison]) -> list[Record]:
    """The rows of each comparison's forms and its ranking, in order. The rater sees them blind."""
    blind = [comparison.shown() for comparison in comparisons]
    with ThreadPoolExecutor(getattr(rater, "concurrency", 1)) as pool:
        forms = list(pool.map(rater.rate, blind))
    records: list[Record] = []
    for comparison, form in zip(comparisons, forms, strict=True):
        rows, rankings = as_records(comparison, form, rater.name, rater.simulated)
        records += [*rows, *rankings]
    return records


def rate_all(
    comparisons: Sequence[Comparison],
    folder: Path,
    work: RateWork,
    *,
    inputs: dict[str, str],
    told: dict[str, Any] | None = None,
    run: Runner = run_here,
) -> Summary:
    """Write `comparisons.jsonl`, `ratings.jsonl`, `rankings.jsonl` and `manifest.json` (with `told` in it).

    A finished folder is left as it is, an unfinished one goes on at the last whole shard. Raises MomusError where the
    folder is of another run, a comparison stands twice, or the rater can do nothing at all.
    """
    if len({comparison.id for comparison in comparisons}) < len(comparisons):
        raise MomusError("two comparisons bear the same id: their ratings could not be told apart")
    settings = {"verb": "rate", "shard": SHARD, "rater": work.rater, "seed": work.seed}
    settings["options"] = {key: str(value) for key, value in sorted(work.options.items())}
    identity = identity_of(settings, comparisons)
    ratings, manifest = folder / RATINGS, folder / MANIFEST
    known = finished(ratings, manifest, identity)
    if known is None:
        open_parts(ratings, identity)
        try:
            write_jsonl(folder / COMPARISONS, comparisons)
            map_shards(in_shards(comparisons, SHARD), work, ratings, run=run)
            _part(folder)
        except OSError as error:
            raise MomusError(f"can't write {folder}: {error.strerror or error}: name another with -o") from None
    summary = summarise(comparisons, folder)
    if known is None:
        files = {name: sha256_of(folder / name) for name in (COMPARISONS, RANKINGS)}
        body = {"settings": settings, "inputs": inputs, "files": files, "summary": asdict(summary), **(told or {})}
        write_manifest(manifest, ratings, "rate", identity, body)
    return summary


def summarise(comparisons: Sequence[Comparison], folder: Path) -> Summary:
    """Means and counts over the ratings in a folder."""
    critics = {comparison.id: [s.critic for s in comparison.critiques] for comparison in comparisons}
    summary = Summary("", False, len(comparisons), sum(not comparison.bugs for comparison in comparisons))
    buggy = {comparison.id for comparison in comparisons if comparison.bugs}
    scored: set[str] = set()
    for row in read_jsonl(folder / RATINGS, Rating):
        summary.rater, summary.simulated = row.rater, row.simulated
        critic = critics[row.comparison_id][row.critique]
        table = summary.by_critic.setdefault(critic, {name: Scores() for name in ATTRIBUTES})
        table[row.attribute].add(row.score)
        if row.attribute == "overall":
            if row.score is not None:
                scored.add(row.comparison_id)
            else:
                summary.why = summary.why or row.rationale
    for ranking in read_jsonl(folder / RANKINGS, Ranking):
        summary.ranked += 1
        summary.tied += len(ranking.order) < 2
        summary.verdicts.setdefault(ranking.rationale, [0, 0])[ranking.comparison_id in buggy] += 1
    summary.unscored = len(comparisons) - len(scored)
    return summary


def _part(folder: Path) -> None:
    """The rankings out of the rows, into a file of their own. Only the rows are left where they were all written to."""
    rows: list[str] = []
    rankings: list[str] = []
    with (folder / RATINGS).open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            (rankings if "order" in from_json(line) else rows).append(line)
    for name, kept in ((RANKINGS, rankings), (RATINGS, rows)):
        partial = folder / f"{name}.partial"
        partial.write_text("".join(kept), encoding="utf-8", newline="\n")
        partial.replace(folder / name)
