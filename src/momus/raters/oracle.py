"""The oracle: a rule that rates critiques of tampered code, as it knows the bugs and the clean twin.

It is a simulated rater, with or without noise, and every record of it says so. Each comment is held against each bug
(`momus.match`: place, category, fix). The scores, for one critique:

- cbi, of a bug, by the best comment on it: 1 no comment touches its lines; 3 one does; 5 and names the category (a bug
  of category `other` has none to name); one more where its text names what the fix brings in (or takes away), by a name
  or a number; 7 where its suggestion undoes the bug.
- comprehensiveness: the mean of cbi over the bugs, a high one counting three times and a medium one twice. With one bug
  it is cbi by construction, and says nothing more. 7 where there is no known bug.
- fake problems: comments that touch no bug, on code that is the same in the clean twin (so the claim would stand there
  too), of severity medium or high, and those of more than three lines, or than the widest bug: they point at nothing.
  Score 7 with one, 4 (unsure) with a comment that touches a bug and neither names its
  category nor undoes it, else 1.
- nitpicks: the same on code that is the twin's, of severity low; and comments that repeat an earlier one, or add
  nothing to what was said of a bug. Score 7 with one, else 1.
- conciseness: 7, less one for every 40 words (suggestions included), at least 1.
- utility = (comprehensiveness - 1) - 2 fakes - 1 nitpicks - 0.5 unsure + 0.1 (conciseness - 1), where the middle three
  are counted by comment, and 2 less for silence over a known bug: an all-clear is a false claim like another.
  overall = utility + 1, rounded into 1..7. The ranking goes by the utility; equals are tied.

So silence is best on clean code; on buggy code it lies below a comment that finds the bug, beside one invented problem,
and above several.
"""

from __future__ import annotations

import keyword
import math
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from momus.critique import SEVERITIES, Comment, Critique, TextMap
from momus.errors import MomusError
from momus.match import WIDEST, LineMap, Verdict, judge, same_claim
from momus.models.excerpts import CODE
from momus.raters.form import Form, Rated, order_of, unscored
from momus.records import Bug, Comparison

BIASES = ("length", "lenient", "first")
WORDS_PER_POINT = 40
FAKE, NITPICK, UNSURE, CONCISE = 2.0, 1.0, 0.5, 0.1

_TOKEN = re.compile(r"[^\W\d]\w*|\d[\w.]*|[-+*/%=<>!&|^~@]+")


@dataclass(slots=True)
class _Tally:
    """What the comments of one critique amount to."""

    cbi: list[int]
    fakes: int = 0
    nitpicks: int = 0
    unsure: int = 0
    said: list[str] = field(default_factory=list)


