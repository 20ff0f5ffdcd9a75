"""Rate: the paper's form (Table 2) for four critiques side by side, twice: before the reference bug is shown and after.

The first pass can't be changed once the bug was shown. Both are kept; what trains is the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import combinations

from pydantic import BaseModel, ConfigDict, Field

from momus.critique import Severity, TextMap
from momus.desk.blinding import Blind, Eye, Place, ShownComment
from momus.desk.kinds.base import TEXT, Form, Json, Kind, Known, Refused, TaskView, task_view
from momus.desk.names import names_in
from momus.desk.problems import Wrong, wrong
from momus.raters.form import SINGLE, Rated
from momus.raters.form import Form as Scores
from momus.records import Bug, Comparison, Task


class ScoreForm(BaseModel):
    """One critique's scores, 1..7; null is "can't say". `cbi` has one for each reference bug, in the second pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    cbi: list[int | None] = Field(default_factory=list, max_length=50)
    comprehensiveness: int | None = Field(default=None, ge=1, le=7)
    nitpick: int | None = Field(default=None, ge=1, le=7)
    fake_problem: int | None = Field(default=None, ge=1, le=7)
    conciseness: int | None = Field(default=None, ge=1, le=7)
    overall: int | None = Field(default=None, ge=1, le=7)
    rationale: str = Field(default="", max_length=TEXT)


class RateForm(Form):
    """`critiques` by slot. `order` is the ranking, best first; slots in one tier are tied. `confirmed`: the ranking is
    meant, although it contradicts the overall scores."""

    critiques: dict[str, ScoreForm] = Field(max_length=50)
    order: list[list[str]] = Field(max_length=50)
    rationale: str = Field(default="", max_length=TEXT)
    confirmed: bool = False


class ShownCritique(Blind):
    """One critique under its slot. `failed`: there is none, and it is not scored."""

    slot: str
    comments: list[ShownComment]
    failed: bool = False


class ShownBug(Blind):
    spans: list[Place]
    description: str
    severity: Severity
    suggestion: str | None


class RateView(Blind):
    """`bugs` is null before the first pass is made, and then what is known of the answer; perhaps nothing."""

    task: TaskView
    critiques: list[ShownCritique]
    bugs: list[ShownBug] | None


class Rate(Kind):
    name = "rate"
    item = Comparison
    form = RateForm
    passes = 2

    def task(self, item: Comparison) -> Task:
        return item.task

    def parts(self, item: Comparison) -> int:
        return len(item.critiques)

    def critics(self, item: Comparison) -> set[str]:
        return names_in(sampled.critic for sampled in item.critiques)

    def view(self, item: Comparison, eye: Eye, first: Json | None) -> RateView:
        return RateView(
            task=task_view(item.task, eye),
            critiques=[
                ShownCritique(
                    slot=eye.slots[i],
                    comments=eye.comments(item.critiques[i].critique),
                    failed=item.critiques[i].error is not None,
                )
                for i in eye.order
            ],
            bugs=None if first is None else shown_bugs(in_other_words(item), eye),
        )

    def first(self, form: RateForm, item: Comparison, eye: Eye) -> Json:
        """CBI waits for the second pass: nobody can score what has not been shown."""
        return _dump(_rated(form, item, eye, bugs=0), form.confirmed)

    def store(self, form: RateForm, item: Comparison, eye: Eye, known: Known, first: Json | None) -> Json:
        if first is None:
            raise Refused(wrong("", "first-pass", "Rate without the reference bug first, then see it and rate again."))
        return {"first": first, "second": _dump(_rated(form, item, eye, bugs=len(item.bugs)), form.confirmed)}

    def show(self, stored: Json, item: Comparison, eye: Eye) -> Json:
        rated = rated_of(stored.get("second", stored))
        return {
            "critiques": {
                eye.slots[i]: {
                    "cbi": list(form.cbi),
                    **{name: getattr(form, name) for name in SINGLE},
                    "rationale": form.rationale,
                }
                for i, form in enumerate(rated.forms)
            },
            "order": [[eye.slots[i] for i in tier] for tier in rated.order],
            "rationale": rated.rationale,
        }


def shown_bugs(bugs: Iterable[Bug], eye: Eye) -> list[ShownBug]:
    return [
        ShownBug(
            spans=[Place(start=s.start, end=s.end) for s in bug.spans],
            description=eye.scrub(bug.description),
            severity=bug.severity,
            suggestion=None if bug.suggestion is None else eye.code(bug.suggestion),
        )
        for bug in bugs
    ]


def in_other_words(item: Comparison) -> list[Bug]:
    """The reference bugs. What a critique says to the letter is told by what stands there and what should.

    A critique that is made of the reference bugs would be known among the others by its words.
    """
    said = {_letters(c.text) for sampled in item.critiques for c in sampled.critique}
    return [
        bug.model_copy(update={"description": _plain_facts(bug, item) or bug.description})
        if any(_letters(bug.description) in text for text in said)
        else bug
        for bug in item.bugs
    ]


