"""Does a suggestion mend the answer? Its tests say so, run in the sandbox."""

from __future__ import annotations

from momus.measure.scores import Prover
from momus.records import Task
from momus.sandbox import certify


def sandbox_prover(mode: str = "auto", *, timeout_s: float = 10) -> Prover:
    """A prover that runs the task's tests in the sandbox; only what they certify passes.

    Raises MomusError, when called, where there is no sandbox.
    """
    known: dict[str, bool] = {}

    def prove(task: Task, answer: str) -> bool:
        program = task.program(answer)
        if program is None:
            return False
        if program not in known:
            known[program] = certify(task, answer, timeout_s=timeout_s, mode=mode, confirm=False).status == "passed"
        return known[program]

    return prove
