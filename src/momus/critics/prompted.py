"""A model on somebody's server, asked for a critique by one prompt: the paper's "ChatGPT" arm (section 2.3).

Nothing holds such a model to exact quotes, so each quote is looked for in the answer from strict to lenient, and what
stands nowhere is dropped and counted, never shown.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from momus.critics.protocol import failed
from momus.critique import CATEGORIES, SILENCE, Comment, Critique, Span, TextMap, parse
from momus.errors import MomusError
from momus.match import apply_suggestion
from momus.models.chat import CONCURRENCY, Chat, ChatError, Reply, model_and_url
from momus.models.quote import QuoteSpace
from momus.records import Sampled, Task

PROMPT = Path(__file__).with_name("prompts") / "critique.md"
DRAFTS = 4
TEMPERATURE = 0.7
MAX_TOKENS = 1024
MAX_ANSWER = 24_000  # characters of an answer that are sent; what is beyond is named in `left_out`
MAX_QUESTION = 8_000

_BACKTICKS = re.compile(r"`+")
_FENCE = re.compile(r" {0,3}(`{3,})([^`]*)")
_WRAPPERS = frozenset(("", "text", "txt", "plaintext", "critique"))
_FIELD = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A reply that could be read as a critique."""

    critique: Critique
    anchors: tuple[str, ...]
    dropped: int
    reply: Reply


class PromptedCritic:
    """`server:MODEL@URL`. Of `drafts` replies to the prompt the one is kept that its model finds likeliest.

    That is the mean log-probability of its tokens; where the server tells none, it is the first that can be read. A
    task of which no reply can be read has an error. Raises MomusError where the server can do nothing at all.
    """

    def __init__(
        self,
        chat: Chat,
        *,
        drafts: int = DRAFTS,
        temperature: float = TEMPERATURE,
        max_tokens: int = MAX_TOKENS,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        if drafts < 1 or max_tokens < 1 or max_answer < 1 or temperature < 0:
            raise MomusError("drafts, max_tokens and max_answer are 1 or more, and a temperature is 0 or more")
        self.name = f"server:{chat.model}@{chat.url}"
        prompt = hashlib.sha256(PROMPT.read_bytes()).hexdigest()[:12]
        self.version = f"{prompt}/{drafts}/{temperature}/{max_tokens}/{max_answer}"
        self._chat = chat
        self._drafts, self._temperature, self._max_tokens = drafts, temperature, max_tokens
        self._max_answer = max_answer

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        """`n` critiques of each task, each the best of the drafts."""
        for task in tasks:
            for i in range(n):
                try:
                    yield self._critique(task, i, seed + i * self._drafts)
                except (ChatError, ValueError) as error:
                    yield failed(self.name, task, i, error)

    def _critique(self, task: Task, i: int, seed: int) -> Sampled:
        if not task.answer.strip():
            return Sampled(task_id=task.id, critic=self.name, i=i)
        prompt, left_out = prompt_for(task, self._max_answer)
        replies = self._chat.complete(
            prompt,
            n=self._drafts,
            temperature=self._temperature,
            max_tokens=self._max_tokens,
            seed=seed,
            logprobs=True,
        )
        space = QuoteSpace(task.answer)
        drafts = [
            draft for reply in replies if isinstance(reply, Reply) and (draft := _draft(reply, space)) is not None
        ]
        if not drafts:
            errors = [str(reply) for reply in replies if isinstance(reply, ChatError)]
            raise ChatError(errors[0] if errors else f"none of {len(replies)} replies could be read as a critique")
        best = drafts[0]
        if all(draft.reply.logprob is not None for draft in drafts):
            best = max(drafts, key=lambda draft: draft.reply.logprob or 0.0)
        return Sampled(
            task_id=task.id,
            critic=self.name,
            i=i,
            critique=best.critique,
            logprob=best.reply.logprob,
            finish="length" if best.reply.cut else "stop",
            left_out=left_out,
            anchors=best.anchors,
            dropped=best.dropped,
        )


def open_prompted(
    name: str,
    *,
    timeout_s: float = 120,
    retries: int = 2,
    concurrency: int = CONCURRENCY,
    drafts: int = DRAFTS,
    temperature: float = TEMPERATURE,
    max_tokens: int = MAX_TOKENS,
    max_answer: int = MAX_ANSWER,
) -> PromptedCritic:
    """The critic over a server; `name` is MODEL@URL. Raises MomusError where that is no such name."""
    model, url = model_and_url(name, "server")
    chat = Chat(model, url, timeout_s=timeout_s, retries=retries, concurrency=concurrency)
    return PromptedCritic(chat, drafts=drafts, temperature=temperature, max_tokens=max_tokens, max_answer=max_answer)


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
