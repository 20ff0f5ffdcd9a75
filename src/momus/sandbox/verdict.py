"""Do an answer's tests pass? Said by a process that the answer cannot reach.

The tests run in one sandbox, the answer in another behind a pipe. Only plain values cross, they are compared on the
tests' side, and no exit code, no printed word and no object of the answer's own has a say. What cannot be judged so is
`uncertain`, never failed: a program that passes as one process, where the answer could have forged it, proves nothing,
and one that fails there as well has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from momus.sandbox.forms import Malformed
from momus.sandbox.limits import Limits
from momus.sandbox.pair import Both, run_both
from momus.sandbox.run import ahead, check_mode, run
from momus.sandbox.wire import Receiver, Sender, Side

if TYPE_CHECKING:  # the sandbox starts with nothing but the standard library
    from momus.records import Task

VerdictStatus = Literal["passed", "failed", "timeout", "memory", "output", "refused", "uncertain"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an answer's tests went. `uncertain`: not certifiable, for the `reason` given; `calls` crossed the pipe.

    `seconds` are those of the tests, without the start of two interpreters, where they came to their end.
    """

    status: VerdictStatus
    reason: str = ""
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A call to look at: of a name of the answer's (`f`, `Solution().f`), with values that cross by value."""

    name: str
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a snippet or a call came to.

    `status`: `returned`, `raised` (`error` is the exception's class), `uncertain` (it cannot be told across the pipe),
    or how its run was ended (`timeout`, `memory`, `output`, `failed`). `shown` is the value's repr (None where there is
    no value), `value` the value itself where it is plain (`is_plain`), `args` and `kwargs` those of a call afterwards.
    """

    status: Literal["returned", "raised", "uncertain", "timeout", "memory", "output", "failed"]
    shown: str | None = None
    value: object = None
    is_plain: bool = False
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)
    error: str = ""
    message: str = ""
    printed: str = ""


def certify(
    task: Task,
    answer: str | None = None,
    *,
    timeout_s: float = 5,
    memory_mb: int = 512,
    output_bytes: int = 64_000,
    mode: str = "auto",
    confirm: bool = True,
) -> Verdict:
    """Run a task's tests on its answer, or on another one. A task without tests is `uncertain`.

    With `confirm` what did not pass runs once more as one process, to tell what fails from what cannot be certified;
    without, a failure may be one of crossing (spare it where the same tests passed on a close relative). The bounds are
    for each process. Raises MomusError where there is no isolation (mode `auto`) or the sandbox itself fails.
    """
    check_mode(mode)
    program = task.program(answer)
    if program is None or task.tests is None:
        return Verdict("uncertain", "the task has no tests")
    limits = Limits(timeout_s, memory_mb, output_bytes)
    both = run_both(
        task.prelude,
        task.answer if answer is None else answer,
        task.tests,
        limits,
        entry_point=task.entry_point,
        isolated=mode == "auto",
    )
    verdict = _verdict(both)
    if verdict.status == "passed" or not confirm:
        return verdict
    alone = run(program, timeout_s=timeout_s, memory_mb=memory_mb, output_bytes=output_bytes, mode=mode)
    if alone.status == "passed":
        reason = verdict.reason or f"behind the pipe the run ended with: {verdict.status}"
        return Verdict("uncertain", reason, verdict.stdout, verdict.stderr, verdict.seconds, verdict.calls)
    reason = verdict.reason if verdict.status == alone.status else (alone.stderr.strip().splitlines() or [""])[-1]
    return Verdict(alone.status, reason, alone.stdout, alone.stderr, alone.seconds, verdict.calls)


def certify_many(
    answers: Iterable[tuple[Task, str | None]], *, jobs: int = 2, confirm: bool = True, **bounds: Any
) -> Iterator[Verdict]:
    """Verdicts on many answers, in their order, `jobs` at a time; takes them only as fast as it runs them."""
    return ahead(answers, lambda pair: certify(pair[0], pair[1], confirm=confirm, **bounds), jobs)


def observe(
    answer: str,
    wanted: Sequence[str | Call],
    *,
    prelude: str = "",
    entry_point: str | None = None,
    timeout_s: float = 5,
    memory_mb: int = 512,
    output_bytes: int = 64_000,
    mode: str = "auto",
) -> tuple[Observed, ...]:
    """What snippets and calls on an answer come to, one after the other, as a test program would see it.

    A snippet is Python that uses the answer's names (`s = Stack()`; `s.pop()`); the value of its last expression is
    what it comes to. All share one run and its bounds; where that ends early, the snippet under way has its status,
    and so have those that were not reached. Raises MomusError as `certify` does.
    """
    check_mode(mode)
    limits = Limits(timeout_s, memory_mb, output_bytes)
    asked = [each if isinstance(each, str) else _asked(each) for each in wanted]
    both = run_both(prelude, answer, asked, limits, entry_point=entry_point, isolated=mode == "auto")
    found = [_observed(line, wanted[i]) for i, line in enumerate(both.lines[: len(wanted)])]
    if len(found) < len(wanted):
        rest = _verdict(both)
        status = rest.status if rest.status in ("timeout", "memory", "output", "uncertain") else "failed"
        found += [Observed(status, message=rest.reason)] * (len(wanted) - len(found))
    return tuple(found)


def _verdict(both: Both) -> Verdict:
    stdout = (both.tests.stdout + both.answer.stdout).decode("utf-8", "replace")
    stderr = (both.tests.stderr + both.answer.stderr).decode("utf-8", "replace")
    told = both.verdict or {}
    status, reason = told.get("verdict", "failed"), str(told.get("reason", ""))
    ended = both.tests.cause or (both.answer.cause if status != "passed" and both.answer.cause != "stopped" else None)
    if both.verdict is None or (status != "passed" and ended is not None):
        status = ended if ended is not None and ended != "stopped" else "failed"
        reason = reason or "the tests' process ended without a word"
    seconds = float(told.get("seconds", both.tests.seconds))
    return Verdict(status, reason, stdout, stderr, seconds, int(told.get("calls", 0)))


class _HostSide(Side):
    """Our own end: values and nothing else. An object of a class of the prelude is one of a class of that name that has
    no more than its fields.
    """

    def kind(self, name: str) -> type | None:
        if name not in self.classes and name.isidentifier():
            kind = type(name, (), {})
            self.classes[name], self.names[kind] = kind, name
        return self.classes.get(name)

    def named(self, module: str, name: str | None = None) -> object:
        raise Malformed("only values")


def plain_values(line: Mapping[str, Any]) -> list[Any]:
    """The values of a line, as `observe` gives them; none where they do not cross."""
    if line.get("v") is None:
        return []
    try:
        return Receiver(_HostSide(), []).take(line["nodes"], {}, line["v"])
    except Malformed:
        return []


def _asked(call: Call) -> dict[str, Any]:
    sender = Sender(_HostSide())
    values = sender.values([*call.args, *call.kwargs.values()])
    return {"call": call.name, "names": list(call.kwargs), "v": values, "nodes": sender.nodes}


def _observed(line: Mapping[str, Any], wanted: str | Call) -> Observed:
    printed = str(line.get("printed", ""))
    if "uncertain" in line:
        return Observed("uncertain", message=str(line["uncertain"]), printed=printed)
    if "error" in line:
        return Observed("raised", error=str(line["error"]), message=str(line["message"]), printed=printed)
    shown = line.get("shown")
    values = plain_values(line)
    if not values:
        return Observed("returned", shown, printed=printed)
    names = list(wanted.kwargs) if isinstance(wanted, Call) else []
    split = len(values) - len(names)
    kwargs = dict(zip(names, values[split:], strict=True))
    return Observed("returned", shown, values[0], True, tuple(values[1:split]), kwargs, printed=printed)
