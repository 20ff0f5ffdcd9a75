"""A vote of independent solutions on what a call gives, and when it may be spoken of.

Nothing here knows who wrote the solutions: they are results, each with the number of programs that it stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from momus.evidence.running import Result, same
from momus.inputs import values
from momus.inputs.calls import Call


@dataclass(frozen=True, slots=True)
class Vote:
    """One call: what most solutions make of it, and what the answer does.

    `agree` of `voters` programs come to `result`; it is None where most of them raise, do not end, or give what can't
    be compared. `contradicts`: the answer comes to something else.
    """

    call: Call
    got: Result
    result: Result | None
    agree: int
    voters: int
    contradicts: bool

    @property
    def share(self) -> float:
        """The share of the programs that agree on a value; 0 where most have none."""
        return self.agree / self.voters if self.result is not None and self.voters else 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """When solutions may be believed: where the model can do the task.

    `least` programs, and a share `kept` of what was written, have to be left after the question's examples: of many
    that fail, a few pass by a common misreading. On a call a `share` of them has to agree, and on at least `decided` of
    all calls, and `calls` of them, they have to. Where the question has no examples the bare numbers hold, and with
    None nothing is said: there nothing has shown that the model understood the task (of correct answers to such
    questions of the part *tune* 3 in 41 were contradicted by 8 of 8). An answer is contradicted where it goes `against`
    them on so many calls.
    """

    least: int = 5
    kept: float = 5 / 8
    share: float = 7 / 8
    bare_least: int | None = None
    bare_share: float = 1.0
    decided: float = 0.5
    calls: int = 3
    against: int = 1

    def enough(self, programs: int, written: int, *, examples: bool) -> bool:
        """Whether so many programs of those that were written may vote at all."""
        least = self.least if examples else self.bare_least
        return least is not None and programs >= max(least, self.kept * written)

    def agreed(self, vote: Vote, *, examples: bool) -> bool:
        """Whether a vote is decided."""
        return vote.share >= (self.share if examples else self.bare_share)

    def confidence(self, vote: Vote) -> float:
        """How likely it is that a contradicted answer is wrong: by the rule of succession."""
        return (vote.agree + 1) / (vote.voters + 2)

    def speaks(self, votes: Sequence[Vote], programs: int, written: int, *, examples: bool) -> bool:
        """Whether what the solutions agree on may be held against an answer."""
        n = sum(self.agreed(vote, examples=examples) for vote in votes)
        return self.enough(programs, written, examples=examples) and n >= max(self.calls, self.decided * len(votes))


def votes(
    calls: Sequence[Call],
    answer: Sequence[Result],
    solutions: Sequence[tuple[Sequence[Result], int]],
    *,
    any_order: bool = False,
) -> list[Vote]:
    """A vote on each call. `solutions` are the results of each distinct program with how many it stands for.

    `any_order`: the order of a list is left open by the question.
    """
    found = []
    voters = sum(copies for _, copies in solutions)
    for at, (call, got) in enumerate(zip(calls, answer, strict=True)):
        result, agree = _commonest([(results[at], copies) for results, copies in solutions], any_order)
        if result is None or 2 * agree <= voters:
            found.append(Vote(call, got, None, agree, voters, False))
        else:
            against = got.certain and not alike(got, result, any_order=any_order)
            found.append(Vote(call, got, result, agree, voters, against))
    return found


def alike(a: Result, b: Result, *, any_order: bool = False) -> bool:
    """Whether two calls came to the same, where the order of a list counts or is left open."""
    if same(a, b):
        return True
    return any_order and a.value is not None and b.value is not None and values.same(a.value, b.value, any_order=True)


def _commonest(results: Sequence[tuple[Result, int]], any_order: bool) -> tuple[Result | None, int]:
    """The value that most programs come to, and how many do."""
    groups: list[tuple[Result, int]] = []
    for result, copies in results:
        if result.kind != "value":
            continue
        known = next((n for n, (other, _) in enumerate(groups) if alike(result, other, any_order=any_order)), None)
        if known is None:
            groups.append((result, copies))
        else:
            groups[known] = groups[known][0], groups[known][1] + copies
    return max(groups, key=lambda group: group[1], default=(None, 0))
