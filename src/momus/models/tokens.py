"""The tokenizer and the chat template that a model's file carries: byte-level BPE of Qwen2 and 3, SmolLM2 and Llama 3.

Text never becomes a control token. Only the frame that the template puts around messages holds any: a file under
review in which `<|im_end|>` stands is read as those ten characters, and ends nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from momus.decode import from_json
from momus.errors import MomusError

_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4  # GGUF's kinds of tokens; others stand for no text
_ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")
_SURROGATE = re.compile("[\ud800-\udfff]")  # no character by itself, and nothing that UTF-8 can hold
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# What `tokenizer.ggml.pre` says of how text is cut before pairs are merged: the pattern, or None for GPT-2's after
# single digits; whether text is composed first (NFC); whether a piece that is a token as a whole is not merged anew.
_PRE: Mapping[str, tuple[str | None, bool, bool]] = {
    "qwen2": (_WORDS % "", True, False),
    "smollm": (None, False, False),
    "llama-bpe": (_WORDS % "{1,3}", False, True),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a file says of its tokenizer. `tokens` and `kinds` by id; kinds as GGUF numbers them."""

    pre: str
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]
    merges: tuple[str, ...]
    template: str | None = None
    bos: int | None = None
    eos: tuple[int, ...] = ()

    @classmethod
    def of_gguf(cls, metadata: Mapping[str, Any], where: Path) -> Vocabulary:
        """From a GGUF's keys. Raises MomusError where the tokenizer is of a kind that is not read here."""
        model, pre = metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre")
        if model != "gpt2":
            raise MomusError(f"{where} has a tokenizer of the kind {model!r}; only byte-level BPE ('gpt2') is read")
        if not isinstance(pre, str) or pre not in _PRE:
            raise MomusError(f"{where} cuts text in the way {pre!r}, which is not known; known are {', '.join(_PRE)}")
        tokens = tuple(metadata.get("tokenizer.ggml.tokens") or ())
        kinds = tuple(metadata.get("tokenizer.ggml.token_type") or (_NORMAL,) * len(tokens))
        merges = metadata.get("tokenizer.ggml.merges")
        if not tokens or len(kinds) != len(tokens) or merges is None:
            raise MomusError(f"{where} is damaged: its tokenizer lacks tokens, their types or merges; fetch it again")
        ends = [metadata.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot", "eom")]
        return cls(
            pre=pre,
            tokens=tokens,
            kinds=kinds,
            merges=tuple(merges),
            template=metadata.get("tokenizer.chat_template"),
            bos=metadata.get("tokenizer.ggml.bos_token_id"),
            eos=tuple(end for end in ends if isinstance(end, int) and end < len(tokens)),
        )

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """From what `save` wrote. Raises OSError and ValueError."""
        read: dict[str, Any] = from_json(path.read_text(encoding="utf-8"))
        values: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in read.items()}
        return cls(**values)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of a text, and where in it each stands: code points from its start. A character that takes several
    tokens is the place of each."""

    ids: list[int]
    offsets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages in their template, the frame told from what was said: (text, whether it is frame)."""

    parts: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts)


