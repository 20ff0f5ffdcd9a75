"""The strategy *critique*: a model on a server, asked for a critique in words; for models that are strong enough.

That is the paper's "ChatGPT" arm (section 2.3). Several samples are merged by what they agree on, and each claim is
checked by a second request, which sees the claim and the code alone. Nothing holds such a model to exact quotes, so
each quote is looked for in the answer from strict to lenient, and what stands nowhere is dropped and counted, never
shown.
"""

from __future__ import annotations

import ast
import hashlib
import math
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from momus.critics.local.fixing import Assessment, certain_of, unopposed, unrefuted
from momus.critics.protocol import failed
from momus.critics.served.ahead import account_of, ahead, digest_of
from momus.critics.solutions.outvoted import outvoted
from momus.critique import CATEGORIES, SILENCE, Comment, Critique, Span, TextMap, parse
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.models.chat import Chat, ChatError, OutOfBudget, Reply, ServerError
from momus.models.chat_abilities import TOP
from momus.models.chat_replies import sentence
from momus.models.quote import QuoteSpace
from momus.records import Sampled, Task

if TYPE_CHECKING:
    from momus.critics.local.calibration import Calibration
    from momus.critics.solutions.outvoted import Writing

PROMPT = Path(__file__).with_name("prompts") / "critique.md"
CHECK = PROMPT.with_name("claim.md")
DRAFTS = 3
TEMPERATURE = 0.7
MAX_TOKENS = 1024
MAX_ANSWER = 24_000  # characters of an answer that are sent; what is beyond is named in `left_out`
MAX_QUESTION = 8_000
CHECK_TOKENS = 512
MAJORITY = 0.51  # share of the samples that say a thing, times how likely its claim is true, from which it is said
COMMENTS = 3

