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
from momus.records import Tamper, Task
from momus.sandbox import Verdict, certify_many


@dataclass(frozen=True, slots=True)
class Proved:
    """What `prove` kept and dropped: survivors pass the tests in spite of a bug, or fail them not beyond doubt; of
    some the twin itself fails, and of some it is `uncertain` whether it passes: that can't be certified.
    """

    kept: tuple[Tamper, ...]
    survived: tuple[Tamper, ...] = ()
    twin_failed: tuple[Tamper, ...] = ()
    uncertain: tuple[Tamper, ...] = ()


def prove(
    tampers: Sequence[Tamper], *, jobs: int = 2, timeout_s: float = 5, memory_mb: int = 512, mode: str = "auto"
) -> Proved:
    """Keep the tampers whose twin passes the task's tests and whose answer fails them; `proof` then says `tests`.

    Of several bugs in one answer, each must fail alone too, the others undone. A run that eats its memory is a failure,
    and one that is still going after `timeout_s` where its twin needed less than a fifth of that (on a busy machine it
    might just be slow). Tampers of tasks without tests are kept as they are. Raises MomusError without a sandbox.
    """
    runs = _Runs(jobs, timeout_s, memory_mb, mode)
    tested = [t for t in tampers if t.task.tests is not None]
    runs.of([(t.task, t.twin) for t in tested], confirm=True)
    sound = [t for t in tested if runs.passed(t.task, t.twin)]
    runs.of([(t.task, answer) for t in sound for answer in _faulty_answers(t)])
    kept: list[Tamper] = []
    dropped: dict[str, list[Tamper]] = {"survived": [], "twin_failed": [], "uncertain": []}
    for tamper in tampers:
        if tamper.task.tests is None:
            kept.append(tamper)
        elif not runs.passed(tamper.task, tamper.twin):
            dropped["uncertain" if runs.uncertain(tamper.task, tamper.twin) else "twin_failed"].append(tamper)
        elif not all(runs.failed(tamper.task, answer, beside=tamper.twin) for answer in _faulty_answers(tamper)):
            dropped["survived"].append(tamper)
        else:
            kept.append(tamper.model_copy(update={"proof": "tests"}))
    return Proved(tuple(kept), **{why: tuple(those) for why, those in dropped.items()})


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
        self._ended: dict[str | None, Verdict] = {}

    def of(self, answers: Sequence[tuple[Task, str]], *, confirm: bool = False) -> None:
        """Run answers. Where a twin passed behind the pipe, what fails there beside it needs no confirmation."""
        new = {task.program(answer): (task, answer) for task, answer in answers}
        new = {program: pair for program, pair in new.items() if program not in self._ended}
        bounds = {"timeout_s": self._timeout_s, "memory_mb": self._memory_mb, "mode": self._mode}
        verdicts = certify_many(new.values(), jobs=self._jobs, confirm=confirm, **bounds)
        self._ended |= dict(zip(new, verdicts, strict=True))

    def passed(self, task: Task, answer: str) -> bool:
        return self._ended[task.program(answer)].status == "passed"

    def uncertain(self, task: Task, answer: str) -> bool:
        return self._ended[task.program(answer)].status == "uncertain"

    def failed(self, task: Task, answer: str, *, beside: str) -> bool:
        """Whether an answer failed beyond doubt, beside one that passed."""
        status = self._ended[task.program(answer)].status
        if status == "timeout":
            return self._ended[task.program(beside)].seconds < self._timeout_s / 5
        return status not in ("passed", "uncertain")


def _faulty_answers(tamper: Tamper) -> list[str]:
    """The tampered answer; of several bugs, also with each bug alone."""
    answers = [tamper.task.answer]
    if len(tamper.bugs) > 1:
        answers += [_without_the_others(tamper, i) for i in range(len(tamper.bugs))]
    return answers


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