class Oracle:
    """Rates by what it knows of the bugs. `noise` and `bias` imitate people, and then the name says `simulated`.

    `noise` is the standard deviation, in points of the scale, of what is added to each score and to the utility.
    Biases: `length` finds long critiques thorough (half a point a step of conciseness), `lenient` overlooks every other
    spurious comment, `first` favours what is shown first (up to half a point). Draws go by seed, comparison and
    critique. Raises MomusError on a negative noise or an unknown bias.
    """

    simulated = True

    def __init__(self, *, noise: float = 0.0, bias: Iterable[str] = (), seed: int = 0) -> None:
        self.bias = tuple(sorted(set(bias)))
        unknown = [name for name in self.bias if name not in BIASES]
        if unknown:
            raise MomusError(f"the oracle has no bias {unknown[0]!r}: its biases are {', '.join(BIASES)}")
        if not (math.isfinite(noise) and noise >= 0):
            raise MomusError(f"the oracle's noise is a number of points from 0 up, not {noise}")
        self.noise, self.seed = noise, seed
        switched = [f"noise={noise:g}"] * (noise > 0) + [f"bias={'+'.join(self.bias)}"] * bool(self.bias)
        self.name = f"oracle-simulated:{','.join(switched)}" if switched else "oracle"

    def rate(self, comparison: Comparison) -> Rated:
        answer, twin = comparison.task.answer, comparison.twin
        if not comparison.bugs and twin is not None and twin != answer:
            return unscored(comparison, "the answer has a bug whose place is not known")
        known = _Known(comparison)
        forms: list[Form] = []
        utilities: list[float | None] = []
        for i, sampled in enumerate(comparison.critiques):
            if sampled.error is not None:
                cbi: tuple[int | None, ...] = (None,) * len(comparison.bugs)
                forms.append(Form(cbi=cbi, rationale=f"there is no critique: {sampled.error}"))
                utilities.append(None)
                continue
            rng = random.Random(f"{self.seed}/{self.name}/{comparison.id}/{i}")
            form, utility = self._rate(sampled.critique, known, rng)
            if "first" in self.bias and len(comparison.critiques) > 1:
                utility += 0.5 * (1 - i / (len(comparison.critiques) - 1))
            utility = utility + rng.gauss(0, self.noise) if self.noise else utility
            forms.append(self._final(form, utility, rng))
            utilities.append(round(utility, 9))
        order = order_of(utilities)
        return Rated(tuple(forms), order, "by utility" if order else "nothing could be scored")

    def _rate(self, critique: Critique, known: _Known, rng: random.Random) -> tuple[Form, float]:
        tally = _tally(critique, known, rng if "lenient" in self.bias else None)
        concise = conciseness(critique)
        complete = _comprehensiveness(tally.cbi, known.bugs)
        form = Form(
            cbi=tuple(tally.cbi),
            comprehensiveness=complete,
            nitpick=7 if tally.nitpicks else 1,
            fake_problem=7 if tally.fakes else 4 if tally.unsure else 1,
            conciseness=concise,
            rationale="; ".join(tally.said) or "says nothing",
        )
        style = 0.5 * (7 - concise) if "length" in self.bias else CONCISE * (concise - 1)
        spurious = FAKE * tally.fakes + NITPICK * tally.nitpicks + UNSURE * tally.unsure
        all_clear = FAKE if known.bugs and not critique.comments else 0.0
        return form, complete - 1 - spurious - all_clear + style

    def _final(self, form: Form, utility: float, rng: random.Random) -> Form:
        def noisy(score: int | None) -> int | None:
            return None if score is None else point(score + rng.gauss(0, self.noise)) if self.noise else score

        return Form(
            cbi=tuple(noisy(score) for score in form.cbi),
            comprehensiveness=noisy(form.comprehensiveness),
            nitpick=noisy(form.nitpick),
            fake_problem=noisy(form.fake_problem),
            conciseness=noisy(form.conciseness),
            overall=point(utility + 1),
            rationale=form.rationale,
        )


class _Known:
    """What the oracle knows of one comparison, looked up once."""

    def __init__(self, comparison: Comparison) -> None:
        self.answer, self.twin, self.bugs = comparison.task.answer, comparison.twin, comparison.bugs
        self.text = TextMap(self.answer)
        self.changed = frozenset[int]() if self.twin is None else _changed_lines(self.text, TextMap(self.twin))
        spans = [span for bug in self.bugs for span in bug.spans]
        self.widest = max([WIDEST, *(len(self.text.lines(span)) for span in spans)])
        self.names = [_names_of(bug, self.text, self.twin) for bug in self.bugs]

    def verdicts(self, comment: Comment) -> list[Verdict]:
        return [judge(comment, bug, self.answer, self.twin) for bug in self.bugs]


def _tally(critique: Critique, known: _Known, overlook: random.Random | None) -> _Tally:
    tally = _Tally([1] * len(known.bugs))
    for number, comment in enumerate(critique, 1):
        earlier = critique.comments[: number - 1]
        what, counts = _said(comment, earlier, known, tally.cbi)
        tally.said.append(f"comment {number} {what}")
        if counts is not None and (overlook is None or overlook.random() < 0.5):
            setattr(tally, counts, getattr(tally, counts) + 1)
    return tally


