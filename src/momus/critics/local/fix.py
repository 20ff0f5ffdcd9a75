"""Fixes: where the model would have written something else, let it, and see where it comes back to the code.

The scan has read the whole code as a draft and says at each token what the model would rather have written. From the
least likely token of each suspect line it goes its own way, several ways in one batch, until what it writes is again a
line of the code that follows. What lies between is replaced, inserted or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momus.critics.local.bare import comment_starts
from momus.critics.local.checks import meaning, parsed, refuted
from momus.critics.local.rewrite import Change, Rewrite
from momus.critics.local.scan import Looked, Scan
from momus.critique import Span, TextMap

if TYPE_CHECKING:
    from momus.models.local import LocalModel
    from momus.models.protocol import Branch

FIXES = "2"  # the version of how fixes are looked for: kept ones of another are not taken
BRANCHES = 8  # ways that are tried in one batch
WAYS = 4  # of one line at most
LEAST_GAIN = -1.0  # nats: what the model finds less likely than the code by more is no fix
ROUND = 8  # tokens between two looks at what was written
MAX_TOKENS = 64
NEW_LINES = 8  # lines that a fix may write before it has to be back
AHEAD = 8  # lines of the code that it may come back to


@dataclass(frozen=True, slots=True)
class Fix:
    """Lines `first` to `last` of an answer (1-based, both in; none where last < first) give way to `lines`.

    `code` is the answer with the fix; `line` the suspect line that it came from, and `gain` by how many nats the model
    finds what it wrote likelier than what stood there.
    """

    code: str
    first: int
    last: int
    lines: tuple[str, ...]
    line: int
    gain: float


@dataclass(slots=True)
class _Way:
    """One branch: from token `index` of the scan on with another token."""

    line: int  # 1-based in the window
    index: int
    token: int
    logprob: float
    branch: Branch | None = None
    new: list[str] | None = None  # what takes the place of the lines `line` to `back` - 1
    back: int = 0
    written: float = 0.0  # log-probability of what it wrote, the line where it is back and the first token included
    over: bool = False


def fixes(
    scan: Looked,
    answer: str,
    lines: Sequence[int],
    *,
    known: frozenset[str] = frozenset(),
    least: float = LEAST_GAIN,
) -> list[Fix]:
    """Fixes that begin on one of the lines of a scan, or of a rewrite (1-based in the answer), best first; each meaning
    once.

    Only those that gain `least` nats, parse, mean something else than the answer, and are not refuted by it. `known`
    are the names that are bound around it. What does not parse has none.
    """
    before = parsed(answer)
    if before is None:
        return []
    said = meaning(before)
    found: dict[str, Fix] = {}
    for change in _changes(scan, [scan.lines.index(line) + 1 for line in lines if line in scan.lines], least):
        fix = _fix(scan, answer, change)
        after = parsed(fix.code) if fix is not None and fix.gain >= least else None
        if fix is None or after is None or refuted(before, after, known):
            continue
        means = meaning(after)
        if means != said and (means not in found or fix.gain > found[means].gain):
            found[means] = fix
    return sorted(found.values(), key=lambda fix: -fix.gain)


def still_fixes(answer: str, found: Iterable[Fix], known: frozenset[str]) -> Iterator[Fix]:
    """Those of fixes that were kept which today's rules let pass: see `fixes`."""
    before = parsed(answer)
    said = meaning(before) if before is not None else ""
    for fix in found:
        after = parsed(fix.code)
        if before is not None and after is not None and meaning(after) != said and not refuted(before, after, known):
            yield fix


def _changes(scan: Looked, lines: Sequence[int], least: float) -> list[Change]:
    """What would rather have been written on some lines of a window (1-based in it)."""
    if isinstance(scan, Rewrite):
        return [change for change in scan.changes if change.line in lines]
    if not isinstance(scan, Scan) or not (ways := _ways(scan, lines, least)):
        return []
    _write(scan.model, scan, ways, least)
    return [change for way in ways if (change := _change(scan, way)) is not None]


def _ways(scan: Scan, lines: Iterable[int], least: float) -> list[_Way]:
    worst = scan.worst()
    ways: list[_Way] = []
    for line in lines:
        if line not in worst:
            continue
        index = worst[line]
        others = zip(scan.top_ids[index].tolist(), scan.top_logprobs[index].tolist(), strict=True)
        hopeful = [_Way(line, index, token, p) for token, p in others if token != scan.ids[index]]
        ways += [way for way in hopeful[:WAYS] if _hope(way, scan) >= least]
    gain = {id(way): way.logprob - float(scan.logprobs[way.index]) for way in ways}
    return sorted(ways, key=lambda way: -gain[id(way)])[:BRANCHES]


