"""The measures: each a small function of one critique and one item. What can't be scored is NaN, never 0.

Three levels of a claim, each stricter than the last (`momus.match`): the *place* (a line of the bug), the *claim*
(place and category) and the *fix* (its suggestion undoes the bug, or makes the tests pass). `@k` reads the first k
comments. A comment is held to its first highlighted line, and to none where it is wider than three. CBI, critique-bug
inclusion, is section 2.1.2 of the paper, where people judge it; here code does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from momus.critique import Comment, Critique, TextMap
from momus.match import WIDEST, apply_suggestion, code_key, undoes
from momus.measure.item import Item, flagged_lines
from momus.records import Task

NAN = math.nan
Prover = Callable[[Task, str], bool]  # do the task's tests pass on this text?


def pointed(comment: Comment, text: TextMap) -> int | None:
    """The line that a comment is held to: the first with code that it highlights. None where it is too wide.

    A highlight of more than WIDEST lines says no place, or one as wide as the answer would find every bug.
    """
    lines = flagged_lines((comment,), text)
    return lines[0] if 0 < len(lines) <= WIDEST else None


def in_place(comment: Comment, item: Item) -> list[int]:
    """The bugs that a comment points at, by number: its first line is one of theirs."""
    line = pointed(comment, item.text)
    return [i for i, bug in enumerate(item.bug_lines) if line in bug]


def touched(comment: Comment, item: Item) -> list[int]:
    """The bugs whose lines a comment of at most WIDEST lines highlights: what its suggestion may be a fix of."""
    lines = flagged_lines((comment,), item.text)
    if len(lines) > WIDEST:
        return []
    return [i for i, bug in enumerate(item.bug_lines) if not bug.isdisjoint(lines)]


def claims(comment: Comment, item: Item) -> list[int]:
    """The bugs that a comment points at and whose category it names. A bug of category `other` can't be named."""
    bugs = item.tamper.bugs
    return [i for i in in_place(comment, item) if bugs[i].category == comment.category != "other"]


def fixes(comment: Comment, item: Item, prover: Prover | None = None) -> list[int]:
    """The bugs that a comment touches and its suggestion undoes.

    With a prover, a suggestion that makes the tests pass fixes every bug that the comment touches.
    """
    near = touched(comment, item)
    if comment.suggestion is None or not near:
        return []
    task, twin, bugs = item.tamper.task, item.tamper.twin, item.tamper.bugs
    found = [i for i in near if undoes(comment, bugs[i], task.answer, twin)]
    if not found and prover is not None and task.tests is not None:
        mended = apply_suggestion(task.answer, comment.highlight, comment.suggestion)
        return near if prover(item.tamper.task, mended) else []
    return found


def share_found(found: Sequence[Sequence[int]], item: Item) -> float:
    """The share of an item's bugs among those that some comments found. NaN where no bug has a known place."""
    if not item.bug_lines:
        return NAN
    return len({bug for bugs in found for bug in bugs}) / len(item.bug_lines)


def any_found(found: Sequence[Sequence[int]], item: Item) -> float:
    """1 where some comment found a bug, else 0. NaN where no bug has a known place."""
    return float(any(found)) if item.bug_lines else NAN


def spurious(critique: Critique, item: Item) -> float:
    """How many comments point at no line of a bug, or at one that an earlier comment has: repeating adds nothing."""
    if not item.bug_lines:
        return NAN
    open_lines = {line for lines in item.bug_lines for line in lines}
    count = 0
    for comment in critique:
        line = pointed(comment, item.text)
        count += line not in open_lines
        open_lines.discard(line or 0)
    return float(count)


def place_in_lines(comments: Sequence[Comment], item: Item, budget: int) -> tuple[float, int]:
    """Whether the first `budget` lines that comments flag hold a line of a bug, and how many lines that were."""
    if not item.bug_lines:
        return NAN, 0
    lines = flagged_lines(comments, item.text)[:budget]
    return line_found(lines, item), len(lines)


def line_found(lines: Sequence[int], item: Item) -> float:
    """1 where one of some lines is a bug's, else 0. NaN where no bug has a known place."""
    return float(any(not bug.isdisjoint(lines) for bug in item.bug_lines)) if item.bug_lines else NAN


def chance(item: Item, lines: int) -> float:
    """The probability that so many lines, drawn as the critic `random` draws them, hold a line of a bug.

    Bodies first: only where more lines are flagged than those have do imports and signatures come in.
    """
    if not item.bug_lines:
        return NAN
    bug = frozenset[int]().union(*item.bug_lines)
    rest = frozenset(item.text.code_lines) - item.body
    return 1.0 - _missed(item.body, bug, lines) * _missed(rest, bug, lines - len(item.body))


