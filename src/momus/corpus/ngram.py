"""A small 5-gram model over token ids: the surprise that a line of code is, without any neural network.

Interpolated absolute discounting (Ney, Essen and Kneser 1994): p(w | h) = a(h, w) + b(h) p(w | h without its first),
where a(h, w) = (count(h, w) - D) / count(h) and b(h) is the probability that the kept a(h, .) leave over. Raw counts at
every order, since continuation counts and hard pruning do not go together (Chelba et al. 2010). Of each n-gram only
a 32-bit hash is kept: one unseen n-gram in some ten thousand is taken for a seen one.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from momus.errors import MomusError

FORMAT = 1
WORTH_KEEPING = 1e-6  # nats over the corpus; above 0 lest rounding decides
SMALLEST = 1e-7  # what a(h, w) is rounded up to on disk
Longs = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Ids = Sequence[int] | npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """The n-grams of one order: sorted hashes, and for each a(h, w), and b(.) of the n-gram itself as a context."""

    keys: npt.NDArray[np.uint32]
    kept: Floats
    backoff: Floats

    def find(self, keys: npt.NDArray[np.uint32]) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """The places of keys, and which of them are really there."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return at, self.keys[at] == keys


@dataclass(slots=True, eq=False)
class _Counted:
    """The n-grams of one order while training; `context` and `shorter` are places in the order below."""

    keys: Longs
    counts: Integers
    kept: Floats
    probability: Floats
    backoff: Floats
    context: Integers
    score: Floats


class NGram:
    """Surprise of token sequences. A sequence stands for itself: nothing before it is known."""

    def __init__(self, tables: Sequence[_Table], empty_backoff: float, vocabulary: int) -> None:
        self._tables = tuple(tables)
        self._empty_backoff = empty_backoff
        self.vocabulary = vocabulary

    @property
    def order(self) -> int:
        return len(self._tables)

    @property
    def entries(self) -> int:
        """How many n-grams are kept, all orders together."""
        return sum(len(table.keys) for table in self._tables)

    @classmethod
    def train(cls, sequences: Iterable[Ids], *, vocabulary: int, order: int = 5, entries: int = 1_400_000) -> Self:
        """Count sequences of ids below `vocabulary`, and keep about `entries` n-grams: those that explain the most.

        An n-gram's worth is its count times the log of how much likelier it makes its last token; singletons above
        order 1 go first. Needs about 150 bytes of memory a token. Raises ValueError without any token.
        """
        tokens, depth = _join(sequences, vocabulary)
        if not (depth > 0).any():
            raise ValueError("no tokens to count")
        counted: list[_Counted] = []
        empty_backoff = 1.0
        below = np.zeros(0, np.uint64)
        for n, keys in enumerate(_rolling_keys(tokens, order), 1):
            ends = np.flatnonzero(depth >= n - 1)
            unique, first, counts = np.unique(keys[ends], return_index=True, return_counts=True)
            first = ends[first]
            if n == 1:
                real = depth[first] > 0  # what opens a sequence is never asked for, only given
                counts_real = np.where(real, counts, 0)
                kept = np.maximum(counts_real - _discount(counts[real]), 0.0) / counts_real.sum()
                empty_backoff = 1.0 - float(kept.sum())
                probability = kept + empty_backoff / vocabulary
                context, score = np.zeros(len(unique), np.int64), np.full(len(unique), np.inf)
            else:
                lower = counted[-1]
                context = np.searchsorted(lower.keys, below[first - 1])
                shorter = np.searchsorted(lower.keys, below[first])
                totals = _sums(context, counts, len(lower.keys))
                kept = np.maximum(counts - _discount(counts), 0.0) / totals[context]
                left = 1.0 - _sums(context, kept, len(lower.keys))
                probability = kept + left[context] * lower.probability[shorter]
                score = counts * np.log(probability / lower.probability[shorter])
                score[counts < 2] = 0.0
            counted.append(_Counted(unique, counts, kept, probability, np.ones(len(unique)), context, score))
            below = keys
        return cls(_prune(counted, entries), empty_backoff, vocabulary)

    def surprisal(self, ids: Ids) -> Floats:
        """The surprise of each token given those before it, in nats."""
        tokens, depth = _join([ids], self.vocabulary)
        probability = np.full(len(tokens), self._empty_backoff / self.vocabulary)
        backoff = np.ones(len(tokens))
        for n, (table, long_keys) in enumerate(zip(self._tables, _rolling_keys(tokens, self.order), strict=True), 1):
            at, found = table.find(_short(long_keys))
            found &= depth >= n - 1
            if n > 1:
                probability *= backoff
            if found.any():
                probability[found] += table.kept[at[found]]
            # The context of the next order's n-gram that ends at i is this order's that ends at i - 1.
            backoff = np.ones(len(tokens))
            backoff[1:][found[:-1]] = table.backoff[at[:-1][found[:-1]]]
        surprise: Floats = -np.log(np.clip(probability[1:], 1e-12, 1.0))  # rounding on disk can lead above 1
        return surprise

    def save(self, path: Path) -> None:
        """Write a compressed .npz, a(h, w) and b(h) in a byte each, by way of a temporary name."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "header": np.array([FORMAT, self.order, self.vocabulary], np.int64),
            "empty_backoff": np.array(self._empty_backoff),
        }
        for n, table in enumerate(self._tables, 1):
            gaps = np.diff(table.keys, prepend=np.uint32(0))
            # Byte by byte: the upper bytes of the gaps are nearly all alike and pack to nothing.
            arrays[f"keys{n}"] = gaps.astype("<u4").view(np.uint8).reshape(-1, 4).T.copy()
            scaled = np.round(254 * (1 - np.log(np.maximum(table.kept, SMALLEST)) / np.log(SMALLEST))) + 1
            arrays[f"kept{n}"] = np.where(table.kept > 0, scaled, 0).astype(np.uint8)
            if n < self.order:
                arrays[f"backoff{n}"] = np.clip(np.round(table.backoff * 256) - 1, 0, 255).astype(np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        with partial.open("wb") as out:
            np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
        partial.replace(path)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open a saved model. Raises MomusError where it is missing, damaged or of another version."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                version, order, vocabulary = (int(value) for value in arrays["header"])
                if version != FORMAT:
                    raise ValueError(f"format {version}, not {FORMAT}")
                return cls(
                    [_read_table(arrays, n, last=n == order) for n in range(1, order + 1)],
                    float(arrays["empty_backoff"]),
                    vocabulary,
                )
        except OSError as error:
            raise MomusError(f"can't read the 5-gram {path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as error:
            raise MomusError(f"{path} is not a 5-gram that momus made ({error}): train it anew") from None


def _join(sequences: Iterable[Ids], vocabulary: int) -> tuple[Integers, Integers]:
    """All tokens in a row, each sequence opened by the id `vocabulary`, and how deep in its sequence each stands."""
    parts = [np.asarray(sequence, np.int32) for sequence in sequences]
    lengths = np.array([len(part) + 1 for part in parts], np.int64)
    opens = np.cumsum(lengths) - lengths
    depth = np.arange(int(lengths.sum())) - np.repeat(opens, lengths)
    tokens = np.full(len(depth), vocabulary, np.int64)
    if parts:
        tokens[depth > 0] = np.concatenate(parts)
    return tokens, depth


def _rolling_keys(tokens: Integers, order: int) -> Iterator[Longs]:
    """For n = 1.. the hash of the n-gram that ends at each position; it means nothing in the first n - 1."""
    words = tokens.astype(np.uint64) + np.uint64(1)
    keys = _mix(words)
    yield keys
    for n in range(2, order + 1):
        longer = keys.copy()
        longer[n - 1 :] = _mix(keys[n - 1 :] * np.uint64(0x9E3779B97F4A7C15) + words[: max(len(words) - n + 1, 0)])
        keys = longer
        yield keys


def _mix(values: Longs) -> Longs:
    """Spread the bits (the finaliser of SplitMix64); arithmetic is modulo 2**64."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _short(keys: Longs) -> npt.NDArray[np.uint32]:
    return (keys >> np.uint64(32)).astype(np.uint32)