def _write(model: LocalModel, scan: Scan, ways: Sequence[_Way], least: float) -> None:
    """Let the model write each way on until it is back in the code, or has gone too far."""
    tokens, text = model.tokens, TextMap(scan.code)
    begins = min(way.index for way in ways)
    session = model.start([*scan.head, *scan.ids[:begins]])
    try:
        branches = session.fork(None, len(ways))
        session.extend(branches, [[*scan.ids[begins : way.index], way.token] for way in ways])
        for way, branch in zip(ways, branches, strict=True):
            way.branch = branch
        written = 0
        while written < MAX_TOKENS and (going := [way for way in ways if not way.over]):
            session.sample(
                [way.branch for way in going if way.branch is not None],
                max_tokens=ROUND,
                temperature=0.0,
                stop=tokens.ends,
                quote=None,
                seed=0,
            )
            written += ROUND
            for way in going:
                _look(way, scan, text, model, begins, least)
    finally:
        session.close()


def _look(way: _Way, scan: Scan, text: TextMap, model: LocalModel, begins: int, least: float) -> None:
    """See whether a way is back in the code: one of its whole lines is a line of the code from there on."""
    assert way.branch is not None
    ids = way.branch.tokens[way.index - begins :]
    before = scan.code[text.line_span(way.line)[0] : scan.offsets[way.index][0]]
    written = before + model.tokens.decode(ids)
    ended = ids[-1] in model.tokens.ends
    if "```" in written and "```" not in scan.code:
        written, ended = written.split("```")[0], True
    lines = written.replace("\r\n", "\n").split("\n")
    whole = lines if ended else lines[:-1]
    for at, line in enumerate(whole):
        back = _back(text, way.line, at, line) if line.strip() else None
        if back is not None:
            until = sum(len(one) + 1 for one in whole[: at + 1]) - len(before)
            way.new, way.back, way.over = whole[:at], back, True
            way.written = _logprob(way, ids, model, until)
            return
    if ended:
        while whole and not whole[-1].strip():
            whole.pop()
        way.new, way.back, way.over = whole, text.line_count + 1, True
        way.written = way.logprob + sum(way.branch.logprobs)
    elif len(lines) > NEW_LINES or _hope(way, scan) < least:
        way.over = True


def _back(text: TextMap, left: int, at: int, line: str) -> int | None:
    """The line of the code nearest to where a written line would stand, of those that read the same; the way left the
    code at line `left`."""
    reach = range(left + (at == 0), min(text.line_count, left + at + AHEAD) + 1)
    same = [n for n in reach if text.line_text(n).rstrip() == line.rstrip()]
    return min(same, key=lambda n: abs(n - left - at), default=None)


def _logprob(way: _Way, ids: Sequence[int], model: LocalModel, characters: int) -> float:
    """Log-probability of the tokens that write so many characters."""
    assert way.branch is not None
    n = next((n for n in range(1, len(ids)) if len(model.tokens.decode(ids[:n])) >= characters), len(ids))
    forced = len(way.branch.tokens) - len(ids)
    return way.logprob + sum(way.branch.logprobs[forced : forced + n])


def _hope(way: _Way, scan: Scan) -> float:
    """The gain of a way if all that is left of the code gave way, and nothing more had to be written."""
    written = sum(way.branch.logprobs) if way.branch is not None else 0.0
    return way.logprob + written - float(scan.logprobs[way.index :].sum())


def _change(scan: Scan, way: _Way) -> Change | None:
    if way.new is None:
        return None
    window = TextMap(scan.code)
    end = window.line_span(way.back)[1] if way.back <= window.line_count else len(scan.code)
    behind = zip(scan.logprobs[way.index :].tolist(), scan.offsets[way.index :], strict=True)
    stood = sum(logprob for logprob, (at, _) in behind if at < end)
    return Change(way.line, way.line, way.back, tuple(way.new), way.written - stood)


