"""An answer that fails an example: the scan says where, the rewrite how, and the same examples prove the fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from momus.critics.examples import Contradiction, comment_of, contradictions, satisfies
from momus.critics.local.checks import names_around
from momus.critics.local.fix import Fix, fixes, replacement
from momus.critics.local.scan import LineSuspicion, Looked
from momus.critics.local.words import words
from momus.critique import Comment, TextMap
from momus.errors import MomusError
from momus.inputs.of_task import examples_of
from momus.records import Task

SUSPECTS = 4  # lines that a fix is looked for: that there is a bug is known
LEAST_GAIN = -8.0  # nats: the examples decide, not the model
TRIED = 6  # fixes that are run
CERTAIN = 0.5  # nats from which the scan's line is a better place than where the call returned


def contradicted(
    task: Task, scans: Sequence[Looked], lines: Sequence[LineSuspicion], sandbox: str = "auto"
) -> tuple[list[Comment], str | None]:
    """A comment for each function that fails an example of its own, and in words why examples were not run, if so.

    `lines` are the answer's, most suspicious first.
    """
    if not task.run or not examples_of(task):
        return [], None
    try:
        found = contradictions(task, sandbox=sandbox)
    except MomusError as error:
        return [], f"its examples were not run: {error}"
    return [_comment(task, one, scans, lines, sandbox) for one in found], None


def _comment(
    task: Task,
    found: Contradiction,
    scans: Sequence[Looked],
    lines: Sequence[LineSuspicion],
    sandbox: str,
) -> Comment:
    text = TextMap(task.answer)
    bare = comment_of(found, text)
    known = names_around(task)
    suspects = [line.line for line in lines[:SUSPECTS]]
    for fix in candidates(task, scans, suspects)[:TRIED]:
        placed, said = replacement(fix, text), words(task.answer, fix.code, known)
        if placed is not None and said is not None and satisfies(task, fix.code, found.examples, sandbox=sandbox):
            proved = f"{bare.text} {said.text} With that the {_count(found)}."
            return replace(bare, highlight=placed[0], suggestion=placed[1], text=proved, category=said.category)
    if lines and lines[0].score >= CERTAIN and text.line_text(lines[0].line).strip():
        return comment_of(replace(found, line=lines[0].line), text)
    return bare


def candidates(task: Task, scans: Sequence[Looked], suspects: Sequence[int]) -> list[Fix]:
    """Fixes of some lines, the likeliest first, even unlikely ones: what runs decides."""
    found: list[Fix] = []
    for scan in scans:
        here = [line for line in suspects if line in scan.lines]
        found += fixes(scan, task.answer, here, known=names_around(task), least=LEAST_GAIN) if here else []
    return sorted(found, key=lambda fix: -fix.gain)


def _count(found: Contradiction) -> str:
    return "example holds" if len(found.examples) == 1 else f"{len(found.examples)} examples hold"
