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
    def text(self) -> str:
        """The badge and what it rests on, in a sentence or two."""
        return f"{self.title[0].upper()}{self.title[1:]}: {self._told()}"

    def _told(self) -> str:
        inputs = f"{self.inputs} input{'' if self.inputs == 1 else 's'}"
        if self.badge == "no-difference":
            note = f" ({self.reason})" if self.reason else ""
            return f"this code and the suggestion come to the same on {inputs}{note}, seed {self.seed}."
        if self.badge == "not-run":
            return f"{self.reason}."
        parts = [f"{self.call} {_comes_to(self.got)}"] if self.call else []
        if self.fixed:
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


def _comes_to(result: str) -> str:
    """A result as a verb and its object: results that are no values read as what happens ("has not ended ...")."""
    if result.startswith(("has not ended", "waits ", "ends ", "changes ", "prints ", "leaves ")):
        return result
    head = result.partition(":")[0]
    raises = head.isidentifier() and head.endswith(("Error", "Exception", "Iteration", "Exit", "Interrupt", "Warning"))
    return f"{'raises' if raises else 'gives'} {result}"
