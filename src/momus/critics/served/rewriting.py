"""The strategy *rewrite*: the model repeats the code and corrects it, and each token comes with its probability.

The strategy *scan* has it read the code as its own answer as well, where the server tells how likely what it reads is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momus.critics.local.bare import Bare, bare
from momus.critics.local.request import indentation, request, windows
from momus.critics.local.rewrite import Rewrite, code_of, cut, rewrite
from momus.critics.local.scan import moved_in
from momus.critique import TextMap
from momus.models.chat import Chat, ChatError, Reply
from momus.models.chat_abilities import CONTINUED, TOP

if TYPE_CHECKING:
    from momus.models.chat_replies import Token
    from momus.records import Task

ROOM = 8_000  # characters of code in one request; longer code is read in windows
OVERLAP = 400  # characters that a window repeats of the one before it
SPARE = 100  # tokens that a reply may have beyond those of the code


@dataclass(frozen=True, slots=True)
class Window:
    """A part of an answer, and what is asked of it: `lines` are those of the answer (1-based) that its lines are."""

    lines: tuple[int, ...]
    indent: str
    code: str
    said: str
    begun: str

    @property
    def before(self) -> str:
        """What stands before the code in the reply: the context."""
        return self.begun.split("\n", 1)[1]


def windows_of(task: Task, shown: Bare | None = None) -> list[Window]:
    """The parts of an answer, mostly one; none where it holds no code."""
    if not task.answer.strip():
        return []
    shown = shown or bare(task.answer)
    indent = indentation(task.context)
    whole = moved_in(shown.code, indent)
    text = TextMap(whole)
    lengths = [text.line_span(n)[1] - text.starts[n - 1] + 1 for n in range(1, text.line_count + 1)]
    found = []
    for first, last in windows(lengths, ROOM, OVERLAP):
        code = whole[text.starts[first - 1] : text.line_span(last)[1]]
        if code.strip():
            said, begun = request(task.question, task.context, code)
            found.append(Window(shown.lines[first - 1 : last], indent, code, said, begun))
    return found


class Rewriter:
    """Has a served model write answers once more. `continues`: it can go on from the beginning of a reply; `reads`: it
    tells how likely what it reads is."""

    def __init__(self, chat: Chat, *, continues: bool, reads: bool = False) -> None:
        self._chat, self._continues, self._reads = chat, continues, reads

    def scan(self, task: Task, shown: Bare | None = None) -> list[Rewrite]:
        """The windows of an answer as the model has rewritten them. Raises MomusError where one came to nothing."""
        return self.look(windows_of(task, shown))

    def look(self, asked: Sequence[Window]) -> list[Rewrite]:
        return [self._rewritten(window) for window in asked]

    def _rewritten(self, window: Window) -> Rewrite:
        long = window.code if self._continues else window.before + window.code
        fence = window.begun.split("python")[0]
        begun = {"begun": window.begun, "stop": ["\n" + fence], **CONTINUED} if self._continues else {}
        [reply] = self._chat.complete(
            window.said,
            temperature=0,
            max_tokens=len(long) // 2 + SPARE,
            seed=0,
            logprobs=True,
            top_logprobs=TOP,
            **begun,
        )
        if isinstance(reply, ChatError):
            raise reply
        who = f"{self._chat.model} at {self._chat.url}"
        if not reply.tokens:
            raise ChatError(f"{who} does not tell how likely its tokens are any more")
        code, closed = code_of(_said(reply), fence if self._continues else "")
        if reply.cut and not closed:
            raise ChatError(f"{who} was cut off before it had repeated the code")
        before = "" if self._continues else window.before
        read = self._read(window) if self._reads else ()
        found = rewrite(window.lines, window.indent, window.code, code, before=before, read=read)
        if found is None:
            raise ChatError(f"{who} was to repeat the code, and wrote something that is no copy of it")
        return found

    def _read(self, window: Window) -> Sequence[Token]:
        """The tokens of the code, as likely as the model finds them in its own answer."""
        code = window.code.rstrip()
        [reply] = self._chat.complete(
            window.said,
            begun=window.begun + code,
            temperature=0,
            max_tokens=1,
            seed=0,
            prompt_logprobs=TOP,
            **CONTINUED,
        )
        if isinstance(reply, ChatError):
            raise reply
        text = "".join(token.text for token in reply.prompt)
        if (at := text.rfind(code)) < 0:
            raise ChatError(f"{self._chat.model} at {self._chat.url} does not tell how likely the code is any more")
        return cut(reply.prompt, at, at + len(code))


def _said(reply: Reply) -> Sequence[Token]:
    """The tokens of a reply without those of its thinking."""
    text = "".join(token.text for token in reply.tokens)
    said = reply.text.strip()
    at = text.rfind(said) if said else -1
    return reply.tokens if at <= 0 or not text[:at].strip() else cut(reply.tokens, at, len(text))
