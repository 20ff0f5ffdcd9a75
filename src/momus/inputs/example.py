"""One example: a call, and what is promised of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Promise = Literal["equals", "holds", "raises", "prints"]
Form = Literal["doctest", "assert", "equation", "words", "input-output"]


@dataclass(frozen=True, slots=True)
class Example:
    """A call and its promise, both Python source.

    `call` may be several statements, of which the last is the expression that is judged; `shown` is how the example
    reads. `promised` is an expression (`equals`), an exception's name (`raises`), or text (`prints`); for `holds` it is
    empty. `setup` runs before. `loose` and `any_order` say how values are compared: see `momus.inputs.values.same`.
    """

    call: str
    promised: str
    promise: Promise
    form: Form
    shown: str = ""
    setup: tuple[str, ...] = ()
    loose: bool = False
    any_order: bool = False
    source: Literal["question", "docstring"] = "question"

    @property
    def text(self) -> str:
        """The call as a reader would write it."""
        return self.shown or self.call
