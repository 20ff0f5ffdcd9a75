"""Does a suggestion mend the answer? Its tests say so, run in the sandbox."""

from __future__ import annotations

import secrets

from momus.measure.scores import Prover
from momus.records import Task
from momus.sandbox import run


def sandbox_prover(mode: str = "auto", *, timeout_s: float = 10) -> Prover:
    """A prover that runs the task's tests in the sandbox; a program that ends before its tests have run fails.

    Raises MomusError, when called, where there is no sandbox.
    """
    known: dict[str, bool] = {}

    def prove(task: Task, answer: str) -> bool:
        program = task.program(answer)
        if program is None:
            return False
        if program not in known:
            token = secrets.token_hex(16)  # a suggestion that just exits with 0 proves nothing
            outcome = run(f"{program}\nprint({token!r})\n", timeout_s=timeout_s, mode=mode)
            known[program] = outcome.status == "passed" and outcome.stdout.rstrip().endswith(token)
        return known[program]

    return prove