def _missed(lines: frozenset[int], bug: frozenset[int], drawn: int) -> float:
    drawn = max(0, min(drawn, len(lines)))
    return math.comb(len(lines - bug), drawn) / math.comb(len(lines), drawn)


def repeated_in_place(comments: Sequence[Comment], item: Item) -> float:
    """Whether comments on the clean twin point at where the bug would stand. The category does not matter here."""
    lines = {pointed(comment, item.twin_text) for comment in comments}
    return float(any(not twin.isdisjoint(lines) for twin in item.twin_lines))


def repeated_claim(comments: Sequence[Comment], item: Item) -> float:
    """Whether a comment on the clean twin makes the bug's claim: its place and its category."""
    return float(
        any(
            comment.category == bug.category and pointed(comment, item.twin_text) in twin
            for comment in comments
            for bug, twin in zip(item.tamper.bugs, item.twin_lines, strict=True)
        )
    )


def repeated_fix(comments: Sequence[Comment], item: Item) -> float:
    """Whether a comment on the clean twin would change its code at a bug's place: there is nothing to mend there."""
    twin = item.tamper.twin
    return float(
        any(
            comment.suggestion is not None
            and repeated_in_place((comment,), item) > 0
            and code_key(apply_suggestion(twin, comment.highlight, comment.suggestion)) != code_key(twin)
            for comment in comments
        )
    )


def score_item(
    item: Item,
    critique: Critique | None,
    twin: Critique | None,
    *,
    k: int,
    budget: int,
    read: int | None = None,
    prover: Prover | None = None,
    ranking: Critique | None = None,
    lines: Sequence[int] | None = None,
) -> dict[str, float]:
    """All measures of one critic on one item, by name; a critique that failed is None.

    Of a critic that ranks lines only the first `read` comments count as made; its budget is taken from all of them.
    The twin test is +1 where the first comment (`@k`: the first k) finds a bug, and -1 where the first comment on the
    twin says the same there. `ranking` lists lines by surprisal: `surprisal@k` says whether as many lines as the
    critic flagged, taken from its top, hold a bug. `lines` is the critic's own order of all lines, before any gate.
    """
    scores: dict[str, float] = {}
    if lines is not None:
        for m in (1, k):
            scores[f"first@{m}"] = line_found(lines[:m], item)
    if twin is not None:
        twin = Critique(twin.comments[:read])
        scores["twin_flagged"] = float(len(twin) > 0)
    if critique is None:
        return scores
    comments = critique.comments[:read]
    places = [in_place(comment, item) for comment in comments]
    named = [claims(comment, item) for comment in comments]
    mended = [fixes(comment, item, prover) for comment in comments[:k]]
    nameable = any(bug.category != "other" for bug in item.tamper.bugs)
    for m in dict.fromkeys((1, k)):
        scores[f"place@{m}"] = any_found(places[:m], item)
        scores[f"claim@{m}"] = any_found(named[:m], item) if nameable else NAN
        scores[f"fix@{m}"] = any_found(mended[:m], item)
        flagged = len(flagged_lines(comments[:m], item.text))
        scores[f"chance@{m}"] = chance(item, flagged)
        if ranking is not None:
            scores[f"surprisal@{m}"] = place_in_lines(ranking.comments, item, flagged)[0]
        if twin is not None:
            said = twin.comments[:m]
            scores[f"twin_place@{m}"] = scores[f"place@{m}"] - repeated_in_place(said, item)
            scores[f"twin_claim@{m}"] = scores[f"claim@{m}"] - repeated_claim(said, item)
            scores[f"twin_fix@{m}"] = scores[f"fix@{m}"] - repeated_fix(said, item)
    scores["bugs_found"] = share_found(places[:k], item)
    scores["bugs_fixed"] = share_found(mended, item)
    scores["budget"], used = place_in_lines(critique.comments, item, budget)
    scores["budget_chance"] = chance(item, used)
    scores["spurious"] = spurious(Critique(comments), item)
    scores["flagged"] = float(len(comments) > 0)
    scores["comments"] = float(len(comments))
    scores["lines"] = float(len(flagged_lines(comments, item.text)))
    return scores


def score_clean(critique: Critique | None, *, read: int | None = None) -> dict[str, float]:
    """The measures on a clean answer, where silence is right; a critique that failed is None."""
    if critique is None:
        return {}
    comments = critique.comments[:read]
    return {"clean_flagged": float(len(comments) > 0), "clean_comments": float(len(comments))}
