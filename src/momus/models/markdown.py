"""Critiques as markdown (docs/format.md), in the tokens of any Hugging Face tokenizer.

The request goes through the tokenizer's chat template where it has one, else it is plain text. Question and answer are
never read as special tokens, whatever they hold: an answer cannot close its own turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from momus.critique import Comment, Critique, TextMap, parse, render
from momus.errors import MissingExtra, MomusError
from momus.models.protocol import Prompt, Written

PAD = "<|pad|>"  # added where a tokenizer has no padding of its own, or pads with what ends a text
INSTRUCTIONS = """\
Review the answer to the question below. Point out its bugs, the most severe first, and nothing else.
For each bug write a block of three backticks that quotes the faulty code letter for letter, with the language, the
category and the severity (low, medium or high) behind the opening backticks, and then say what is wrong. A block
marked `suggestion` may follow, with the code to put in place of the quote. If there is no bug, write only:
No problems found.
"""
_SLOT = "@@momus-request@@"  # where the request stands in a rendered template
_FENCE = re.compile(r" {0,3}(`{3,})")


class MarkdownCodec:
    """Tokens of prompts and critiques over a Hugging Face tokenizer, which gets a padding token if it needs one.

    Raises MomusError where the tokenizer has no token that ends a text, or a chat template that drops what is asked.
    """

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.eos_token_id is None:
            raise MomusError("this tokenizer has no token that ends a text (eos_token); set one and save it again")
        if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
            # a reward model reads its score at the last token that is no padding: `end` must not count as such
            tokenizer.add_special_tokens({"pad_token": PAD})
        self.tokenizer = tokenizer
        self.pad, self.end = int(tokenizer.pad_token_id), int(tokenizer.eos_token_id)
        # behind a line end, as a fence opens nothing in the middle of a line; at the very beginning it does no harm
        self.opener = tuple(self._plain("\n```"))
        self._before, self._after = self._frame()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a folder's tokenizer. Raises MissingExtra without transformers, MomusError where it cannot be read."""
        try:
            from transformers import AutoTokenizer
        except ImportError:
            raise MissingExtra("a model of your own", "local") from None
        try:
            return cls(AutoTokenizer.from_pretrained(folder, local_files_only=True))
        except MomusError:
            raise
        except Exception as error:  # what a damaged tokenizer raises is up to its format
            reason = (str(error).strip() or type(error).__name__).split("\n")[0][:200]
            raise MomusError(
                f"the tokenizer in {folder} cannot be read ({reason}); copy the model there again"
            ) from None

    @property
    def size(self) -> int:
        """How many tokens there are, padding included: a model's embedding has at least as many rows."""
        return len(self.tokenizer)

    def ask(self, prompt: Prompt) -> list[int]:
        """The tokens of a request. Raises ValueError on an answer of blanks."""
        if not prompt.answer.strip():
            raise ValueError("an answer of blanks cannot be criticised")
        return [*self._before, *self._plain(request(prompt)), *self._after]

    def write(self, comments: Sequence[Comment], answer: TextMap) -> list[int]:
        """A critique's tokens, closed by `end`. Raises ValueError on a highlight of blanks."""
        if any(not comment.highlight.of(answer.text).strip() for comment in comments):
            raise ValueError("a highlight of blanks cannot be quoted")
        return [*self._plain(render(Critique(tuple(comments)), answer.text)), self.end]

    def read(self, tokens: Sequence[int], answer: TextMap) -> Written:
        """Read what a model wrote. A quote of blanks counts as one that stands nowhere."""
        return read_text(self._text(tokens), answer)

    def forced(self, tokens: Sequence[int], answer: TextMap) -> list[int]:
        """Nothing: text may go on in any way, and what does not anchor is counted."""
        return []

    def settled(self, tokens: Sequence[int]) -> int:
        """How many tokens stay without `end`, a fence that never closed, and a last paragraph without a block."""
        stay = len(tokens)
        while stay and tokens[stay - 1] in (self.end, self.pad):
            stay -= 1
        cut = _settled_characters(self._text(tokens[:stay]))
        low, high = 0, stay
        while low < high:  # the most tokens whose text does not reach beyond the cut
            middle = (low + high + 1) // 2
            low, high = (middle, high) if len(self._text(tokens[:middle])) <= cut else (low, middle - 1)
        return low

    def _plain(self, text: str) -> list[int]:
        ids = self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return [int(token) for token in ids]

    def _text(self, tokens: Sequence[int]) -> str:
        text = self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    def _frame(self) -> tuple[list[int], list[int]]:
        """The tokens before and after a request."""
        if not getattr(self.tokenizer, "chat_template", None):
            ids = [int(token) for token in self.tokenizer.encode("")]
            return [token for token in ids if token != self.end], self._plain("\n\n## Review\n\n")
        message = [{"role": "user", "content": _SLOT}]
        # a template without thinking ignores the switch; one with it would have the critique begin with a monologue
        text = self.tokenizer.apply_chat_template(
            message, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        if text.count(_SLOT) != 1:
            raise MomusError("this tokenizer's chat template does not show a user's message once; mend the template")
        before, after = text.split(_SLOT)
        encode = self.tokenizer.encode
        return encode(before, add_special_tokens=False), encode(after, add_special_tokens=False)


def read_text(text: str, answer: TextMap) -> Written:
    """Read what a model wrote, as text. A quote of blanks counts as one that stands nowhere."""
    parsed = parse(text, answer.text)
    kept = tuple(c for c in parsed.critique.comments if c.highlight.of(answer.text).strip())
    loose = sum(1 for u in parsed.unanchored if u.reason.startswith("the quote"))  # and no suggestions
    return Written(Critique(kept), loose + len(parsed.critique.comments) - len(kept))


def request(prompt: Prompt) -> str:
    """A request as text, without blanks at either end: templates may strip them."""
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", prompt.answer)), default=0) + 1)
    answer = prompt.answer if prompt.answer.endswith("\n") else prompt.answer + "\n"
    return f"{INSTRUCTIONS}\n## Question\n\n{prompt.question}\n\n## Answer\n\n{fence}\n{answer}{fence}"


def _settled_characters(text: str) -> int:
    """How much of a critique's text stays: up to an open fence, else without a last paragraph that holds no block."""
    fence, opened, paragraph, blank, holds = "", 0, 0, True, False
    position = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if fence:
            if set(bare) == {"`"} and len(bare) >= len(fence):
                fence = ""
        elif not bare:
            blank = True
        else:
            if blank:
                paragraph, blank, holds = position, False, False
            if found := _FENCE.match(line):
                fence, opened, holds = found.group(1), position, True
        position += len(line)
    if fence:
        return opened
    return len(text) if holds or not text.strip() else paragraph
