"""The review itself: files in, units to the critic in one stream, comments back to their places, findings out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from momus import __version__
from momus.critique import Comment
from momus.errors import MomusError
from momus.review.baseline import Baseline, Baselines
from momus.review.cache import Cache
from momus.review.cells import touched_cells
from momus.review.config import BUDGET, SERVER, Config, Settings
from momus.review.finding import FileReport, Finding, Report
from momus.review.fingerprint import with_fingerprints
from momus.review.opening import Opened, called, left_out, open_job, reason_of, syntax_notes
from momus.review.pace import Meter
from momus.review.plan import Asked, Job, Plan, plan
from momus.review.proving import Proving, proving_for
from momus.review.sift import sift
from momus.review.units import Cut, Region, Unit

if TYPE_CHECKING:
    from momus.critics import Critic
    from momus.records import Sampled, Task


def review(
    paths: Sequence[str | Path] = (),
    *,
    critic: str | Critic | None = None,
    config: Config | None = None,
    diff: str | None = None,
    staged: bool = False,
    patch: str | None = None,
    baseline: Baseline | None = None,
    root: Path | None = None,
) -> Report:
    """Review files and folders, or what a diff changed of them; everything in this folder where nothing is named.

    `critic` is a name or a critic; by default the one that the settings name. Paths are relative to `root` (by
    default the current folder). Raises MomusError where nothing can be done; a file that fails is in the report.
    """
    where = root or Path.cwd()
    chosen = config or Config()
    asked = Asked(tuple(map(Path, paths)), diff=diff, staged=staged, patch=patch)
    planned = plan(asked, chosen, where)
    return conduct(planned, (planned.config or chosen).near(where), where, critic=critic, baseline=baseline)


def conduct(
    jobs: Plan,
    settings: Settings,
    root: Path,
    *,
    critic: str | Critic | None = None,
    baseline: Baseline | Baselines | None = None,
    meter: Meter | None = None,
) -> Report:
    """Review planned files; `meter` is told how it goes. `baseline` holds for all; by default each file's own does.

    An interrupt (Ctrl-C) ends it early: the report holds what is done, and says so, and the cache keeps it.
    """
    started = time.monotonic()
    if not jobs:  # and no model is loaded, or missed
        name = critic if isinstance(critic, str) else critic.name if critic is not None else settings.critic
        empty = Report(critic=name, version=__version__, root=root.as_posix(), settings=settings.as_dict())
        return replace(empty, left_out=jobs.left_out)
    writer = open_named(critic or settings.critic, settings) if critic is None or isinstance(critic, str) else critic
    version = getattr(writer, "version", "")  # a critic that does not say what it is exactly is asked every time
    cache = Cache(f"{writer.name} {version}", settings.seed) if settings.cache and version else None
    baseline = baseline or Baselines(root, jobs.base, missing_ok=jobs.base is not None)
    done: list[FileReport] = []
    interrupted = False
    identity = f"{writer.name} {version}" if version else ""
    proving = proving_for(settings, runs=getattr(writer, "runs", False), identity=identity, root=root)
    reviewer = Reviewer(writer, jobs, seed=settings.seed, cache=cache, baseline=baseline, meter=meter, proving=proving)
    try:
        if meter is not None:
            meter.begin(*reviewer.size())
        for file in reviewer.files():
            done.append(file)
    except KeyboardInterrupt:
        interrupted = True
        done += reviewer.begun()
    if cache is not None and not interrupted:
        cache.prune()
    order = {job.shown: at for at, job in enumerate(jobs)}
    return Report(
        files=tuple(sorted(done, key=lambda file: order[file.path])),
        left_out=jobs.left_out,
        critic=writer.name,
        version=__version__,
        root=root.as_posix(),
        settings=settings.as_dict(),
        seconds=time.monotonic() - started,
        interrupted=interrupted,
        planned=len(jobs),
        account=getattr(writer, "account", ""),
    )


def open_named(name: str, settings: Settings) -> Critic:
    """Open a critic by name, with dial and depth where they were set. Raises MomusError where it cannot be opened."""
    from momus.critics import open_critic

    options: dict[str, object] = {"depth": settings.depth} if "depth" in settings.origin else {}
    if name.startswith(SERVER):
        given = settings.as_dict()
        options |= {key.replace("-", "_"): given[key] for key in BUDGET if given[key] not in (-1, "")}
        options["keep"] = settings.cache
    if settings.max_spurious:
        options["max_spurious"] = settings.max_spurious
    elif "dial" in settings.origin:
        options["dial"] = settings.dial
    return open_critic(name, **options)


def cut_for(critic: Critic) -> Cut:
    """How a critic wants its code: what its `cut` says; by default whole files for a linter, else with context."""
    wanted: Cut = getattr(critic, "cut", "file" if critic.name.startswith("linter:") else "context")
    return wanted


def cut_named(name: str, settings: Settings) -> Cut:
    """The same by name. A local model is not loaded for it, and no server asked. Raises MomusError where another critic
    can't be opened."""
    from momus.critics.automatic import model_of

    return "unit" if model_of(name) is not None or name.startswith(SERVER) else cut_for(open_named(name, settings))


