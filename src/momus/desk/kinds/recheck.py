"""Re-check: a second person looks at what one did, or decides between what several did, without knowing who."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from momus.desk.blinding import Blind, Eye
from momus.desk.kinds.base import TEXT, Form, Json, Kind, KindName, Known, Refused
from momus.desk.problems import wrong
from momus.records import Record, Task


class Recheck(Record):
    """What is checked: submissions of one assignment, as they were stored, with the item that they are of."""

    kind: KindName
    item: dict[str, Any]
    submissions: tuple[int, ...] = Field(min_length=1)
    payloads: tuple[dict[str, Any], ...] = Field(min_length=1)


class RecheckForm(Form):
    """`confirmed`: what `choice` names (of several, the slot) is right as it is. `corrected`: `form` is put in its
    place, a form of the kind that is checked. `rejected`: nothing here is of use."""

    verdict: Literal["confirmed", "corrected", "rejected"]
    choice: str | None = None
    form: dict[str, Any] | None = None
    reason: str = Field(default="", max_length=TEXT)


class ShownWork(Blind):
    slot: str
    form: dict[str, Any]


class RecheckView(Blind):
    """`view` is what those who did it saw, bugs and all; `work` is what they handed in."""

    kind: KindName
    view: dict[str, Any]
    work: list[ShownWork]


class RecheckKind(Kind):
    name = "recheck"
    item = Recheck
    form = RecheckForm

    def __init__(self, others: dict[str, Kind]) -> None:
        self._others = others

    def task(self, item: Recheck) -> Task:
        return self._of(item)[0].task(self._of(item)[1])

    def parts(self, item: Recheck) -> int:
        """First the work, then the parts of what is checked."""
        kind, inner = self._of(item)
        return len(item.payloads) + kind.parts(inner)

    def critics(self, item: Recheck) -> set[str]:
        kind, inner = self._of(item)
        return kind.critics(inner)

    def view(self, item: Recheck, eye: Eye, first: Json | None) -> RecheckView:
        kind, inner = self._of(item)
        count = len(item.payloads)
        shown = kind.view(inner, _inner(eye, count), item.payloads[0])
        return RecheckView(
            kind=item.kind,
            view=shown.model_dump(mode="json"),
            work=[
                ShownWork(slot=eye.slots[i], form=kind.show(item.payloads[i], inner, _inner(eye, count)))
                for i in eye.order
                if i < count
            ],
        )

    def store(self, form: RecheckForm, item: Recheck, eye: Eye, known: Known, first: Json | None) -> Json:
        kind, inner = self._of(item)
        count = len(item.payloads)
        choice = eye.index(form.choice) if form.choice is not None else 0 if count == 1 else None
        if form.verdict != "confirmed" and not form.reason.strip():
            raise Refused(wrong("/reason", "empty", "Say what is wrong with it."))
        if form.verdict == "confirmed" and (choice is None or choice >= count):
            raise Refused(wrong("/choice", "slot", "Choose which of them is right."))
        made = None
        if form.verdict == "corrected":
            try:
                put = kind.form.model_validate(form.form)
            except ValueError:
                raise Refused(wrong("/form", "form", f"That is no form of the kind {item.kind}.")) from None
            made = kind.store(put, inner, _inner(eye, count), known, item.payloads[0].get("first"))
        return {"verdict": form.verdict, "choice": choice, "made": made, "reason": form.reason.strip()}

    def show(self, stored: Json, item: Recheck, eye: Eye) -> Json:
        kind, inner = self._of(item)
        made = stored["made"]
        return {
            "verdict": stored["verdict"],
            "choice": None if stored["choice"] is None else eye.slots[stored["choice"]],
            "form": None if made is None else kind.show(made, inner, _inner(eye, len(item.payloads))),
            "reason": stored["reason"],
        }

    def _of(self, item: Recheck) -> tuple[Kind, Any]:
        kind = self._others[item.kind]
        return kind, kind.item.model_validate(item.item)


def _inner(eye: Eye, count: int) -> Eye:
    """The eye for the parts of what is checked, which come after the work itself."""
    return Eye(eye.slots[count:], tuple(i - count for i in eye.order if i >= count), eye.names, "assisted")