def _fix(scan: Looked, answer: str, change: Change) -> Fix | None:
    window, text = TextMap(scan.code), TextMap(answer)
    old = [text.line_text(n) for n in range(1, text.line_count + 1)]
    written = [line.rstrip().removeprefix(scan.indent) for line in change.new]
    shown = [window.line_text(n).removeprefix(scan.indent).rstrip() for n in range(1, window.line_count + 1)]
    placed = in_answer(answer, scan.lines, shown, (change.first, change.back), written)
    if placed is None:
        return None
    start, stop, lines = placed
    new = [*old[:start], *lines, *old[stop:]]
    head = _common(old, new)
    tail = min(_common(old[::-1], new[::-1]), min(len(old), len(new)) - head)
    newline = "\r\n" if "\r\n" in answer else "\n"
    return Fix(
        code=newline.join(new) + (newline if answer.endswith(("\n", "\r")) else ""),
        first=head + 1,
        last=len(old) - tail,
        lines=tuple(new[head : len(new) - tail]),
        line=scan.lines[change.line - 1],
        gain=change.gain,
    )


def in_answer(
    answer: str, places: Sequence[int], shown: Sequence[str], given: tuple[int, int], written: Sequence[str]
) -> tuple[int, int, list[str]] | None:
    """Which lines of an answer give way (a slice of them) to which, for lines written in place of some of its code.

    `shown` are the lines of the code and `places` the lines of the answer (1-based) that they are, `given` the lines of
    the code that gave way (1-based, the second is outside). Comments stay where a line was written for each that gave
    way. None where text would be lost that the model was not shown.
    """
    first, back = given
    gone = list(places[first - 1 : back - 1])
    text, starts, seen = TextMap(answer), comment_starts(answer), dict(zip(places, shown, strict=False))

    def hidden(line: int) -> bool:
        return text.line_text(line)[: starts.get(line)].rstrip() != seen.get(line, "").rstrip()

    while gone and written and seen[gone[0]] == written[0].rstrip():  # keep it, and its comment
        first, gone, written = first + 1, gone[1:], written[1:]
    while gone and written and seen[gone[-1]] == written[-1].rstrip():
        gone, written = gone[:-1], written[:-1]
    if not gone:
        if first == 1:
            return places[0] - 1, places[0] - 1, list(written)
        at = places[first - 2]
        between = range(at + 1, places[first - 1] if first <= len(places) else at + 1)
        at = max((n for n in between if hidden(n)), default=at)  # a string that began above, or stands here, goes on
        return at, at, list(written)
    between = range(gone[0], gone[-1] + 1)
    old = {n: text.line_text(n) for n in between}
    if len(gone) == len(written):
        new = {n: line for n, line in zip(gone, written, strict=True) if line.rstrip() != seen[n]}
        if any(hidden(n) for n in new):
            return None
        kept = [_with_comment(new[n], old[n], starts.get(n)) if n in new else old[n] for n in between]
        return gone[0] - 1, gone[-1], kept
    return None if any(hidden(n) for n in between) else (gone[0] - 1, gone[-1], list(written))


def _with_comment(line: str, old: str, start: int | None) -> str:
    return line if start is None else f"{line}{old[len(old[:start].rstrip()) :]}"


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x.rstrip() != y.rstrip()), min(len(a), len(b))
    )


def replacement(fix: Fix, text: TextMap) -> tuple[Span, str] | None:
    """The highlight in the answer and what is to take its place; None where the fix changes nothing that is code.

    What only inserts is said of the line that it follows. The first line's indentation stays outside of both, where
    the fix leaves it.
    """
    first, last, lines = fix.first, fix.last, list(fix.lines)
    while first <= last and not text.line_text(first).strip():
        first += 1  # blank lines are no place to point at
    while last >= first and not text.line_text(last).strip():
        last -= 1
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    if first > last:  # an insertion
        if not lines:
            return None
        before = next((n for n in range(fix.first - 1, 0, -1) if text.line_text(n).strip()), None)
        after = next((n for n in range(fix.last + 1, text.line_count + 1) if text.line_text(n).strip()), None)
        place = before if before is not None else after
        if place is None:
            return None
        stands = text.line_text(place).rstrip()
        first = last = place
        lines = [stands, *lines] if before is not None else [*lines, stands]
    start, end = text.line_span(first)[0], text.line_span(last)[1]
    quoted = text.text[start:end]
    indent = quoted[: len(quoted) - len(quoted.lstrip())]
    end -= len(quoted) - len(quoted.rstrip())
    if not lines or lines[0].startswith(indent):
        start += len(indent)
        lines = [lines[0][len(indent) :], *lines[1:]] if lines else []
    newline = "\r\n" if "\r\n" in text.text else "\n"
    return Span(start, end), newline.join(lines)


def best_of_lines(found: Iterable[Fix]) -> list[Fix]:
    """The best fix of each suspect line."""
    best: dict[int, Fix] = {}
    for fix in found:
        if fix.line not in best or fix.gain > best[fix.line].gain:
            best[fix.line] = fix
    return list(best.values())
