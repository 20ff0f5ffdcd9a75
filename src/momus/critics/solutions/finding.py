"""A contradiction as a comment: the call, what came out, what the solutions give; where, and what is suggested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from momus.badges import Evidence
from momus.critics.examples import CATEGORY_OF_EXCEPTION, code_excerpt, one_line, stripped
from momus.critics.local.checks import names_around
from momus.critics.local.contradicted import TRIED, candidates
from momus.critics.local.fix import replacement
from momus.critics.local.scan import LineSuspicion, Looked
from momus.critics.local.words import words
from momus.critics.solutions.hearing import Heard, mends, shrunk
from momus.critique import Comment, TextMap
from momus.evidence.running import Result, told_apart
from momus.evidence.votes import Vote
from momus.inputs.values import written
from momus.records import Task

SUSPECTS = 4  # lines that a fix is looked for


def comment_on(
    task: Task,
    heard: Heard,
    scans: Sequence[Looked],
    lines: Sequence[LineSuspicion],
    sandbox: str = "auto",
) -> Comment | None:
    """The comment on what contradicts an answer most clearly; None where nothing does.

    `lines` are the answer's, most suspicious first.
    """
    against = heard.contradictions
    if not against:
        return None
    vote = shrunk(task, heard, against[0], sandbox)
    text = TextMap(task.answer)
    line = place(vote, heard.votes, lines, text)
    bare = Comment(
        stripped(text, line),
        text_of(vote, heard),
        category_of(vote),
        "high",
        confidence=heard.gate.confidence(vote),
        witness=vote.call.text,
        evidence=evidence_of(vote, heard),
    )
    suspects = list(dict.fromkeys([line, *(one.line for one in lines)]))[:SUSPECTS]
    for fix in candidates(task, scans, suspects)[:TRIED]:
        placed, said = replacement(fix, text), words(task.answer, fix.code, names_around(task))
        if placed is not None and said is not None and mends(task, fix.code, heard, sandbox):
            inputs = len(heard.agreed)
            told = f"{bare.text} {said.text} With that it gives what they agree on, on {inputs} of {inputs} inputs."
            found = replace(bare, highlight=placed[0], suggestion=placed[1], text=told, category=said.category)
            outvoted = evidence_of(vote, heard)
            return replace(found, evidence=replace(outvoted, fixed=outvoted.promised))
    return bare


def evidence_of(vote: Vote, heard: Heard) -> Evidence:
    """The badge of a contradiction, with the input that it rests on."""
    assert vote.result is not None
    got, promised = told_apart(vote.got, vote.result)
    by = f"{vote.agree} of {vote.voters} independent solutions"
    return Evidence("outvoted", vote.call.text, got, promised=promised, by=by, inputs=len(heard.agreed))


def place(vote: Vote, votes: Sequence[Vote], lines: Sequence[LineSuspicion], text: TextMap) -> int:
    """The most suspicious line of those that this call ran and calls with the right result did not; else of those that
    it ran; else of all. 1-based."""
    ran = set(vote.got.lines)
    passing = {
        line for other in votes if other.result is not None and not other.contradicts for line in other.got.lines
    }
    ranked = [one.line for one in lines if text.line_text(one.line).strip()]
    for among in (ran - passing, ran):
        found = next((line for line in ranked if line in among), None)
        if found is not None:
            return found
    return next(iter(ranked), min(ran, default=1))


def text_of(vote: Vote, heard: Heard) -> str:
    """What the answer gives, and what the solutions do, in words."""
    assert vote.result is not None
    distinct = len(heard.voters)
    different = (
        " (all alike)" if distinct == 1 else f" ({distinct} different ones)" if distinct < heard.programs else ""
    )
    loading = " can't be called: loading the code" if vote.got.loading else ""
    many = f"{vote.agree} of {vote.voters} solutions{different} written independently from the question"
    return (
        f"{code_excerpt(vote.call.text)}{loading} {_came(vote.got, vote.result, 's')}; "
        f"{many} {_came(vote.result, vote.got)}."
    )


def _came(result: Result, other: Result, ending: str = "") -> str:
    """What a call came to, in words: what tells it from the other."""
    if result.kind == "raised":
        return f"raise{ending} {one_line(result.shown)}"
    if result.kind != "value":
        return one_line(result.shown)
    if result.value == ["n"] and (other.kind != "value" or other.value == ["n"]):
        changed = dict(result.changed)
        differing = [name for name in changed if changed[name] != dict(other.changed).get(name)]
        if differing:
            return f"leave{ending} {code_excerpt(written(changed[differing[0]]))} of what it is given"
        if dict(other.changed):
            return f"leave{ending} what it is given as it is"
        if result.printed != other.printed:
            return f"print{ending} {code_excerpt(repr(result.printed.rstrip()))}"
    return f"give{ending} {code_excerpt(result.shown)}"


def category_of(vote: Vote) -> str:
    """What kind of fault it looks like."""
    got = vote.got
    if got.kind == "timeout":
        return "loop-control"
    if got.kind == "raised":
        return CATEGORY_OF_EXCEPTION.get(got.error, "other")
    return "missing-return" if got.shown == "None" else "wrong-return"
