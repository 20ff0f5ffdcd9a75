"""Shows that tampers bite: by the task's own tests, in the sandbox. And says which of them a linter already sees."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from momus.errors import MomusError
from momus.linters import LintWarning
from momus.linters import run_many as lint_many
from momus.match import apply_suggestion
from momus.records import Tamper
from momus.sandbox import Status, run_many


@dataclass(frozen=True, slots=True)
class Proved:
    """What `prove` kept and dropped: survivors pass the tests in spite of a bug; of the rest, the twin itself fails."""

    kept: tuple[Tamper, ...]
    survived: tuple[Tamper, ...] = ()
    twin_failed: tuple[Tamper, ...] = ()


def prove(
    tampers: Sequence[Tamper], *, jobs: int = 2, timeout_s: float = 5, memory_mb: int = 512, mode: str = "auto"
) -> Proved:
    """Keep the tampers whose twin passes the task's tests and whose answer fails them; `proof` then says `tests`.

    Of several bugs in one answer, each must fail alone too, the others undone. A run that eats its memory is a failure,
    and one that is still going after `timeout_s` where its twin needed less than a fifth of that (on a busy machine it
    might just be slow). Tampers of tasks without tests are kept as they are. Raises MomusError without a sandbox.
    """
    runs = _Runs(jobs, timeout_s, memory_mb, mode)
    runs.of([program for t in tampers if (program := t.task.program(t.twin)) is not None])
    sound = [t for t in tampers if (program := t.task.program(t.twin)) is not None and runs.passed(program)]
    runs.of([program for t in sound for program in _faulty_programs(t)])
    kept: list[Tamper] = []
    survived: list[Tamper] = []
    twin_failed: list[Tamper] = []
    for tamper in tampers:
        twin = tamper.task.program(tamper.twin)
        if twin is None:
            kept.append(tamper)
        elif not runs.passed(twin):
            twin_failed.append(tamper)
        elif not all(runs.failed(program, beside=twin) for program in _faulty_programs(tamper)):
            survived.append(tamper)
        else:
            kept.append(tamper.model_copy(update={"proof": "tests"}))
    return Proved(tuple(kept), tuple(survived), tuple(twin_failed))


def linter_weight(
    tampers: Sequence[Tamper], *, rng: random.Random, keep: float = 0.3, linter: str = "ruff"
) -> tuple[list[Tamper], list[Tamper]]:
    """Mark the tampers that raise a warning which their twin does not; keep each of these with probability `keep`.

    Returns those kept and those dropped. A critic trained on too many of them learns to be a linter. Raises
    MissingExtra where the linter is not installed.
    """
    texts = list(dict.fromkeys(text for t in tampers for text in (t.twin, t.task.answer)))
    warnings = dict(zip(texts, lint_many(linter, texts), strict=True))
    kept: list[Tamper] = []
    dropped: list[Tamper] = []
    for tamper in tampers:
        draw = rng.random()  # one for each, so that the choice does not hang on what the linter said of others
        if _kinds(warnings[tamper.task.answer]) <= _kinds(warnings[tamper.twin]):
            kept.append(tamper)
            continue
        seen = tamper.model_copy(update={"seen_by_linter": True})
        (kept if draw < keep else dropped).append(seen)
    return kept, dropped


class _Runs:
    """Runs each program once and remembers how it went."""

    def __init__(self, jobs: int, timeout_s: float, memory_mb: int, mode: str) -> None:
        self._jobs, self._timeout_s, self._memory_mb, self._mode = jobs, timeout_s, memory_mb, mode
        self._ended: dict[str, tuple[Status, float]] = {}

    def of(self, programs: Sequence[str]) -> None:
        new = [program for program in dict.fromkeys(programs) if program not in self._ended]
        outcomes = run_many(new, jobs=self._jobs, timeout_s=self._timeout_s, memory_mb=self._memory_mb, mode=self._mode)
        for program, outcome in zip(new, outcomes, strict=True):
            self._ended[program] = outcome.status, outcome.seconds

    def passed(self, program: str) -> bool:
        return self._ended[program][0] == "passed"

    def failed(self, program: str, *, beside: str) -> bool:
        """Whether a program failed beyond doubt, beside one that passed."""
        status, _ = self._ended[program]
        if status == "timeout":
            return self._ended[beside][1] < self._timeout_s / 5
        return status != "passed"


def _faulty_programs(tamper: Tamper) -> list[str]:
    """The tampered answer with its tests; of several bugs, also with each bug alone."""
    answers = [tamper.task.answer]
    if len(tamper.bugs) > 1:
        answers += [_without_the_others(tamper, i) for i in range(len(tamper.bugs))]
    return [program for answer in answers if (program := tamper.task.program(answer)) is not None]


def _without_the_others(tamper: Tamper, alone: int) -> str:
    answer = tamper.task.answer
    others = [bug for i, bug in enumerate(tamper.bugs) if i != alone]
    for bug in sorted(others, key=lambda bug: bug.spans[0], reverse=True):  # from the end, so that spans stay true
        if bug.suggestion is None:
            raise MomusError(f"{tamper.task.id}: a bug without a suggestion can't be undone: prove it as a single bug")
        answer = apply_suggestion(answer, bug.spans[0], bug.suggestion)
    return answer


def _kinds(warnings: Sequence[LintWarning]) -> Counter[tuple[str, str]]:
    """Warnings by rule and message: lines shift between a tamper and its twin."""
    return Counter((warning.rule, warning.message) for warning in warnings)
