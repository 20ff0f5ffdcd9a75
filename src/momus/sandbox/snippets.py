"""What single snippets on an answer come to, each on an answer that was loaded anew and within bounds of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from momus.sandbox.bounded import IDLE_EXIT, TOO_LONG
from momus.sandbox.limits import Limits
from momus.sandbox.pair import Both, run_each
from momus.sandbox.run import SIGXCPU_EXIT, check_mode
from momus.sandbox.verdict import plain_values

UNENDED = 6  # snippets of one answer that do not end, after which the others are not looked at

SeenStatus = Literal[
    "returned",
    "raised",
    "unloaded",
    "unready",
    "uncertain",
    "unended",
    "slow",
    "busy",
    "idle",
    "memory",
    "gone",
    "left",
]


@dataclass(frozen=True, slots=True)
class Snippet:
    """Python that uses an answer's names; `code`'s last expression is looked at, after `setup`.

    `expected` is an expression that it is to equal, where that is no literal. `own` are the names that are the answer's
    whatever else is called so (None: all that it defines); for the others the interpreter's, the prelude's and the
    library's stand, and a snippet that reads one of which the answer has its own is `uncertain`.
    `watched` are names that `setup` binds, of which it is said what `code` changes. `items`: so many of an iterator
    are taken, and a coroutine is run; 0: neither. `twice`: looked at two times, to tell what is not `steady`.
    """

    code: str
    setup: tuple[str, ...] = ()
    expected: str | None = None
    own: Collection[str] | None = ()
    watched: tuple[str, ...] = ()
    items: int = 0
    twice: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A value: its class ("builtins.int") and repr, and where `is_plain` itself. `true` is None where only the answer
    could say whether it is."""

    kind: str
    shown: str
    value: object = None
    is_plain: bool = False
    true: bool | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a snippet came to.

    `returned` (`value`, `printed`), `raised` or, by loading the answer, `unloaded`: `kinds` are the names of the
    exception's classes, `builtin` those that are the interpreter's, `lines` the answer's in the traceback, 1-based,
    from the outermost call inwards. `unready`: the setup or the expectation fails, for `message`; `uncertain`: it
    cannot be told from outside of the answer. `unended`: a call took too much computing; `slow`: loading did; `busy`:
    the snippet itself did; `idle`: the answer waits for something; `memory`; `gone`: its process ended; `left`: not
    looked at. `unequal`: the answer itself says that its value is not what was expected. `changed`: watched names of
    another value than before; `steady` is False where a second look came to something else; `ran`: the lines of the
    answer that ran, 1-based, as far as its own process can be believed.
    """

    status: SeenStatus
    value: Value | None = None
    promised: Value | None = None
    unequal: bool = False
    printed: str = ""
    message: str = ""
    kinds: tuple[str, ...] = ()
    builtin: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    changed: Mapping[str, Value] = field(default_factory=dict)
    steady: bool = True
    ran: tuple[int, ...] = ()


def observe_each(
    answer: str,
    wanted: Sequence[Snippet],
    *,
    prelude: str = "",
    load_s: float = 10,
    call_s: float = 2,
    idle_s: float = 6,
    soft_s: float = 0,
    timeout_s: float = 120,
    memory_mb: int = 512,
    traced: str | None = None,
    mode: str = "auto",
) -> list[Seen]:
    """What each snippet comes to on a freshly loaded answer, in their order, as a process sees it that the answer
    cannot reach.

    Seconds: of computing for loading and for each call, without any computing, and of wall clock for all of one run.
    Whatever one snippet does, the others are looked at: where a run breaks off, the rest gets another one. With
    `soft_s` seconds of computing a call is stopped without that, where it lets itself be stopped. `traced`: the file
    whose lines are noted (the answer is "answer.py"). Raises MomusError as `certify` does.
    """
    check_mode(mode)
    limits = Limits(timeout_s, memory_mb, 64_000)
    found: dict[int, Seen] = {}
    left = list(range(len(wanted)))
    unended = 0
    while left and unended < UNENDED:
        asked = [_asked(wanted[at]) for at in left]
        both = run_each(
            prelude, answer, asked, (load_s, call_s, idle_s, soft_s), traced, limits, isolated=mode == "auto"
        )
        whole = [line for line in both.lines if "gone" not in line][: len(left)]
        for at, line in zip(left, whole, strict=False):
            found[at] = _seen(line)
        first, left = not whole, left[len(whole) :]
        if not left:
            break
        status = _ended(both)
        if status == "slow":
            return [found.get(at, Seen("slow")) for at in range(len(wanted))]
        # What an earlier snippet left behind is not held against this one, unless it computes without an end.
        if first or status in ("unended", "busy"):
            found[left.pop(0)] = Seen(status)
            unended += status in ("unended", "busy", "idle")
    return [found.get(at, Seen("left")) for at in range(len(wanted))]


def _asked(snippet: Snippet) -> dict[str, Any]:
    return {
        "setup": list(snippet.setup),
        "code": snippet.code,
        "expected": snippet.expected,
        "own": None if snippet.own is None else sorted(snippet.own),
        "watched": list(snippet.watched),
        "items": snippet.items,
        "twice": snippet.twice,
    }


def _ended(both: Both) -> SeenStatus:
    """What came in the way of the snippet under way."""
    loading = any(line.get("gone") == "load" for line in both.lines)
    if both.answer.cause == "memory":
        return "memory"
    if both.answer.exit_code in SIGXCPU_EXIT:
        return "slow" if loading else "unended"
    if both.tests.exit_code in SIGXCPU_EXIT:
        return "busy"
    if both.answer.exit_code == IDLE_EXIT or "timeout" in (both.tests.cause, both.answer.cause):
        return "idle"
    return "busy" if both.tests.cause == "memory" else "gone"


def _seen(line: Mapping[str, Any]) -> Seen:
    if "left" in line:
        return Seen("left")
    ran = tuple(at for at in line.get("ran", ()) if type(at) is int)
    return replace(_came_to(line), steady=line.get("steady") is not False, ran=ran)


def _came_to(line: Mapping[str, Any]) -> Seen:
    for status in ("unready", "uncertain"):
        if status in line:
            return Seen(status, message=str(line[status]))
    for status in ("raised", "unloaded"):
        if status in line:
            said = line[status]
            try:
                kinds, own = tuple(map(str, said["kinds"])), tuple(map(str, said["builtin"]))
                lines = tuple(at for at in said["lines"] if type(at) is int)
                if kinds == (TOO_LONG,):
                    return Seen("unended", lines=lines)
                if kinds:
                    return Seen(status, message=str(said["message"]), kinds=kinds, builtin=own, lines=lines)  # type: ignore[arg-type]
            except (TypeError, LookupError):
                pass
            return Seen("gone")
    promised = _value(line["promised"]) if "promised" in line else None
    changed = {str(name): _value(now) for name, now in line["changed"].items()}
    unequal, printed = line.get("unequal") is True, str(line.get("printed", ""))
    return Seen("returned", _value(line), promised, unequal, printed, changed=changed)


def _value(line: Mapping[str, Any]) -> Value:
    values = plain_values(line)
    value = values[0] if values else None
    return Value(str(line["kind"]), str(line["shown"]), value, bool(values), line.get("true"))
