"""Solutions to a question, written by a model on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from momus.critics.local.rewrite import code_of
from momus.critics.solutions.writing import TEMPERATURE, TOP_P
from momus.models.chat import ChatError, OutOfBudget, Reply
from momus.models.chat_replies import Token

if TYPE_CHECKING:
    from momus.models.chat import Chat

MAX_TOKENS = 1024  # of one solution, with what is said around it


class ServedWriter:
    """Writes solutions over a server, each by a seed of its own. One that fails is an empty text."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def texts(self, said: str, *, n: int, seed: int) -> list[str]:
        """`n` texts, without a fence round them. Raises ChatError where all failed, or the budget does not suffice."""
        replies = self._chat.complete(said, n=n, temperature=TEMPERATURE, top_p=TOP_P, max_tokens=MAX_TOKENS, seed=seed)
        errors = [reply for reply in replies if isinstance(reply, ChatError)]
        unsent = [error for error in errors if isinstance(error, OutOfBudget)]
        if unsent or len(errors) == n:
            raise (unsent or errors)[0]
        return [_code(reply) if isinstance(reply, Reply) else "" for reply in replies]


def _code(reply: Reply) -> str:
    code, _ = code_of([Token(reply.text, 0.0)])
    return "".join(token.text for token in code)
