"""Badges: what running says of a comment, with the input that says it. See docs/witness.md for what each promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Badge = Literal["proved", "outvoted", "differs", "no-difference", "not-run", "disproved"]
BADGES: tuple[Badge, ...] = get_args(Badge)

_TITLES: dict[Badge, str] = {
    "proved": "proved",
    "outvoted": "outvoted",
    "differs": "differs",
    "no-difference": "no difference found",
    "not-run": "could not run",
    "disproved": "disproved",
}

LONGEST = 80  # characters of a call or a result in a comment


@dataclass(frozen=True, slots=True)
class Evidence:
    """A badge and what it rests on.

    `call` is the input; `got` what the reviewed code comes to on it, `fixed` what the code with the suggestion does,
    `promised` what it should come to, as `by` has it ("the question", "7 of 8 solutions"). `inputs` were tried, drawn
    with `seed`. `reason` says why nothing could be run, or what refutes the comment.
    """

    badge: Badge
    call: str = ""
    got: str = ""
    fixed: str = ""
    promised: str = ""
    by: str = ""
    inputs: int = 0
    seed: int = 0
    reason: str = ""

    @property
    def title(self) -> str:
        """The badge for people: "no difference found"."""
        return _TITLES[self.badge]

    @property
    def shown(self) -> str:
        """The input and both results as a sentence of a comment; "" where there are none, or too long ones for one."""
        parts = (self.call, self.got, self.fixed)
        if not all(parts) or any(len(part) > LONGEST or "`" in part or "\n" in part for part in parts):
            return ""
        return f"`{self.call}` {_in_words(self.got)}; with the fix it {_in_words(self.fixed)}."

    @property
    def text(self) -> str:
        """The badge and what it rests on, in a sentence or two."""
        return self.beside("")

    def beside(self, comment: str) -> str:
        """The same beside a comment's text: without the input and its results where that has them (`shown`)."""
        told = self._told(bool(self.shown) and self.shown in comment)
        return f"{self.title[0].upper()}{self.title[1:]}{f': {told}' if told != '.' else told}"

    def _told(self, is_shown: bool) -> str:
        inputs = f"{self.inputs} input{'' if self.inputs == 1 else 's'}"
        if self.badge == "no-difference":
            note = f" ({self.reason})" if self.reason else ""
            return f"this code and the suggestion come to the same on {inputs}{note}, seed {self.seed}."
        if self.badge == "not-run":
            return f"{self.reason}."
        parts = [f"{self.call} {_comes_to(self.got)}"] if self.call and not is_shown else []
        if self.fixed and not is_shown:
            parts.append(f"with the suggestion it {_comes_to(self.fixed)}")
        if self.promised and self.badge == "outvoted":
            parts.append(f"{self.by}: {self.promised}")
        elif self.promised and self.by:
            parts.append(f"{self.by} promises {self.promised}")
        if self.badge == "differs":
            parts.append(f"nothing says which is right (seed {self.seed})")
        if self.reason:
            parts.append(self.reason)
        return "; ".join(parts) + "."


def _in_words(result: str) -> str:
    """The same with the result as code where it is a value."""
    verb, _, value = _comes_to(result).partition(" ")
    return f"{verb} `{value}`" if verb in ("gives", "raises") else f"{verb} {value}"


def _comes_to(result: str) -> str:
    """A result as a verb and its object: results that are no values read as what happens ("has not ended ...")."""
    if result.startswith(("has not ended", "waits ", "ends ", "changes ", "prints ", "leaves ")):
        return result
    head = result.partition(":")[0]
    raises = head.isidentifier() and head.endswith(("Error", "Exception", "Iteration", "Exit", "Interrupt", "Warning"))
    return f"{'raises' if raises else 'gives'} {result}"
