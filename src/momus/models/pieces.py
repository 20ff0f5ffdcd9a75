"""What the masks must know of a pretrained model's tokens: what each spells. It has none that opens a highlight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from momus.models.tokens import Tokens


class Pieces:
    """A `momus.models.masks.PieceVocabulary` of a model's own tokens."""

    open = close = -1

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def quote_line(self, number: int, text: str) -> list[int]:
        """Never asked for: nothing opens a highlight."""
        raise ValueError("these tokens have no highlights")

    def piece(self, token: int) -> str | None:
        """What a token spells; None for a control token. A part of a character is U+FFFD, which no code has."""
        spelled = self._tokens.token_bytes(token)
        return spelled.decode("utf-8", "replace") if spelled else None

    @cached_property
    def spelling(self) -> Mapping[str, Sequence[int]]:
        """The tokens that spell each piece."""
        found: dict[str, list[int]] = {}
        for token in range(self._tokens.vocabulary):
            piece = self.piece(token)
            if piece is not None:
                found.setdefault(piece, []).append(token)
        return found
