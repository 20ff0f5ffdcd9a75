"""What to put in place of a suspect line: of what was proposed and of its repairs, that which reads best.

A small model tells a wrong line better than it spells the right one. So its own proposals stand beside the edits that
bug operators would make of the line (`momus.tamper.repairs`), the answer is read again with each, and the one is kept
that leaves the line least suspect; where none leaves it less suspect than it was, there is no suggestion. That is done
before a word is said, so that the words are of this mend.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from momus.critique import Span, TextMap
from momus.match import apply_suggestion
from momus.models.bundled import Bundle, BundledSession
from momus.models.dialect import stripped_line
from momus.models.excerpts import Excerpts
from momus.models.protocol import Prompt
from momus.tamper.compiled import compiles, parse
from momus.tamper.repairs import repairs

DRAFTS = 4  # proposals of the model for one line
MAX_TOKENS = 96  # of one proposal
WORDS = 48  # tokens that are kept free behind a mend
MOST = 8  # answers that are read again for one line
_PYTHON = frozenset((*keyword.kwlist, *dir(builtins)))
_NAME = re.compile(r"(?<!\w)[^\W\d]\w*")
_DEFINED = re.compile(r"\b(?:def|class)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class _Mend:
    """An answer with a line replaced, by the text that replaced it; its lines are `first` to `last`."""

    answer: str
    suggestion: str
    first: int
    last: int


class Mender:
    """Suggestions for lines of a window: the model proposes some, the bundle's own gate judges."""

    def __init__(self, bundle: Bundle) -> None:
        self._backend = bundle.backend
        self._gate = bundle.gate

    def suggestions(
        self, session: BundledSession, lines: Sequence[int], *, drafts: int, temperature: float, seed: int
    ) -> dict[int, str | None]:
        """`suggestion` for each of some lines of an open window, with `drafts` proposals of the model for each.

        A proposal with a name that the window does not have was not read off it, and is passed over.
        """
        dialect = session.dialect
        quoted = session.fork(None, len(lines))
        heads = [dialect.quote(line, session.text.line_text(line)) for line in lines]
        session.extend(quoted, [[*head, dialect.suggest] for head in heads])
        drawn = session.sample(
            session.fork(quoted, drafts),
            max_tokens=MAX_TOKENS,
            temperature=temperature,
            stop=frozenset((dialect.unsuggest, dialect.open, dialect.end)),
            quote=None,
            seed=seed,
        )
        known = _PYTHON | _names(session.prompt.question) | _names(session.prompt.answer)
        found = {}
        for n, line in enumerate(lines):
            ranked = sorted(drawn[n * drafts : (n + 1) * drafts], key=lambda draft: -draft.branch.mean_logprob)
            whole = [draft.tokens[:-1] for draft in ranked if draft.tokens[-1] == dialect.unsuggest]
            proposed = [text for tokens in whole if _names(text := dialect.tokenizer.decode(tokens)) <= known]
            found[line] = self.suggestion(session.prompt, line, proposed)
        return found

    def suggestion(self, prompt: Prompt, line: int, proposed: Sequence[str]) -> str | None:
        """What to write for a 1-based line of the prompt's answer, without its indentation; None where nothing helps.

        `proposed` are suggestions for the whole line, the likeliest first; of two that read alike the first is kept.
        """
        text = TextMap(prompt.answer)
        place = stripped_line(text, line)
        if place is None:
            return None
        best, least = None, self._suspicion(prompt, line, line)
        for mend in _mends(text, line, place, list(dict.fromkeys(proposed))):
            found = self._suspicion(Prompt(prompt.question, mend.answer), mend.first, mend.last)
            if found < least:
                best, least = mend.suggestion, found
        return best

    def _suspicion(self, prompt: Prompt, first: int, last: int) -> float:
        """The gate's confidence that there is a bug on some lines; 1 where the answer cannot be read."""
        try:
            session = self._backend.open(prompt)
        except ValueError:
            return 1.0
        found = [self._gate.confidence(s) for s in session.suspicions() if first <= s.line <= last]
        session.close()
        return max(found, default=1.0)


def behind(session: BundledSession, line: int, mend: str | None) -> list[int]:
    """The tokens between a line's quote and what is said of it: the mend, where it leaves room for words."""
    if mend is None:
        return []
    tokens = session.dialect.mend(mend)
    taken = len(session.dialect.quote(line, session.text.line_text(line))) + len(tokens)
    return tokens if taken + WORDS <= session.room else []


def excerpts(session: BundledSession, mends: Mapping[int, str | None]) -> Excerpts:
    """What code may stand in words on some lines with their mends: of either, and the name of what they stand in.

    Of a line without a mend, anything that was read.
    """
    texts = _DEFINED.findall(session.prompt.answer)
    for line, mend in mends.items():
        read = (session.prompt.question, session.prompt.answer)
        texts += read if mend is None else (session.text.line_text(line), mend)
    return Excerpts(texts)


def _mends(text: TextMap, line: int, place: Span, proposed: Sequence[str]) -> list[_Mend]:
    """The proposals, then the repairs, each once.

    A proposal that only deletes the line leaves nothing to read; one that makes a program none is no mend of it.
    """
    mends = []
    whole = _is_python(text.text)
    for suggestion in proposed:
        if suggestion.strip() and suggestion != place.of(text.text):
            answer = apply_suggestion(text.text, place, suggestion)
            if not whole or _is_python(answer):
                mends.append(_Mend(answer, suggestion, line, line + suggestion.count("\n")))
    seen = {mend.answer for mend in mends}
    for answer in repairs(text.text, line):
        mended = TextMap(answer)
        if (
            answer not in seen
            and (stripped := stripped_line(mended, line)) is not None
            and stripped.start == place.start
        ):
            mends.append(_Mend(answer, stripped.of(answer), line, line))
    return mends[:MOST]


def _is_python(answer: str) -> bool:
    try:
        return compiles(parse(answer))
    except (SyntaxError, ValueError):
        return False


def _names(text: str) -> set[str]:
    """Every name in code or words, what stands in strings included."""
    return set(_NAME.findall(text))