def _plain_facts(bug: Bug, item: Comparison) -> str | None:
    """None where it is not known what should stand there."""
    answer, span = item.task.answer, bug.spans[0]
    lines = TextMap(answer).lines(span)
    where = f"Line {lines[0]}" if len(lines) == 1 else f"Lines {lines[0]} to {lines[-1]}"
    if bug.suggestion is not None:
        here, right = span.of(answer), bug.suggestion
    elif item.twin is not None:
        here, right = changed(answer, item.twin)
    else:
        return None
    if not here.strip():
        return f"{where}: this is missing there:\n{right.strip()}"
    instead = f"Right would be:\n{right.strip()}" if right.strip() else "It should not be there."
    return f"{where}. Here stands:\n{here.strip()}\n{instead}"


def changed(answer: str, twin: str) -> tuple[str, str]:
    """The lines of an answer that are not its twin's, and those of the twin in their place."""
    ours, theirs = answer.splitlines(), twin.splitlines()
    codes = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    here = [line for tag, a, b, _, _ in codes if tag != "equal" for line in ours[a:b]]
    right = [line for tag, _, _, a, b in codes if tag != "equal" for line in theirs[a:b]]
    return "\n".join(here), "\n".join(right)


def _letters(text: str) -> str:
    """What is left of a text without case, spaces and punctuation."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def rated_of(stored: Json) -> Rated:
    """What was stored of one pass."""
    forms = tuple(Scores(**{**form, "cbi": tuple(form["cbi"])}) for form in stored["forms"])
    return Rated(forms, tuple(tuple(tier) for tier in stored["order"]), stored["rationale"])


def contradictions(rated: Rated) -> list[tuple[int, int]]:
    """Pairs of critiques of which the ranking prefers the first and the overall scores the second."""
    place = {i: tier for tier, members in enumerate(rated.order) for i in members}
    found = []
    for a, b in combinations(sorted(place, key=lambda i: (place[i], i)), 2):
        overall_a, overall_b = rated.forms[a].overall, rated.forms[b].overall
        if place[a] < place[b] and overall_a is not None and overall_b is not None and overall_a < overall_b:
            found.append((a, b))
    return found


def _rated(form: RateForm, item: Comparison, eye: Eye, *, bugs: int) -> Rated:
    errors: list[Wrong] = []
    for slot in form.critiques:
        if eye.index(slot) is None:
            errors.append(wrong(f"/critiques/{slot}", "slot", "There is no such slot."))
    forms = []
    for i, slot in enumerate(eye.slots):
        scores = form.critiques.get(slot)
        failed = item.critiques[i].error is not None
        if scores is None and not failed:
            errors.append(wrong(f"/critiques/{slot}", "missing", "Every critique is scored, if only by `overall`."))
        scores = scores or ScoreForm()
        if failed and scores.overall is not None:
            errors.append(wrong(f"/critiques/{slot}", "failed", "There is no critique here to score."))
        if not failed and scores.overall is None:
            errors.append(wrong(f"/critiques/{slot}/overall", "missing", "The overall score can't be left out."))
        if len(scores.cbi) != bugs and not (failed and not scores.cbi):
            said = (
                f"Score each of the {bugs} reference bugs." if bugs else "No reference bug is shown yet, or is known."
            )
            errors.append(wrong(f"/critiques/{slot}/cbi", "bugs", said))
        if any(score is not None and not 1 <= score <= 7 for score in scores.cbi):
            errors.append(wrong(f"/critiques/{slot}/cbi", "score", "A score is 1..7 or null."))
            continue
        cbi = tuple(scores.cbi) or (None,) * bugs
        forms.append(
            Scores(**{name: getattr(scores, name) for name in SINGLE}, cbi=cbi, rationale=scores.rationale.strip())
        )
    order = _order(form, item, eye, errors)
    if errors:
        raise Refused(*errors)
    rated = Rated(tuple(forms), order, form.rationale.strip())
    against = contradictions(rated)
    if against and not form.confirmed:
        raise Refused(
            *(
                wrong("/order", "contradicts-overall", f"{eye.slots[a]} stands above {eye.slots[b]}, but scores less.")
                for a, b in against
            )
        )
    return rated


def _order(form: RateForm, item: Comparison, eye: Eye, errors: list[Wrong]) -> tuple[tuple[int, ...], ...]:
    tiers: list[tuple[int, ...]] = []
    for t, tier in enumerate(form.order):
        places = [eye.index(slot) for slot in tier]
        if None in places or not tier:
            errors.append(wrong(f"/order/{t}", "slot", "A tier holds slots of this comparison, one at least."))
        tiers.append(tuple(sorted(i for i in places if i is not None)))
    placed = sorted(i for tier in tiers for i in tier)
    if placed != [i for i, sampled in enumerate(item.critiques) if sampled.error is None]:
        errors.append(wrong("/order", "not-each-once", "The ranking holds every critique once."))
    return tuple(tiers)


def _dump(rated: Rated, confirmed: bool) -> Json:
    return {
        "forms": [
            {"cbi": list(form.cbi), **{name: getattr(form, name) for name in SINGLE}, "rationale": form.rationale}
            for form in rated.forms
        ],
        "order": [list(tier) for tier in rated.order],
        "rationale": rated.rationale,
        "confirmed": confirmed,
    }
