"""The critic `local:NAME|PATH`: a pretrained code model scans, fixes what it suspects and says what a fix changes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from momus import __version__
from momus.critics.automatic import LocalName
from momus.critics.local import calibration as calibrations
from momus.critics.local.bare import bare, without_prose
from momus.critics.local.calibration import DEFAULT_DIAL, Calibration
from momus.critics.local.checks import names_around
from momus.critics.local.fix import FIXES, Fix, best_of_lines, fixes, replacement, still_fixes
from momus.critics.local.needed import needed
from momus.critics.local.request import VERSION
from momus.critics.local.scan import LineSuspicion, Scan, Scanner, line_scores
from momus.critics.local.store import ScanStore
from momus.critics.local.words import words
from momus.critics.protocol import failed
from momus.critics.solutions.depth import DEFAULT_DEPTH
from momus.critique import Comment, Critique, TextMap
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.records import Sampled, Task

if TYPE_CHECKING:
    from momus.badges import Evidence
    from momus.critics.solutions.hearing import Heard
    from momus.critics.solutions.outvoted import Outvoted, Writing
    from momus.models.local import LocalModel

SUSPECTS = 2  # lines that a fix is looked for
WIDEST = 3  # lines that a comment may be on
COMMENTS = 3
SCAN_S = 4.0  # seconds of a scan with its fixes on two cores, before the first one has been timed
FLOOR = 1.0  # nats of suspicion below which no fix of a line is looked for
UNCALIBRATED = 2.0  # score from which a model without a calibration speaks
ENOUGH = 20  # inputs on which a fix changes nothing, from which there is nothing to fix
OPPOSED = "1"  # of what is left out for what solutions agree on
REVISION = "5"  # of what is made of a scan: another makes other critiques of it
Mode = Literal["fast", "exact"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the critic makes of an answer before its gate: comments with their scores, highest first; `lines` are all
    lines, most suspicious first."""

    lines: tuple[LineSuspicion, ...]
    comments: tuple[tuple[float, Comment], ...]

    @property
    def score(self) -> float:
        """The score from which on the critic is silent; 0 where it has nothing to say."""
        return self.comments[0][0] if self.comments else 0.0


@dataclass(frozen=True, slots=True)
class _Found:
    """A comment with its score, and the suspect line that its fix came from."""

    score: float
    line: int
    comment: Comment


def score(suspicion: float, gain: float) -> float:
    """How much there is for a comment, in nats: the geometric mean of how unlikely the worst token of its line is, and
    of how much likelier its fix than what stands there. 0 where the fix is less likely.

    A line alone may be odd and right; a fix alone may be a matter of taste.
    """
    return math.sqrt(suspicion * gain) if gain > 0 else 0.0