class Tokens:
    """Encodes, decodes and frames messages. `ends`: the tokens that end a turn; `vocabulary`: how many there are."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._of = vocabulary
        self.vocabulary = len(vocabulary.tokens)
        named = {token: id for id, token in enumerate(vocabulary.tokens)}
        self._control = {
            token: id
            for id, (token, kind) in enumerate(zip(vocabulary.tokens, vocabulary.kinds, strict=True))
            if kind in (_CONTROL, _USER_DEFINED)
        }
        self._controls = re.compile(
            "|".join(re.escape(token) for token in sorted(self._control, key=len, reverse=True)) or r"(?!)"
        )
        self.ends = frozenset(vocabulary.eos) | {named[end] for end in _ENDS if end in self._control}

    def encode(self, text: str | Chat) -> Encoded:
        """Ids and offsets. Of a plain text none is a control token; of a chat those of its frame are."""
        if isinstance(text, str):
            return self._plain(text)
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        start = 0
        for run, control in self._runs(text):
            if control is not None:
                ids.append(control)
                offsets.append((start, start + len(run)))
            else:
                found = self._plain(run)
                ids += found.ids
                offsets += [(start + a, start + b) for a, b in found.offsets]
            start += len(run)
        return Encoded(ids, offsets)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens; control tokens have none, bytes that are no UTF-8 become U+FFFD."""
        return b"".join(self.token_bytes(id) for id in ids).decode("utf-8", "replace")

    def token_bytes(self, id: int) -> bytes:
        """The bytes of text that a token stands for; none for a control token, or one that is never used."""
        kind, token = self._of.kinds[id], self._of.tokens[id]
        if kind == _NORMAL:
            return bytes(self._bytes[character] for character in token)
        return token.encode("utf-8") if kind == _USER_DEFINED else b""

    def chat(self, messages: Sequence[Mapping[str, str]]) -> Chat:
        """Messages (`role`, `content`) in the model's template, with the opening of its answer at the end.

        The template sees placeholders and never what was said, so nothing in a message can change the frame. Raises
        MomusError where the model has no template, or it leaves a message out.
        """
        # A placeholder has the white space of its text around it: templates strip it.
        said = [message["content"].strip() for message in messages]
        marks = [f"\ufdd0{number}\ufdd1" if text else "" for number, text in enumerate(said)]
        shown = [
            {**message, "content": message["content"].replace(text, mark, 1) if text else message["content"]}
            for message, text, mark in zip(messages, said, marks, strict=True)
        ]
        rendered = self._render(shown)
        for message, mark in zip(messages, marks, strict=True):
            if mark not in rendered:
                raise MomusError(f"the chat template of this model leaves out what the {message['role']!r} said")
        pieces = re.split("(\ufdd0\\d+\ufdd1)", rendered)
        parts = [(said[int(piece[1:-1])], False) if at % 2 else (piece, True) for at, piece in enumerate(pieces)]
        return Chat(tuple(part for part in parts if part[0]))

    def _render(self, messages: Sequence[Mapping[str, str]]) -> str:
        if self._template is None:
            raise MomusError("this model carries no chat template: it is no model that follows instructions")
        from jinja2 import TemplateError

        bos = self._of.tokens[self._of.bos] if self._of.bos is not None else ""
        eos = self._of.tokens[self._of.eos[0]] if self._of.eos else ""
        try:
            # Without the day's date, which some templates put in: the same request is the same tokens on every day.
            found = self._template.render(
                messages=messages, add_generation_prompt=True, enable_thinking=False, bos_token=bos, eos_token=eos
            )
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise MomusError(f"the chat template of this model can't be used: {error}") from error
        except RecursionError:
            raise MomusError("the chat template of this model can't be used: it calls itself without end") from None
        return str(found)

    @cached_property
    def _template(self) -> Any:
        if self._of.template is None:
            return None
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        try:
            return environment.from_string(self._of.template)
        except TemplateError as error:
            raise MomusError(f"the chat template of this model can't be read: {error}") from error
        except RecursionError:
            raise MomusError("the chat template of this model can't be read: it is nested too deeply") from None

    def _runs(self, chat: Chat) -> Iterator[tuple[str, int | None]]:
        """What lies between the frame's control tokens, as one text each, and those tokens with their ids."""
        plain = ""
        for text, frame in chat.parts:
            if not frame:
                plain += text
                continue
            at = 0
            for found in self._controls.finditer(text):
                plain += text[at : found.start()]
                if plain:
                    yield plain, None
                plain, at = "", found.end()
                yield found[0], self._control[found[0]]
            plain += text[at:]
        if plain:
            yield plain, None

    def _plain(self, text: str) -> Encoded:
        found = self._bpe.encode(_SURROGATE.sub("\ufffd", text), add_special_tokens=False)
        return Encoded(list(found.ids), list(found.offsets))

    @cached_property
    def _bpe(self) -> Any:
        from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

        pattern, composed, whole = _PRE[self._of.pre]
        # A control token can't come of merging, and is not in the vocabulary that whole pieces are looked up in.
        vocabulary = {
            token: id
            for id, (token, kind) in enumerate(zip(self._of.tokens, self._of.kinds, strict=True))
            if kind == _NORMAL
        }
        pairs = (merge.partition(" ") for merge in self._of.merges)
        merges = [(first, second) for first, _, second in pairs]
        bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=whole))
        if composed:
            bpe.normalizer = normalizers.NFC()
        digits = pre_tokenizers.Digits(individual_digits=True)
        cut = digits if pattern is None else pre_tokenizers.Split(Regex(pattern), "isolated")
        bytes_of = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
        bpe.pre_tokenizer = pre_tokenizers.Sequence([cut, bytes_of])
        return bpe

    @cached_property
    def _bytes(self) -> Mapping[str, int]:
        """The byte that each character of a byte-level token stands for; as in GPT-2, printable ones for themselves."""
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in printable]
        shown = {chr(byte): byte for byte in printable}
        return shown | {chr(256 + at): byte for at, byte in enumerate(others)}


def _refuse(reason: str) -> None:
    raise ValueError(reason)
