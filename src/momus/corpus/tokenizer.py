"""A byte-level BPE tokenizer: trained by the `tokenizers` library, run in pure Python with the same ids."""

from __future__ import annotations

import heapq
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from momus.decode import from_json
from momus.errors import MissingExtra, MomusError

if TYPE_CHECKING:
    from momus.corpus.functions import Function

# Pieces that a token never reaches across: words (with the space before), single digits, signs, line ends, indentation.
# Spelled without classes such as \p{L} or \s, whose members differ between engines and Unicode versions: everything
# beyond ASCII counts as part of a word.
PATTERN = (
    r" ?[^\x00-@\[-\^`{-\x7f]+"
    r"| ?[0-9]"
    r"| ?[\x00-\x08\x0b\x0c\x0e-\x1f!-/:-@\[-\^`{-\x7f]+"
    r"|(?:\r?\n)+"
    r"|[ \t]+"
    r"|\r"
)
CACHED_PIECE = 64  # characters; longer pieces are rare and would only fill the cache
CACHED_PIECES = 65_536

_SURROGATES = re.compile("[\ud800-\udfff]")


class Tokenizer:
    """Text to ids and back. Special tokens are never made from plain text, whatever the text holds."""

    def __init__(self, vocabulary: dict[str, int], merges: Sequence[tuple[str, str]], specials: dict[str, int]) -> None:
        """`vocabulary` and `merges` are in GPT-2's byte alphabet; `specials` are ids of tokens that are no text."""
        alphabet = _byte_alphabet()
        byte_of = {character: byte for byte, character in enumerate(alphabet)}
        self._specials = dict(specials)
        self.size = max(*vocabulary.values(), *specials.values(), 0) + 1
        self.token_bytes: list[bytes] = [b""] * self.size
        for token, number in vocabulary.items():
            if token not in specials:
                self.token_bytes[number] = bytes(byte_of[character] for character in token)
        self._byte_ids = [vocabulary[character] for character in alphabet]
        self._ranks = {
            (vocabulary[left], vocabulary[right]): (rank, vocabulary[left + right])
            for rank, (left, right) in enumerate(merges)
        }
        self._find_pieces = re.compile(PATTERN).findall
        self._encode_cached = lru_cache(maxsize=CACHED_PIECES)(self._encode_piece)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open a `tokenizer.json`. Raises MomusError where it is missing, damaged or of another kind."""
        try:
            content = from_json(Path(path).read_text(encoding="utf-8"))
            if content["pre_tokenizer"] != _pre_tokenizer_json():
                raise ValueError("it cuts text into other pieces")
            merges = [(str(left), str(right)) for left, right in content["model"]["merges"]]
            specials = {token["content"]: token["id"] for token in content["added_tokens"] if token["special"]}
            return cls(content["model"]["vocab"], merges, specials)
        except OSError as error:
            raise MomusError(f"can't read the tokenizer {path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise MomusError(f"{path} is not a tokenizer that momus made ({error}): train it anew") from None

    def encode(self, text: str) -> list[int]:
        """The ids of a text. Lone surrogates become U+FFFD; everything else comes back from `decode` as it was."""
        if not text.isascii():
            text = _SURROGATES.sub("\ufffd", text)
        ids: list[int] = []
        for piece in self._find_pieces(text):
            ids += self._encode_cached(piece) if len(piece) <= CACHED_PIECE else self._encode_piece(piece)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens are skipped, bytes that are no UTF-8 become U+FFFD. Raises IndexError."""
        return b"".join([self.token_bytes[number] for number in ids]).decode("utf-8", "replace")

    def id(self, token: str) -> int:
        """The id of a special token. Raises KeyError."""
        return self._specials[token]

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        """Merge neighbours, lowest rank first and leftmost among equals, over a linked list of symbols."""
        symbols = [self._byte_ids[byte] for byte in piece.encode("utf-8")]
        last = len(symbols)
        following = list(range(1, last + 1))
        preceding = list(range(-1, last - 1))
        ranks = self._ranks
        heap = [
            (found[0], at, symbols[at], symbols[at + 1])
            for at in range(last - 1)
            if (found := ranks.get((symbols[at], symbols[at + 1])))
        ]
        heapq.heapify(heap)
        while heap:
            _, at, left, right = heapq.heappop(heap)
            after = following[at]
            # Stale: one of the two was merged into something else since the pair was noted.
            if after >= last or symbols[at] != left or symbols[after] != right:
                continue
            symbols[at], symbols[after] = ranks[left, right][1], -1
            beyond = following[at] = following[after]
            if beyond < last:
                preceding[beyond] = at
                if found := ranks.get((symbols[at], symbols[beyond])):
                    heapq.heappush(heap, (found[0], at, symbols[at], symbols[beyond]))
            before = preceding[at]
            if before >= 0 and (found := ranks.get((symbols[before], symbols[at]))):
                heapq.heappush(heap, (found[0], before, symbols[before], symbols[at]))
        return tuple(symbol for symbol in symbols if symbol >= 0)


def sample_texts(functions: Iterable[Function], *, per_package: int = 1_000_000, seed: int = 0) -> list[str]:
    """The code of random functions, at most about so many characters of a package, so that none's words dominate."""
    pool = sorted(functions, key=lambda function: function.id)
    random.Random(seed).shuffle(pool)
    spent: Counter[str] = Counter()
    texts = []
    for function in pool:
        if spent[function.package] < per_package:
            spent[function.package] += len(function.code)
            texts.append(function.code)
    return texts


def train(texts: Iterable[str], specials: Sequence[str], path: Path, *, size: int = 8192) -> Tokenizer:
    """Train on texts and save as a Hugging Face `tokenizer.json`; `size` counts the specials, whose ids come first.

    Raises MissingExtra without the `tokenizers` library.
    """
    try:
        from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
        from tokenizers import Tokenizer as Trained
    except ImportError:
        raise MissingExtra("training a tokenizer", "train") from None
    trained = Trained(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(texts, trainer)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    trained.save(str(partial))
    partial.replace(path)
    return Tokenizer.load(path)


def _byte_alphabet() -> list[str]:
    """The printable character that stands for each byte in a `tokenizer.json` (GPT-2's table)."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(spare)) for byte in range(256)]


def _pre_tokenizer_json() -> dict[str, Any]:
    split = {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"type": "Sequence", "pretokenizers": [split, byte_level]}