def _discount(counts: Integers) -> float:
    """Ney's estimate n1 / (n1 + 2 n2), kept off the ends where a corpus is too small to tell."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return min(max(once / (once + 2 * twice), 0.1), 0.95) if once else 0.5


def _sums(places: Integers, values: npt.NDArray[np.generic], size: int) -> Floats:
    # The weights as floats, or numpy answers an empty list of places in integers.
    sums: Floats = np.bincount(places, weights=values.astype(np.float64), minlength=size).astype(np.float64)
    return sums


def _prune(counted: list[_Counted], entries: int) -> list[_Table]:
    """Keep the n-grams of the highest scores and all their contexts; what is dropped goes to the back-off."""
    for upper, lower in zip(counted[:0:-1], counted[-2::-1], strict=True):
        np.maximum.at(lower.score, upper.context, upper.score)  # a context is worth its best continuation
    longer = np.concatenate([level.score for level in counted[1:]] or [np.zeros(0)])
    room = max(entries - len(counted[0].keys), 0)
    threshold = WORTH_KEEPING if room else np.inf
    if 0 < room < len(longer):
        threshold = max(WORTH_KEEPING, float(np.partition(longer, -room)[-room]))
    chosen = [np.ones(len(counted[0].keys), np.bool_)]
    chosen += [level.score >= threshold for level in counted[1:]]
    for upper, lower, keep in zip(counted[1:], counted, chosen[1:], strict=False):
        lower.backoff = 1.0 - _sums(upper.context[keep], upper.kept[keep], len(lower.keys))
    tables = []
    for level, keep in zip(counted, chosen, strict=True):
        keys, first = np.unique(_short(level.keys[keep]), return_index=True)
        tables.append(_Table(keys, level.kept[keep][first], level.backoff[keep][first]))
    return tables


def _read_table(arrays: np.lib.npyio.NpzFile, n: int, *, last: bool) -> _Table:
    gaps = np.ascontiguousarray(arrays[f"keys{n}"].T).view("<u4").reshape(-1)
    keys = np.cumsum(gaps, dtype=np.uint64).astype(np.uint32)
    scaled = arrays[f"kept{n}"].astype(np.float64)
    kept: Floats = np.where(scaled > 0, np.exp(np.log(SMALLEST) * (1 - (scaled - 1) / 254)), 0.0)
    backoff: Floats = np.ones(len(keys))
    if not last:
        backoff = (arrays[f"backoff{n}"].astype(np.float64) + 1.0) / 256
    if not len(keys) == len(kept) == len(backoff):
        raise ValueError("tables of unequal length")
    return _Table(keys, kept, backoff)
