"""The critic `solutions`: says what independent solutions to the question contradict, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from momus import __version__
from momus.critics.local.scan import Scanner, line_scores, scan_key
from momus.critics.local.store import ScanStore
from momus.critics.protocol import failed
from momus.critics.solutions.depth import DEFAULT_DEPTH, depth_named
from momus.critics.solutions.finding import comment_on
from momus.critics.solutions.outvoted import Writing, heard_of
from momus.critique import Critique
from momus.errors import MomusError
from momus.evidence.votes import Gate
from momus.records import Sampled, Task

if TYPE_CHECKING:
    from momus.models.local import LocalModel

LACKS = "solutions that agree"


class SolutionsCritic:
    """Independent solutions by a local model. Where they do not agree it is silent, and says that they did not.

    `depth` is how many are written and run (`momus.critics.solutions.depth`); `scans` a folder in which scans and
    solutions are kept.
    """

    cut: Literal["unit"] = "unit"
    runs = True

    def __init__(
        self,
        name: str,
        model: LocalModel,
        *,
        depth: str = DEFAULT_DEPTH,
        gate: Gate | None = None,
        scans: Path | None = None,
        sandbox: str = "auto",
    ) -> None:
        gate = gate or Gate()
        key = scan_key(model)
        store = ScanStore(scans, key) if scans is not None else None
        self.name = name
        self._scanner = Scanner(model, store)
        self._writing = Writing(model, depth_named(depth), gate, store, sandbox=sandbox)
        self.version = f"{__version__}/{key}/{self._writing.version}"

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` times the same critique of each task; the seed is that of the solutions."""
        by_seed = self.writing(seed)
        for task in tasks:
            try:
                said = self._critique(task, by_seed)
            except Exception as error:
                yield from (failed(self.name, task, i, error) for i in range(n))
                continue
            yield from (said.model_copy(update={"i": i}) for i in range(n))

    def expected_s(self, task: Task) -> float:
        """About how many seconds a task takes on two cores."""
        return self._writing.expected_s(task)

    def writing(self, seed: int) -> Writing:
        """Who writes its solutions, by a seed."""
        return replace(self._writing, seed=seed)

    def _critique(self, task: Task, writing: Writing) -> Sampled:
        if not task.run:
            raise MomusError(
                "running code is turned off (`run = false` or --no-run), and `solutions` does nothing without it"
            )
        heard = heard_of(task, writing)
        if not heard.contradictions:
            lacks = None if heard.speaks else LACKS
            return Sampled(task_id=task.id, critic=self.name, lacks=lacks)
        scans = self._scanner.scan(task)
        said = comment_on(task, heard, scans, line_scores(scans), writing.sandbox)
        return Sampled(task_id=task.id, critic=self.name, critique=Critique(() if said is None else (said,)))


def open_solutions(
    model: str | None = None,
    *,
    depth: str = DEFAULT_DEPTH,
    mode: Literal["fast", "exact"] = "fast",
    bf16: bool = True,
    scans: Path | None = None,
    sandbox: str = "auto",
) -> SolutionsCritic:
    """The critic over a model of the catalogue, a GGUF file or a folder; over the best that is here where none is
    named. Raises MomusError where it can't be opened."""
    from momus.critics.automatic import best_local
    from momus.models.local import open_local

    depth_named(depth)
    opened = open_local(model or best_local(), mode=mode, bf16=bf16)
    return SolutionsCritic(
        f"solutions:{model}" if model else "solutions", opened, depth=depth, scans=scans, sandbox=sandbox
    )