def units_of(job: Job, how: Cut) -> list[Unit]:
    """What of a file would be put to a critic. Raises MomusError where the file cannot be reviewed."""
    opened = open_job(job, how)
    if not isinstance(opened, FileReport):
        return list(opened.units.values())
    if opened.error is not None:
        raise MomusError(opened.error)
    return []


class Reviewer:
    """Reviews files with one critic. Every unit of every file goes to it in one stream, read as it asks for more."""

    def __init__(
        self,
        critic: Critic,
        jobs: Sequence[Job],
        *,
        seed: int = 0,
        cache: Cache | None = None,
        baseline: Baseline | Baselines | None = None,
        meter: Meter | None = None,
        proving: Proving | None = None,
    ) -> None:
        self._critic = critic
        self._cut = cut_for(critic)
        self._proving = proving
        self._runs: bool = getattr(critic, "runs", False) or (proving is not None and proving.everything)
        self._jobs = jobs
        self._seed = seed
        self._cache = cache
        self._baseline = baseline or Baseline()
        self._meter = meter
        self._left = iter(jobs)
        self._opened: dict[str, Opened] = {}  # by task id
        self._ready: list[FileReport] = []

    def files(self) -> Iterator[FileReport]:
        """The files' reports, each as soon as its last unit is answered. A critic that breaks off fails the rest."""
        failure: str | None = None
        try:
            for sampled in self._critic.critique(self._tasks(), n=1, seed=self._seed):
                self._take(sampled)
                yield from self._drain()
        except Exception as error:  # whatever a critic fails with, what it did before is kept
            from momus.critics.protocol import reason  # a critic is open, so it has been imported

            failure = reason(error)
        yield from self._drain()
        for opened in list({id(one): one for one in self._opened.values()}.values()):
            yield self._settle(opened, failure)
        for job in self._left:
            yield FileReport(job.shown, error=job.error or f"not reviewed: {failure}")

    def size(self) -> tuple[int, int, float]:
        """How many units the critic will be asked about, their characters, and how many seconds it expects to take (0
        where it does not say), without those in the cache."""
        sizes: list[int] = []
        expected: Callable[[Task], float] = getattr(self._critic, "expected_s", lambda task: 0.0)
        seconds = 0.0
        for job in self._jobs:
            opened = open_job(job, self._cut, runs=self._runs)
            if not isinstance(opened, FileReport):
                tasks = [unit.task for unit in opened.units.values()]
                asked = [task for task in tasks if self._cache is None or not self._cache.holds(task)]
                sizes += [len(task.answer) for task in asked]
                seconds += sum(map(expected, asked))
        return len(sizes), sum(sizes), seconds

    def begun(self) -> list[FileReport]:
        """After an interrupt: the files that are done and were not handed out yet, and what is done of others."""
        ready, self._ready = self._ready, []
        left = {id(one): one for one in self._opened.values() if one.answers}
        return [*ready, *(self._settle(opened, "interrupted") for opened in left.values())]

    def _drain(self) -> Iterator[FileReport]:
        while self._ready:
            yield self._ready.pop(0)

    def _tasks(self) -> Iterator[Task]:
        for job in self._left:
            opened = open_job(job, self._cut, runs=self._runs)
            if isinstance(opened, FileReport):
                self._ready.append(opened)
                continue
            asked: list[Task] = []
            for name, unit in opened.units.items():
                answer = self._cache.get(unit.task) if self._cache is not None else None
                if answer is not None:
                    opened.answers[name] = self._proved(unit.task, answer)
                    opened.cached += 1
                else:
                    asked.append(unit.task)
                    self._opened[name] = opened
            if opened.complete:
                self._ready.append(self._settle(opened))
            yield from asked

    def _take(self, sampled: Sampled) -> None:
        opened = self._opened.pop(sampled.task_id, None)
        if opened is None:  # an answer to no question of ours
            return
        task = opened.units[sampled.task_id].task
        if self._cache is not None:
            self._cache.put(task, sampled)
        opened.answers[sampled.task_id] = self._proved(task, sampled)
        if self._meter is not None:
            self._meter.answered(len(task.answer))
        if opened.complete:
            self._ready.append(self._settle(opened))

    def _proved(self, task: Task, sampled: Sampled) -> Sampled:
        return sampled if self._proving is None else self._proving.proved(task, sampled)

    def _settle(self, opened: Opened, failure: str | None = None) -> FileReport:
        """The report of a file whose answers are in, or will not come."""
        source = opened.source
        failed = [
            f"{called(unit)} was not reviewed: {reason_of(opened.answers.get(name), failure)}"
            for name, unit in opened.units.items()
            if (answer := opened.answers.get(name)) is None or answer.error is not None
        ]
        code = None if self._cut == "file" else source.code
        job = opened.job
        known = self._baseline if isinstance(self._baseline, Baseline) else self._baseline.of(job.settings)
        name = known.name_of(job.path, job.shown)
        findings, hidden, counted = sift(self._findings(opened), name, job.settings, opened.ignores, known, code)
        notes = [*source.notes, *syntax_notes(source), *left_out(opened), *counted, *opened.ignores.notes]
        if not failed:
            reviewed = {line for unit in opened.units.values() for line in unit.lines}
            notes += opened.ignores.unused(reviewed)
        others = len(failed) - 1
        more = f" (and {others} more part{'s' if others > 1 else ''})" if others else ""
        return FileReport(
            opened.job.shown,
            source.text,
            tuple(findings),
            tuple(hidden),
            tuple(dict.fromkeys(notes)),
            failed[0] + more if failed else None,
            source.cells,
            units=len(opened.units),
            lacking=Counter(a.lacks for a in opened.answers.values() if a.error is None and a.lacks is not None),
            cached=opened.cached,
            encoding=source.encoding,
            byte_order_mark=bool(source.mark),
        )

    def _findings(self, opened: Opened) -> list[Finding]:
        """What the critic said, at its places in the file, each thing once, with fingerprints."""
        source = opened.source
        owner = {line: region for region in opened.regions for line in region.lines}
        best: dict[tuple[int, int, str], Finding] = {}
        for name, unit in opened.units.items():
            answer = opened.answers.get(name)
            for comment in answer.critique if answer is not None else ():
                placed = unit.in_file(comment, source.text)
                finding = self._finding(opened, placed, owner) if placed is not None else None
                if finding is None:
                    continue
                key = (finding.span.start, finding.span.end, finding.category)  # windows overlap
                other = best.get(key)
                if other is None or (other.comment.confidence or 0) < (finding.comment.confidence or 0):
                    best[key] = finding
        return with_fingerprints(
            list(best.values()), source.map, {line: region.lines for line, region in owner.items()}
        )

    def _finding(self, opened: Opened, comment: Comment, owner: dict[int, Region]) -> Finding | None:
        source, span = opened.source, comment.highlight
        lines = source.map.lines(span)
        region = owner[lines.start]
        if source.masked.intersection(lines):
            return None
        if opened.touched is not None:  # a critic that reads whole files speaks of untouched units too
            if not opened.touched.intersection(region.lines):
                return None
            if source.cells and not touched_cells(source, opened.touched).intersection(lines):
                return None
        start_line, start_column = source.map.line_column(span.start)
        end_line, end_column = source.map.line_column(span.end)
        return Finding(
            opened.job.shown,
            span,
            comment,
            self._critic.name,
            "",
            region.name,
            span.of(source.text),
            start_line,
            start_column,
            end_line,
            end_column,
        )