def _said(comment: Comment, earlier: tuple[Comment, ...], known: _Known, cbi: list[int]) -> tuple[str, str | None]:
    """What a comment does, in words, and what it counts as; raises the cbi of the bugs that it speaks of."""
    if len(known.text.lines(comment.highlight)) > known.widest:
        return f"is wider than {known.widest} lines and points at nothing", "fakes"
    verdicts = known.verdicts(comment)
    touched = [i for i, verdict in enumerate(verdicts) if verdict.place]
    if touched:
        raised = False
        named = False
        for i in touched:
            score = _grade(comment, verdicts[i], known.bugs[i], known.names[i])
            raised, cbi[i] = raised or score > cbi[i], max(score, cbi[i])
            named = named or _names_category(verdicts[i], known.bugs[i]) or verdicts[i].fix
        bugs = " and ".join(str(i + 1) for i in touched)
        if not raised:
            return f"adds nothing to what was said of bug {bugs}", "nitpicks"
        return (f"finds bug {bugs}", None) if named else (f"points at bug {bugs} without its claim", "unsure")
    if any(same_claim(comment, known.text, other, known.text) for other in earlier):
        return "repeats an earlier one", "nitpicks"
    if not known.changed.isdisjoint(known.text.lines(comment.highlight)):
        return "is on code that the bug changed", None
    if comment.severity == SEVERITIES[0]:
        return "is a nitpick", "nitpicks"
    return "is a fake problem: the code is right, and would be called wrong without the bug as well", "fakes"


def _grade(comment: Comment, verdict: Verdict, bug: Bug, names: frozenset[str]) -> int:
    if verdict.fix:
        return 7
    return 3 + 2 * _names_category(verdict, bug) + (not names.isdisjoint(_named(comment.text)))


def _names_category(verdict: Verdict, bug: Bug) -> bool:
    return verdict.category and bug.category != "other"


def _comprehensiveness(cbi: list[int], bugs: tuple[Bug, ...]) -> int:
    if not bugs:
        return 7
    weights = [1 + SEVERITIES.index(bug.severity) for bug in bugs]
    return point(sum(w * score for w, score in zip(weights, cbi, strict=True)) / sum(weights))


def point(value: float) -> int:
    """Rounded into 1..7, halves up."""
    return max(1, min(7, math.floor(value + 0.5)))


def conciseness(critique: Critique) -> int:
    """7, less one for every WORDS_PER_POINT words, at least 1."""
    return max(1, 7 - _words(critique) // WORDS_PER_POINT)


def _words(critique: Critique) -> int:
    return sum(len(comment.text.split()) + len((comment.suggestion or "").split()) for comment in critique)


def _changed_lines(text: TextMap, twin: TextMap) -> frozenset[int]:
    """The lines of the answer that are not the twin's."""
    line_map = LineMap(text, twin)
    return frozenset(
        line
        for line in range(1, text.line_count + 1)
        if [twin.line_text(n) for n in line_map.after(line)] != [text.line_text(line)]
    )


def _names_of(bug: Bug, text: TextMap, twin: str | None) -> frozenset[str]:
    """The tokens that undoing the bug brings in; where it brings in none, those that it takes away."""
    if bug.suggestion is not None:
        old, new = bug.spans[0].of(text.text), bug.suggestion
    elif twin is not None:
        mended = TextMap(twin)
        old = "\n".join(text.line_text(line) for line in sorted(_changed_lines(text, mended)))
        new = "\n".join(mended.line_text(line) for line in sorted(_changed_lines(mended, text)))
    else:
        return frozenset()
    before, after = set(_TOKEN.findall(old)), set(_TOKEN.findall(new))
    return frozenset(after - before or before - after)


def _names_something(token: str) -> bool:
    """Whether a token is a name or a number. Whoever lists all operators has named none."""
    return (token[0].isalnum() or token[0] == "_") and not keyword.iskeyword(token)


def _named(said: str) -> set[str]:
    """The names and numbers in a text's backticks, and the names elsewhere, where a `1` may be mere prose."""
    quoted = {token for code in CODE.findall(said) for token in _TOKEN.findall(code) if _names_something(token)}
    prose = _TOKEN.findall(CODE.sub(" ", said))
    return quoted | {t for t in prose if t.isidentifier() and len(t) > 1 and not keyword.iskeyword(t)}
