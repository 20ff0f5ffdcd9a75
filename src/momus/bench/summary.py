"""Summaries of ratings: 1,000 bootstraps of all statistics at three sizes, and of Elo alone against peers.

Raters are simulated here: scores are drawn about a quality of each critic. The peers fit one table of duels at a time,
so that a bootstrap of theirs is as many fits; so many fits are timed as stand in `PEER_FITS`, and multiplied.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from momus.bench import Goal, Outcome, Say
from momus.measure import Bootstrap
from momus.measure.ballots import Panel
from momus.measure.elo import fit, standings
from momus.measure.preference import Duels, duels_of
from momus.measure.summary import summarise
from momus.records import Attribute, Comparison, Rating, Sampled, Task

SIZES = (10_000, 30_000, 100_000)
DRAWS = 1000
CRITICS = ("human", "human+critic", "critic", "prompted", "random", "empty")
PLACES = 4
PEER_FITS = 20
Peer = Callable[[Duels, npt.NDArray[np.int64]], None]
GROWTH_GOAL = 1.25  # of what the number of ratings grows by
ATTRIBUTES: tuple[Attribute, ...] = tuple(name for name in get_args(Attribute) if name != "cbi")


def bench(
    *,
    seed: int = 0,
    say: Say = lambda line: None,
    sizes: tuple[int, ...] = SIZES,
    draws: int = DRAWS,
) -> Outcome:
    """Summarise ratings of each size; CPU-seconds of the statistics, without reading files."""
    fit(np.ones((2, 2)))  # what scipy takes to load belongs to no size
    rows: list[dict[str, Any]] = []
    duels: Duels | None = None
    for size in sizes:
        say(f"{size} ratings")
        comparisons, ratings = made_up(size, seed)
        began = time.process_time()
        panel = Panel(comparisons, ratings)
        read = time.process_time()
        found = summarise(panel, draws=draws, seed=seed)
        spent = time.process_time() - read
        rows.append(
            {
                "ratings": found.ratings,
                "comparisons": len(comparisons),
                "tasks": len(set(panel.groups())),
                "draws": draws,
                "arrays_cpu_s": round(read - began, 3),
                "statistics_cpu_s": round(spent, 3),
            }
        )
        duels = duels_of(panel.preferences())
    first, last = rows[0], rows[-1]
    grown = last["statistics_cpu_s"] / first["statistics_cpu_s"]
    larger = last["ratings"] / first["ratings"]
    goals = [Goal("time grows, for each time that ratings grow", round(grown / larger, 3), "at most", GROWTH_GOAL, "x")]
    figures: dict[str, Any] = {"sizes": rows, "growth": {"ratings": round(larger, 2), "time": round(grown, 2)}}
    assert duels is not None
    say(f"Elo of {len(duels)} duels against peers")
    ours, peers = _elo(duels, draws, seed)
    figures["elo"] = {"duels": len(duels), "draws": draws, "momus_cpu_s": round(ours, 3), **peers}
    for name, figure in peers.items():
        goals.append(Goal(f"Elo with {draws} draws, times faster than {name}", figure["times"], "at least", 1.0, "x"))
    return Outcome("summary", goals, figures, ("numpy", "scipy", "choix", "evalica"))


def made_up(size: int, seed: int) -> tuple[list[Comparison], list[Rating]]:
    """So many simulated ratings at least: four critiques in a comparison, scored by one rater on five attributes."""
    rng = np.random.default_rng(seed)
    count = -(-size // (PLACES * len(ATTRIBUTES)))
    quality = np.linspace(5.5, 2.5, len(CRITICS))
    comparisons, ratings = [], []
    for i in range(count):
        chosen = rng.choice(len(CRITICS), PLACES, replace=False)
        task = Task(id=f"t{i}", question="", answer="x\n")
        critiques = tuple(Sampled(task_id=task.id, critic=CRITICS[c]) for c in chosen)
        comparisons.append(Comparison(id=f"c{i}", task=task, critiques=critiques))
        scores = np.clip(np.rint(rng.normal(quality[chosen], 1.5, (len(ATTRIBUTES), PLACES))), 1, 7).astype(int)
        ratings += [
            Rating(
                comparison_id=f"c{i}",
                critique=place,
                rater=f"rater{i % 20}",
                attribute=attribute,
                score=int(scores[a, place]),
                simulated=True,
            )
            for a, attribute in enumerate(ATTRIBUTES)
            for place in range(PLACES)
        ]
    return comparisons, ratings


def _elo(duels: Duels, draws: int, seed: int) -> tuple[float, dict[str, dict[str, float]]]:
    began = time.process_time()
    standings(duels, Bootstrap(duels.groups, draws=draws, seed=seed))
    ours = time.process_time() - began
    names, group = np.unique(np.array(duels.groups), return_inverse=True)
    peers: dict[str, dict[str, float]] = {}
    for name, peer in (("choix", _choix), ("evalica", _evalica)):
        if find_spec(name) is None:
            continue
        spent = [_timed(peer, duels, group, len(names), seed + i) for i in range(PEER_FITS if name == "evalica" else 3)]
        whole = statistics.mean(spent) * draws
        peers[name] = {
            "fits_timed": len(spent),
            "cpu_s_each": round(statistics.mean(spent), 5),
            "cpu_s_of_all_draws": round(whole, 2),
            "times": round(whole / ours, 2),
        }
    return ours, peers


def _timed(peer: Peer, duels: Duels, group: npt.NDArray[np.int64], groups: int, seed: int) -> float:
    """One draw of tasks, and the peer's fit of its duels."""
    rng = np.random.default_rng(seed)
    began = time.process_time()
    times = np.bincount(rng.integers(0, groups, groups), minlength=groups)
    peer(duels, np.repeat(np.arange(len(duels)), times[group]))
    return time.process_time() - began


def _choix(duels: Duels, rows: npt.NDArray[np.int64]) -> None:
    import choix

    won = duels.won[rows]
    winners = np.where(won >= 0.5, duels.first[rows], duels.second[rows])
    losers = np.where(won >= 0.5, duels.second[rows], duels.first[rows])
    choix.opt_pairwise(len(duels.names), list(zip(winners.tolist(), losers.tolist(), strict=True)), alpha=0.01)


def _evalica(duels: Duels, rows: npt.NDArray[np.int64]) -> None:
    import evalica

    won = duels.won[rows]
    winners = np.where(won == 0.5, evalica.Winner.Draw, np.where(won > 0.5, evalica.Winner.X, evalica.Winner.Y))
    evalica.bradley_terry(duels.first[rows].tolist(), duels.second[rows].tolist(), winners.tolist())
