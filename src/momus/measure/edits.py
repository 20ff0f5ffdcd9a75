"""What people did to the comments that a critic had filled in for them: kept, edited, dropped, added (Fig. 4)."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from momus.critique import Comment, Critique, TextMap
from momus.measure.figure import Figure, figures_of
from momus.measure.intervals import Bootstrap
from momus.records import Sampled

ACTIONS = ("kept", "edited", "dropped", "added")
TEAM = "human+"  # a team's critic is named for the critic whose comments it began with: human+bundled
SIMULATED_HUMAN, SIMULATED_TEAM = "simulated-human", "simulated-human+"
_ALIKE = 0.6  # from here on, two texts elsewhere in the answer are one comment that was moved


@dataclass(frozen=True, slots=True)
class Edits:
    """How many comments of the draft were kept as they were, edited and dropped, and how many were added to it."""

    kept: int = 0
    edited: int = 0
    dropped: int = 0
    added: int = 0

    @property
    def drafted(self) -> int:
        return self.kept + self.edited + self.dropped


def edits(draft: Critique, final: Critique, answer: str) -> Edits:
    """Pair the comments of two critiques of one answer, each with one of the other at most.

    Kept: highlight, text, category, severity and suggestion are the same. Edited: a highlight on a line of the draft's,
    or a text at least 60% alike. The best matches are paired first. A comment that was only made twice is added once.
    """
    text = TextMap(answer)
    before, after = [c.without_metadata() for c in draft], [c.without_metadata() for c in final]
    ranked = sorted(
        (-score, i, j) for i, a in enumerate(before) for j, b in enumerate(after) if (score := _likeness(a, b, text))
    )
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in ranked:
        if i not in paired and j not in taken:
            paired[i] = j
            taken.add(j)
    kept = sum(before[i] == after[j] for i, j in paired.items())
    return Edits(kept, len(paired) - kept, len(before) - len(paired), len(after) - len(taken))


def _likeness(a: Comment, b: Comment, text: TextMap) -> float:
    """0 where they are two comments; 3 where they are equal; else more for the same place and for like texts."""
    if a == b:
        return 3.0
    ratio = difflib.SequenceMatcher(None, a.text, b.text, autojunk=False).ratio()
    touching = not set(text.lines(a.highlight)).isdisjoint(text.lines(b.highlight))
    return 1.0 + ratio if touching else ratio if ratio >= _ALIKE else 0.0


def drafted_by(critic: str) -> str | None:
    """The critic whose comments a team began with, by the team's name; None where it is no team."""
    for team in (TEAM, SIMULATED_TEAM):
        if critic.startswith(team):
            return critic.removeprefix(team)
    return None


def is_human(critic: str) -> bool:
    """Whether the critic is a person or a team, or a simulated one."""
    return critic.startswith(("human", SIMULATED_HUMAN))


def drafts_and_finals(
    critiques: Iterable[Sampled],
) -> list[tuple[Sampled, Sampled]]:
    """Pairs of a critic's critique and the team's that began with it: `bundled` and `human+bundled`, same task and i.

    Where the draft of that number is not there, the critic's first of that task is taken. Failures are in no pair.
    """
    drafts: dict[tuple[str, str, int], Sampled] = {}
    teams: list[Sampled] = []
    for sampled in critiques:
        if sampled.error is None:
            drafts[sampled.task_id, sampled.critic, sampled.i] = sampled
            if drafted_by(sampled.critic) is not None:
                teams.append(sampled)
    found = []
    for team in teams:
        critic = drafted_by(team.critic) or ""
        draft = drafts.get((team.task_id, critic, team.i)) or drafts.get((team.task_id, critic, 0))
        if draft is not None:
            found.append((draft, team))
    return found


def shares(done: Sequence[Edits], groups: Sequence[Hashable], *, draws: int = 2000, seed: int = 0) -> dict[str, Figure]:
    """Comments of each action for each critique, with intervals, and under `kept %` ... the shares of drafted ones."""
    counts = {name: np.array([getattr(e, name) for e in done], np.float64) for name in ACTIONS}
    drafted = np.array([e.drafted for e in done], np.float64)
    bootstrap = Bootstrap(groups, draws=draws, seed=seed)
    found = figures_of(counts, bootstrap)
    totals = bootstrap.sums(np.stack([*(counts[n] for n in ACTIONS[:3]), drafted], axis=1))
    for i, name in enumerate(ACTIONS[:3]):
        if drafted.sum():
            with np.errstate(invalid="ignore", divide="ignore"):
                draws_of = totals[:, i] / totals[:, 3]
            share = counts[name].sum() / drafted.sum()
            found[f"{name} %"] = Figure.of(share, draws_of, int(drafted.sum()), bootstrap.clusters)
    return found
