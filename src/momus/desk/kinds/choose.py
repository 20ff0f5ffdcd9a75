"""Compare two answers in seven steps, or judge which of two solutions passes its tests (Fig. 14, section 7.8).

Either is done with the critic's comments or without them. The arm is drawn when a seat is made; nobody can change it.
"""

from __future__ import annotations

from pydantic import Field

from momus.critique import Critique
from momus.desk.blinding import Blind, Eye, ShownComment
from momus.desk.kinds.base import TEXT, Form, Json, Kind, Known, Refused
from momus.desk.names import names_in
from momus.desk.problems import wrong
from momus.records import Pair, Task

ALONE, ASSISTED = "alone", "assisted"


class CompareForm(Form):
    """`choice`: -3 the first as shown is far better, 0 equal, 3 the second is far better. `wrong` names comments of the
    critic, by slot and index, that are wrong."""

    choice: int = Field(ge=-3, le=3)
    why: str = Field(max_length=TEXT)
    wrong: dict[str, list[int]] = Field(default_factory=dict, max_length=2)


class JudgeForm(Form):
    """`choice` is the slot of the solution that passes; `confidence` 1 (a guess) to 7 (sure)."""

    choice: str
    confidence: int | None = Field(default=None, ge=1, le=7)
    why: str = Field(default="", max_length=TEXT)
    wrong: dict[str, list[int]] = Field(default_factory=dict, max_length=2)


class ShownAnswer(Blind):
    """`comments` is null where the person works without the critic."""

    slot: str
    answer: str
    comments: list[ShownComment] | None


class PairView(Blind):
    """`question` is the task; `assisted` says whether the critic's comments are there."""

    question: str
    language: str
    assisted: bool
    answers: list[ShownAnswer]


class _OfPairs(Kind):
    item = Pair
    arms = (ALONE, ASSISTED)

    def task(self, item: Pair) -> Task:
        return Task(id=item.id, question=item.question, answer="\0".join(item.answers), language=item.language)

    def parts(self, item: Pair) -> int:
        return 2

    def critics(self, item: Pair) -> set[str]:
        return names_in([*item.makers, *(s.critic for s in item.critiques or ())])

    def view(self, item: Pair, eye: Eye, first: Json | None) -> PairView:
        return PairView(
            question=eye.asked(item.question),
            language=item.language,
            assisted=_assisted(item, eye),
            answers=[
                ShownAnswer(
                    slot=eye.slots[i],
                    answer=eye.code(item.answers[i], item.language),
                    comments=eye.comments(_critique(item, i)) if _assisted(item, eye) else None,
                )
                for i in eye.order
            ],
        )


class Compare(_OfPairs):
    name = "compare"
    form = CompareForm

    def store(self, form: CompareForm, item: Pair, eye: Eye, known: Known, first: Json | None) -> Json:
        """A canonical choice is of the item's own order: negative prefers its first answer."""
        if not form.why.strip():
            raise Refused(wrong("/why", "empty", "Say why, in a word or two."))
        choice = form.choice if eye.order[0] == 0 else -form.choice
        return {"choice": choice, "why": form.why.strip(), "wrong": _wrong(form.wrong, item, eye)}

    def show(self, stored: Json, item: Pair, eye: Eye) -> Json:
        choice = stored["choice"] if eye.order[0] == 0 else -stored["choice"]
        return {"choice": choice, "why": stored["why"], "wrong": _show_wrong(stored, eye)}


class Judge(_OfPairs):
    name = "judge"
    form = JudgeForm

    def store(self, form: JudgeForm, item: Pair, eye: Eye, known: Known, first: Json | None) -> Json:
        choice = eye.index(form.choice)
        if choice is None:
            raise Refused(wrong("/choice", "slot", "Choose one of the two."))
        return {
            "choice": choice,
            "confidence": form.confidence,
            "why": form.why.strip(),
            "wrong": _wrong(form.wrong, item, eye),
        }

    def show(self, stored: Json, item: Pair, eye: Eye) -> Json:
        return {
            "choice": eye.slots[stored["choice"]],
            "confidence": stored["confidence"],
            "why": stored["why"],
            "wrong": _show_wrong(stored, eye),
        }


def _assisted(item: Pair, eye: Eye) -> bool:
    return item.critiques is not None and eye.arm == ASSISTED


def _critique(item: Pair, i: int) -> Critique:
    return item.critiques[i].critique if item.critiques is not None else Critique()


def _wrong(marked: dict[str, list[int]], item: Pair, eye: Eye) -> dict[str, list[int]]:
    found = {}
    for slot, comments in marked.items():
        i = eye.index(slot)
        if i is None or not _assisted(item, eye) or any(not 0 <= c < len(_critique(item, i)) for c in comments):
            raise Refused(wrong(f"/wrong/{slot}", "comment", "There is no such comment here."))
        found[str(i)] = sorted(set(comments))
    return found


def _show_wrong(stored: Json, eye: Eye) -> Json:
    return {eye.slots[int(i)]: comments for i, comments in stored["wrong"].items()}
