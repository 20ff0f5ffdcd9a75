"""What a server can do, found by trying: none is believed, as many take an option without a word and do nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from momus.models.chat import Chat, ChatError, Reply

TOP = 5  # of the likeliest tokens in each place
CONTINUED: dict[str, Any] = {"continue_final_message": True, "add_generation_prompt": False}  # as vLLM wants it

_ASKED = "Repeat this line of Python exactly, in a code block:\n```python\nvalues = [1, 2, 3]\n```"
_BEGUN, _FOLLOWS = "```python\nvalues = [", "1"


@dataclass(frozen=True, slots=True)
class Abilities:
    """`logprobs`: of the tokens that it writes, with the likeliest in their place; `prompt`: of those that it reads;
    `continues`: it goes on from the beginning of a reply. `named` is what it calls the model, `refused` the options
    that it does not take."""

    logprobs: bool = False
    prompt: bool = False
    continues: bool = False
    named: str = ""
    refused: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        can = {
            "tells how likely what it writes is": self.logprobs,
            "tells how likely what it reads is": self.prompt,
            "goes on from the beginning of a reply": self.continues,
        }
        return ", ".join(what for what, does in can.items() if does) or "writes replies, and no more than that"


def abilities_of(chat: Chat) -> Abilities:
    """Try a server out with one small request, or two. Raises MomusError where it answers neither."""
    found = _tried(chat, _BEGUN, prompt_logprobs=TOP, **CONTINUED)
    if isinstance(found, ChatError):  # some take no reply that was begun
        found = _tried(chat, "")
    if isinstance(found, ChatError):
        raise found
    written = "".join(token.text for token in found.tokens)
    read = "".join(token.text for token in found.prompt)
    return Abilities(
        logprobs=bool(written.strip()) and any(len(token.others) > 1 for token in found.tokens),
        prompt=read.rstrip().endswith(_BEGUN),
        continues=(written or found.text.removeprefix(_BEGUN)).lstrip().startswith(_FOLLOWS),
        named=found.named,
        refused=tuple(sorted(chat.refused)),
    )


def _tried(chat: Chat, begun: str, **options: Any) -> Reply | ChatError:
    [reply] = chat.complete(
        _ASKED, begun=begun, temperature=0, max_tokens=8, seed=0, logprobs=True, top_logprobs=TOP, keep=False, **options
    )
    return reply