_BACKTICKS = re.compile(r"`+")
_FENCE = re.compile(r" {0,3}(`{3,})([^`]*)")
_WRAPPERS = frozenset(("", "text", "txt", "plaintext", "critique"))
_FIELD = re.compile(r"\{\{(\w+)\}\}")
_VERDICT = re.compile(r"[^A-Za-z]*(TRUE|FALSE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A reply that could be read as a critique."""

    critique: Critique
    anchors: tuple[str, ...]
    dropped: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Claimed:
    """A comment that samples agree on: the share of them, and how its quote was found."""

    comment: Comment
    share: float
    anchor: str


class PromptedCritic:
    """`server:MODEL@URL+critique`: comments that more than half of `drafts` samples make and a check confirms.

    The score of a comment is the share of the samples that make it times the probability that the check gives its
    claim; a calibration says from which score on it is made. A task of which no reply can be read has an error, and
    so has one where a check fails: nothing is taken for true, or for silence. With `examples` and `solutions` what
    running contradicts is said first. Raises MomusError where the server can do nothing at all.
    """

    cut: Literal["unit"] = "unit"
    mode = "critique"

    def __init__(
        self,
        chat: Chat,
        *,
        name: str = "",
        drafts: int = DRAFTS,
        check: bool = True,
        temperature: float = TEMPERATURE,
        max_tokens: int = MAX_TOKENS,
        max_answer: int = MAX_ANSWER,
        examples: bool = False,
        solutions: Writing | None = None,
        calibration: Calibration | None = None,
        thresholds: tuple[float, float] = (MAJORITY, MAJORITY),
    ) -> None:
        if drafts < 1 or max_tokens < 1 or max_answer < 1 or temperature < 0:
            raise MomusError("drafts, max_tokens and max_answer are 1 or more, and a temperature is 0 or more")
        self.name = name or f"server:{chat.model}@{chat.url}"
        self.request = request_version()
        self.version = f"{self.request}/{drafts}/{check}/{temperature}/{max_tokens}/{max_answer}/{thresholds}"
        if solutions is not None:
            self.version += f"/{solutions.version}"
        self.runs = examples or solutions is not None
        self._chat, self._check = chat, check
        self._drafts, self._temperature, self._max_tokens = drafts, temperature, max_tokens
        self._max_answer = max_answer
        self._examples, self._solutions = examples, solutions
        self.calibration, self._thresholds = calibration, thresholds
        self.fitted = frozenset(calibration.fitted) if calibration is not None else frozenset()
        self.digest = digest_of(chat.model, "")

    @property
    def account(self) -> str:
        """What was asked of the server and used, in words."""
        return account_of(self._chat, self.mode)

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` critiques of each task, each of samples of its own."""
        seeds = [seed + i * self._drafts for i in range(n)]
        for task, replies in ahead(tasks, lambda task: partial(self._replies, task, seeds), self._chat):
            for i in range(n):
                try:
                    yield self._critique(task, i, replies()[i])
                except (MomusError, ValueError) as error:
                    if isinstance(error, ServerError):
                        raise
                    yield failed(self.name, task, i, error)

    def assess(self, task: Task, *, seed: int = 0) -> Assessment:
        """Comments with their scores before any threshold, highest first."""
        claims, _ = self._claims(task, self._replies(task, [seed])[0])
        return Assessment((), tuple((score, claim.comment) for score, claim in self._scored(task, claims, 0.0)))

    def _replies(self, task: Task, seeds: Sequence[int]) -> list[list[Reply | ChatError]]:
        if not task.answer.strip():
            return [[] for _ in seeds]
        prompt, _ = prompt_for(task, self._max_answer)
        asked = partial(
            self._chat.complete,
            prompt,
            n=self._drafts,
            temperature=self._temperature,
            max_tokens=self._max_tokens,
            logprobs=True,
        )
        return [asked(seed=seed) for seed in seeds]

    def _claims(self, task: Task, replies: Sequence[Reply | ChatError]) -> tuple[list[Claimed], list[_Draft]]:
        """What samples agree on, and those that can be read. Raises ChatError where none can, or one was not sent."""
        space = QuoteSpace(task.answer)
        drafts = [d for reply in replies if isinstance(reply, Reply) and (d := _draft(reply, space)) is not None]
        errors = [reply for reply in replies if isinstance(reply, ChatError)]
        unsent = [error for error in errors if isinstance(error, OutOfBudget)]
        if unsent or not drafts:
            why = f"none of {len(replies)} replies could be read as a critique"
            raise (unsent or errors or [ChatError(why)])[0]
        return agreed(drafts, space.text), drafts

    def _critique(self, task: Task, i: int, replies: Sequence[Reply | ChatError]) -> Sampled:
        if not task.answer.strip():
            return Sampled(task_id=task.id, critic=self.name, i=i)
        vote = partial(outvoted, task, self._solutions, (), ()) if self._solutions is not None else None
        first = certain_of(task, (), examples=self._examples, vote=vote)
        certain = first.comments
        claims, drafts = self._claims(task, replies)
        text = TextMap(task.answer)
        taken = {line for comment in certain for line in text.lines(comment.highlight)}
        open_claims = [claim for claim in claims if taken.isdisjoint(text.lines(claim.comment.highlight))]
        likely = self._scored(task, open_claims, self._thresholds[0 if task.question.strip() else 1])
        anchors = {claim.comment.highlight: claim.anchor for _, claim in likely}
        comments = [claim.comment for _, claim in likely]
        if first.heard is not None and first.heard.speaks:
            comments = unopposed(task, comments, first.heard)
        said = [*certain, *(unrefuted(task, comments) if self.runs else comments)][: max(COMMENTS, len(certain))]
        best = max(drafts, key=lambda draft: draft.reply.logprob or -math.inf)
        return Sampled(
            task_id=task.id,
            critic=self.name,
            i=i,
            critique=Critique(tuple(said)),
            logprob=best.reply.logprob,
            finish="length" if all(draft.reply.cut for draft in drafts) else "stop",
            left_out=prompt_for(task, self._max_answer)[1] or first.left_out,
            anchors=tuple(anchors.get(comment.highlight, "exact") for comment in said),
            dropped=sum(draft.dropped for draft in drafts),
        )

    def _scored(self, task: Task, claims: Sequence[Claimed], least: float) -> list[tuple[float, Claimed]]:
        """Claims whose score reaches a threshold, highest first; those that can't reach it are not checked."""
        found = []
        for claim in claims:
            if claim.share < least:
                continue
            score = claim.share * (self._truth(task, claim.comment) if self._check else 1.0)
            if score >= least:
                side = self.calibration.side(task.question) if self.calibration is not None else None
                rated = claim.comment if side is None else replace(claim.comment, confidence=side.chance(score))
                found.append((score, replace(claim, comment=rated)))
        return sorted(found, key=lambda one: -one[0])

    def _truth(self, task: Task, comment: Comment) -> float:
        """How likely a claim is true by the model's own account, its verdict first. Raises ChatError where it gives
        none."""
        fields = {
            "answer": fenced(shortened(task.answer, self._max_answer)[0], task.language),
            "quote": fenced(comment.highlight.of(task.answer), task.language),
            "claim": fenced(comment.text),
        }
        [reply] = self._chat.complete(
            fill(_template(CHECK), fields),
            temperature=0,
            max_tokens=CHECK_TOKENS,
            seed=0,
            logprobs=True,
            top_logprobs=TOP,
        )
        if isinstance(reply, ChatError):
            raise reply
        verdict = _VERDICT.match(reply.text)
        if verdict is None:
            raise ChatError(f"the check of a claim came to no verdict: {sentence(reply.text, 80)!r}")
        return _probability(reply, verdict[1].upper() == "TRUE")


def request_version() -> str:
    """Changes with the words of the requests."""
    return hashlib.sha256(PROMPT.read_bytes() + CHECK.read_bytes()).hexdigest()[:12]


def agreed(drafts: Sequence[_Draft], text: TextMap) -> list[Claimed]:
    """The comments of samples, one of each place that they speak of, that of the likeliest sample; most said first.

    Comments are about the same where they share a line.
    """
    ordered = sorted(drafts, key=lambda draft: -(draft.reply.logprob or -math.inf))
    groups: list[tuple[Claimed, set[int]]] = []
    for number, draft in enumerate(ordered):
        for comment, anchor in zip(draft.critique, draft.anchors, strict=True):
            lines = set(text.lines(comment.highlight))
            for known, by in groups:
                if not lines.isdisjoint(text.lines(known.comment.highlight)):
                    by.add(number)
                    break
            else:
                groups.append((Claimed(comment, 0.0, anchor), {number}))
    found = [replace(claim, share=len(by) / len(drafts)) for claim, by in groups]
    return sorted(found, key=lambda claim: -claim.share)


def _probability(reply: Reply, true: bool) -> float:
    """The probability of TRUE among both verdicts; 1 or 0, as it said, where the server tells none."""
    first = next((token for token in reply.tokens if _VERDICT.match(token.text) or token.text.strip()), None)
    told = {"T": 0.0, "F": 0.0}
    for text, logprob in first.others if first is not None else ():
        letter = text.strip().upper()[:1]
        if letter in told and ("TRUE" if letter == "T" else "FALSE").startswith(text.strip().upper()):
            told[letter] += math.exp(logprob)
    both = told["T"] + told["F"]
    found = told["T"] / both if both > 0 else float(true)
    return found if (found > 0.5) == true else float(true)  # what it said first counts


def prompt_for(task: Task, max_answer: int = MAX_ANSWER) -> tuple[str, str | None]:
    """The request for a critique of a task, and what of the answer is left out of it, in words."""
    answer, left_out = shortened(task.answer, max_answer)
    question = task.question[:MAX_QUESTION].strip() or "(The request is not known.)"
    fields = {
        "categories": ", ".join(CATEGORIES),
        "question": question,
        "answer": fenced(answer, task.language),
    }
    return fill(_template(PROMPT), fields), left_out


def shortened(answer: str, limit: int) -> tuple[str, str | None]:
    """As many whole lines of an answer as the limit of characters holds, and which lines are left out, in words."""
    if len(answer) <= limit:
        return answer, None
    text = TextMap(answer)
    kept = text.line(limit) - 1  # the line that crosses the limit goes
    cut = answer[: text.starts[kept]]
    first, last = kept + 1, text.line_count
    named = f"line {first}" if first == last else f"lines {first}-{last}"
    return cut, f"{named}: too long for the prompt"


def fenced(code: str, language: str = "") -> str:
    """Code in a fence that is longer than any run of backticks in it."""
    longest = max((len(run.group()) for run in _BACKTICKS.finditer(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.removesuffix(chr(10))}\n{fence}"


def fill(template: str, fields: dict[str, str]) -> str:
    """A template with its `{{fields}}` put in, in one pass: what is put in is not looked into."""
    return _FIELD.sub(lambda match: fields[match[1]], template)


@cache
def _template(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _draft(reply: Reply, space: QuoteSpace) -> _Draft | None:
    """What a reply says; None where it is neither comments nor silence."""
    methods: dict[Span, str] = {}

    def anchored(quote: str) -> Span | None:
        found = space.anchor(quote)
        if found is None:
            return None
        span = Span(found.start, found.end)
        methods[span] = found.method
        return span

    text = unwrapped(reply.text.replace("\r\n", "\n"))
    read = parse(text, space.answer, anchor=anchored)
    if not read.critique.comments and SILENCE.rstrip(".").lower() not in text.lower():
        return None
    anchors = tuple(methods.get(comment.highlight, "exact") for comment in read.critique)
    critique = Critique(tuple(_in_place(comment, space.text) for comment in read.critique))
    dropped = sum("quote" in lost.reason and "suggestion" not in lost.reason for lost in read.unanchored)
    return _Draft(critique, anchors, dropped, reply)


def unwrapped(text: str) -> str:
    """A reply without an outer fence around its comments; what stands outside of that fence is small talk.

    It is a fence called markdown, or one without a language that the opening of another follows before any closing.
    """
    inside: list[str] = []
    outer, block, wrapped = "", "", False  # the fences that are open
    lines = text.split("\n")
    for at, line in enumerate(lines):
        fence = _FENCE.fullmatch(line)
        marks, info = (fence[1], fence[2].strip().lower()) if fence else ("", "")
        closes = bool(marks) and not info
        if block:
            block = "" if closes and len(marks) >= len(block) else block
        elif outer and closes and len(marks) >= len(outer):
            outer = ""
            continue
        elif marks and not outer and _wraps(info, lines[at + 1 :]):
            outer, wrapped = marks, True
            continue
        elif marks:
            block = marks
        if outer:
            inside.append(line)
    return "\n".join(inside) if wrapped else text


def _wraps(info: str, below: list[str]) -> bool:
    following = next((fence[2].strip() for line in below if (fence := _FENCE.fullmatch(line))), "")
    return info in ("markdown", "md") or (info in _WRAPPERS and following != "")


def _in_place(comment: Comment, text: TextMap) -> Comment:
    """The comment on the code of its quote, its suggestion indented as the code is: models write it either way."""
    quote = comment.highlight.of(text.text)
    start = comment.highlight.start + len(quote) - len(quote.lstrip())
    end = comment.highlight.end - (len(quote) - len(quote.rstrip()))
    if start >= end:
        return comment
    highlight = Span(start, end)
    if comment.suggestion is None:
        return replace(comment, highlight=highlight)
    first, *further = comment.suggestion.rstrip().split("\n")
    before = text.text[text.line_span(text.line(start))[0] : start]
    indent = before if not before.strip() else ""
    lead = first[: len(first) - len(first.lstrip())]
    ways = ["\n".join([first.lstrip(), *further])]
    if further and indent.startswith(lead) and indent != lead:  # as if the answer were not indented there
        deeper = [indent[len(lead) :] + line if line.strip() else line for line in further]
        ways.append("\n".join([first.lstrip(), *deeper]))
    whole = next((way for way in ways if _parses(apply_suggestion(text.text, highlight, way))), ways[0])
    return replace(comment, highlight=highlight, suggestion=whole)


def _parses(code: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