class LocalCritic:
    """A local model as critic. `dial` (10, 25, 50, 75) or `max_spurious` set how much is said.

    A comment needs a suspect line and a fix of it that parses, means something else and is not refuted by the code; it
    is made where the score of both reaches the threshold. With `examples` the examples of question and docstrings are
    run first, in the sandbox; what contradicts one is said whatever the scan makes of it. With `solutions` the model
    answers the question itself next, and what these outvote is said as well. `scans` is a folder in which what the
    model has read and written is kept. `adapter` is the folder of the one that the model was opened with: it scans and
    fixes with it, and writes solutions without.
    """

    cut: Literal["unit"] = "unit"

    def __init__(
        self,
        name: str,
        model: LocalModel,
        *,
        calibration: Calibration | None = None,
        dial: int = DEFAULT_DIAL,
        max_spurious: float | None = None,
        examples: bool = False,
        solutions: bool = False,
        depth: str = DEFAULT_DEPTH,
        scans: Path | None = None,
        adapter: Path | None = None,
    ) -> None:
        self.name = str(LocalName(name, examples, solutions))
        self.runs = examples or solutions
        self._examples = examples
        self.calibration = calibration
        self.fitted = frozenset(calibration.fitted) if calibration is not None else frozenset()
        self.model = model
        key = _key(model)
        self._store = ScanStore(scans, key) if scans is not None else None
        self._scanner = Scanner(model, self._store)
        self._adapter = adapter
        self._solutions = self._writing(depth, scans) if solutions else None
        self._thresholds = (UNCALIBRATED, UNCALIBRATED)
        if calibration is not None:
            sides = calibration.question, calibration.code
            self._thresholds = (
                (sides[0].promising(max_spurious), sides[1].promising(max_spurious))
                if max_spurious is not None
                else (sides[0].threshold(dial), sides[1].threshold(dial))
            )
        elif max_spurious is not None or dial != DEFAULT_DIAL:
            raise MomusError(_uncalibrated(name))
        fitted = hashlib.sha256(repr(calibration).encode()).hexdigest()[:12] if calibration is not None else ""
        self.version = f"{__version__}/{REVISION}/{key}/{fitted}/{self._thresholds[0]:.6g}/{self._thresholds[1]:.6g}"
        if self._solutions is not None:
            self.version += f"/{OPPOSED}/{self._solutions.version}"

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` times the same critique of each task: nothing is drawn."""
        for task in tasks:
            try:
                said = self._critique(task)
            except Exception as error:
                yield from (failed(self.name, task, i, error) for i in range(n))
                continue
            yield from (said.model_copy(update={"i": i}) for i in range(n))

    def expected_s(self, task: Task) -> float:
        """About how many seconds a task takes on two cores."""
        return SCAN_S + (self._solutions.expected_s(task) if self._solutions is not None else 0.0)

    def suspicions(self, task: Task) -> list[LineSuspicion]:
        """The lines of an answer by their suspicion, highest first, before any gate."""
        return line_scores(self._scanner.scan(task))

    def assess(self, task: Task, *, floor: float = FLOOR) -> Assessment:
        """Comments before the gate, of lines whose suspicion reaches the floor."""
        scans = self._scanner.scan(task)
        found = self._found(task, scans, floor)
        return Assessment(tuple(line_scores(scans)), tuple((one.score, one.comment) for one in found))

    def _found(self, task: Task, scans: list[Scan], floor: float = FLOOR) -> list[_Found]:
        """Comments of suspect lines before the gate, the highest score first."""
        lines = line_scores(scans)
        suspicion = {found.line: found.score for found in lines}
        suspects = [found.line for found in lines if found.score >= floor][:SUSPECTS]
        text, known = TextMap(task.answer), names_around(task)
        found = best_of_lines(self._fixes(task, scans, suspects, known))
        side = self.calibration.side(task.question) if self.calibration is not None else None
        comments: list[_Found] = []
        taken: set[int] = set()
        for fix in sorted(found, key=lambda fix: (-score(suspicion[fix.line], fix.gain), fix.line)):
            said = _comment(fix, task.answer, text, known)
            if said is None or not taken.isdisjoint(text.lines(said.highlight)):
                continue
            worth = score(suspicion[fix.line], fix.gain)
            taken.update(text.lines(said.highlight))
            rated = said if side is None else replace(said, confidence=side.chance(worth))
            comments.append(_Found(worth, fix.line, rated))
        return comments

    def _fixes(self, task: Task, scans: list[Scan], suspects: list[int], known: frozenset[str]) -> Iterator[Fix]:
        left = set(suspects)
        for scan in reversed(scans):  # of a line in two windows the later one has read on
            here = [line for line in suspects if line in left and line in scan.lines]
            if here:
                left.difference_update(here)
                make = partial(fixes, self.model, scan, task.answer, here, known=known)
                key = repr((FIXES, scan.lines[0], scan.head, task.answer, here, sorted(known)))
                kept = self._store.fixes(key, make) if self._store is not None else None
                for fix in make() if kept is None else still_fixes(task.answer, kept, known):
                    if fix.last - fix.first < WIDEST:
                        yield fix

    def _critique(self, task: Task) -> Sampled:
        threshold = self._thresholds[0 if task.question.strip() else 1]
        if not task.answer.strip():
            return Sampled(task_id=task.id, critic=self.name)
        scans = self._scanner.scan(task)
        certain, left_out = self._contradicted(task, scans) if self._examples else ([], None)
        heard = None
        if self._solutions is not None and not certain:
            outvoted = self._outvoted(task, scans)
            certain, heard = list(outvoted.comments), outvoted.heard
            left_out = left_out or outvoted.left_out
        text = TextMap(task.answer)
        taken = {line for comment in certain for line in text.lines(comment.highlight)}
        likely = [
            found.comment
            for found in self._found(task, scans)
            if found.score >= threshold
            and taken.isdisjoint(text.lines(found.comment.highlight))
            and self._rests_on_code(task, {found.line, *text.lines(found.comment.highlight)})
        ]
        if heard is not None and heard.speaks:
            likely = _unopposed(task, likely, heard)
        if self._examples:
            likely = _unrefuted(task, likely)
        said = Critique((*certain, *likely)[:COMMENTS])
        return Sampled(task_id=task.id, critic=self.name, critique=said, left_out=left_out)

    def _rests_on_code(self, task: Task, lines: set[int]) -> bool:
        """Whether one of the lines is still suspect where docstrings and long strings are left out.

        A docstring that tells a model what to find, or what to write, makes lines suspect that are not.
        """
        shown = without_prose(task.answer, frozenset(lines))
        if shown == bare(task.answer):
            return True
        found = line_scores(self._scanner.scan(task, shown))
        return any(line.score >= FLOOR for line in found if line.line in lines)

    def _contradicted(self, task: Task, scans: list[Scan]) -> tuple[list[Comment], str | None]:
        from momus.critics.local.contradicted import contradicted

        return contradicted(self.model, task, scans, line_scores(scans))

    def _writing(self, depth: str, scans: Path | None) -> Writing:
        from momus.critics.solutions.depth import depth_named
        from momus.critics.solutions.outvoted import Writing

        with self._unadapted():
            key = _key(self.model)
        return Writing(self.model, depth_named(depth), store=ScanStore(scans, key) if scans is not None else None)

    @contextmanager
    def _unadapted(self) -> Iterator[None]:
        """The model without the adapter."""
        if self._adapter is None:
            yield
            return
        self.model.use(None)
        try:
            yield
        finally:
            self.model.use(self._adapter)

    def _outvoted(self, task: Task, scans: list[Scan]) -> Outvoted:
        from momus.critics.solutions.outvoted import outvoted

        assert self._solutions is not None
        with self._unadapted():
            return outvoted(task, self._solutions, scans, line_scores(scans))


def _key(model: LocalModel) -> str:
    """What a scan depends on beside the answer."""
    return f"{model.digest}/{model.mode}/{VERSION}"


def open_local_critic(
    name: str,
    *,
    dial: int = DEFAULT_DIAL,
    max_spurious: float | None = None,
    mode: Mode = "fast",
    bf16: bool = True,
    examples: bool = False,
    solutions: bool = False,
    depth: str = DEFAULT_DEPTH,
    scans: Path | None = None,
) -> LocalCritic:
    """The critic over a model of the catalogue, a GGUF file or a folder. Raises MomusError where it can't be opened.

    A name that ends in `+examples` or `+solutions` is the same as `examples=True` or `solutions=True`; one that goes on
    with `@FOLDER` takes the adapter in it. `depth` is how much work solutions are worth.
    """
    from momus.models.local import open_local

    named = LocalName.of(name)
    base, _, folder = named.model.partition("@")
    adapter = Path(folder) if folder else None
    model = open_local(base, mode=mode, bf16=bf16, adapter=adapter)
    found = calibrations.find(model.digest, mode)
    return LocalCritic(
        named.model,
        model,
        calibration=found,
        dial=dial,
        max_spurious=max_spurious,
        examples=examples or named.examples,
        solutions=solutions or named.solutions,
        depth=depth,
        scans=scans,
        adapter=adapter,
    )


def _unrefuted(task: Task, comments: list[Comment]) -> list[Comment]:
    """Comments with what running shows of each, without those that it speaks against: whose fix breaks an example, or
    comes to the same as the code on every input that was tried. All of them as they are where nothing can be run."""
    from momus.evidence.witness import Prover

    try:
        told = Prover().critique(task, Critique(tuple(comments))).comments
    except MomusError:  # there is no sandbox
        return comments
    return [
        _with_input(comment) for comment in told if comment.evidence is None or not _speaks_against(comment.evidence)
    ]


def _with_input(comment: Comment) -> Comment:
    """The comment, with the input that shows it and both results in its text, where one was found."""
    shown = comment.evidence.shown if comment.evidence is not None else ""
    return replace(comment, text=f"{comment.text} {shown}") if shown else comment


def _unopposed(task: Task, comments: list[Comment], heard: Heard) -> list[Comment]:
    """Comments without those whose fix goes against what independent solutions agree on where the code gives it."""
    from momus.critics.solutions.hearing import breaks

    return [
        comment
        for comment in comments
        if comment.suggestion is None
        or not breaks(task, apply_suggestion(task.answer, comment.highlight, comment.suggestion), heard)
    ]


def _speaks_against(evidence: Evidence) -> bool:
    if evidence.badge == "no-difference":
        return evidence.inputs >= ENOUGH and not evidence.reason
    return evidence.badge == "disproved"


def _comment(fix: Fix, answer: str, text: TextMap, known: frozenset[str]) -> Comment | None:
    fix = needed(fix, answer)
    placed, said = replacement(fix, text), words(answer, fix.code, known)
    if placed is None or said is None:
        return None
    highlight, suggestion = placed
    return Comment(highlight, said.text, said.category, said.severity, suggestion)


def _uncalibrated(name: str) -> str:
    return (
        f"local:{name} has no calibration, so that the dial has nothing to set: fit one with "
        f"`momus measure calibrate --critic local:{name}`"
    )
