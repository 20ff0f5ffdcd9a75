"""Two solutions of one task of which one passes its tests, proved in the sandbox: what ground truth is asked of."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from momus.critics import open_critic
from momus.critics.job import critiques_of
from momus.measure.datasets import twin_of
from momus.records import Pair, Record, Sampled, Tamper, Task, versioned
from momus.tamper import prove

SHARD = 16  # tasks: what a stopped run may lose


@dataclass(frozen=True, slots=True)
class PairWork:
    """Makes pairs of tasks with known bugs, in shards: whose tests say it, and with whose critiques (None: nobody's).

    `sandbox` is its mode, `seed` decides which of the two stands first.
    """

    critic: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    sandbox: str = "auto"
    timeout_s: float = 5

    def open(self) -> Callable[[Sequence[Tamper]], Iterable[Record]]:
        """Raises MomusError where the critic cannot be opened; at work, where there is no sandbox."""
        critic = None if self.critic is None else open_critic(self.critic, **self.options)

        def pairs(shard: Sequence[Tamper]) -> Iterable[Record]:
            made = [pair_of(tamper, self.seed) for tamper in proved(shard, mode=self.sandbox, timeout_s=self.timeout_s)]
            if critic is None:
                return made
            tasks = [task for pair in made for task in solutions(pair)]
            said = {s.task_id: s for s in critiques_of(critic, tasks, n=1, seed=self.seed)}
            return [whole for pair in made if (whole := _with_critiques(pair, said)) is not None]

        return pairs


def proved(tampers: Sequence[Tamper], *, mode: str = "auto", timeout_s: float = 5) -> list[Tamper]:
    """Those whose twin passes the task's tests and whose answer fails them. What has no tests proves nothing.

    Raises MomusError without a sandbox.
    """
    # The bugs are not asked for one by one: only the two solutions as they stand are ever shown.
    tested = [tamper.model_copy(update={"bugs": ()}) for tamper in tampers if tamper.task.tests is not None]
    return list(prove(tested, mode=mode, timeout_s=timeout_s).kept)


def pair_of(tamper: Tamper, seed: int) -> Pair:
    """The two solutions in an order drawn by the seed and the task."""
    task = tamper.task
    both = [(task.answer, tamper.author), (tamper.twin, task.source)]
    passes = int(random.Random(f"{seed}/{task.id}").random() < 0.5)
    if not passes:
        both.reverse()
    return Pair(
        id=task.id,
        question=task.question,
        answers=(both[0][0], both[1][0]),
        language=task.language,
        makers=(both[0][1], both[1][1]),
        passes=passes,  # type: ignore[arg-type]  # 0 or 1
        group=task.group,
    )


def solutions(pair: Pair) -> tuple[Task, Task]:
    """The two as tasks for a critic, under ids that tell them apart."""
    first, second = (
        versioned(Task(id=pair.id, question=pair.question, answer=answer, language=pair.language))
        for answer in pair.answers
    )
    return first, second


def with_tests(tampers: Iterable[Tamper]) -> list[Tamper]:
    """Those that can be proved, each pair of solutions once."""
    found: dict[tuple[str, str, str], Tamper] = {}
    for tamper in tampers:
        if tamper.task.tests is not None and twin_of(tamper).answer != tamper.task.answer:
            found.setdefault((tamper.task.question, tamper.task.answer, tamper.twin), tamper)
    return list(found.values())


def _with_critiques(pair: Pair, said: dict[str, Sampled]) -> Pair | None:
    """None where a critique failed: in its place there would be silence, which says that nothing is wrong."""
    first, second = (said[task.id] for task in solutions(pair))
    if first.error is not None or second.error is not None:
        return None
    return pair.model_copy(update={"critiques": (first, second)})
