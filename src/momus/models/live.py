"""Branches of one prompt that are being continued together: their caches side by side, with room to grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from momus.models.runtime import Cache, Floats, Pass, Runtime


class Live:
    """A batch of suffix caches. Copies what it is given; `suffix` copies back. `room`: tokens of the first step."""

    def __init__(self, runtime: Runtime, prefix: Cache, suffixes: Sequence[Cache], room: int = 1) -> None:
        self._runtime = runtime
        self._prefix = prefix
        self.lengths = [suffix.length for suffix in suffixes]
        self._cache = self._empty(self._slots(max(self.lengths) + room))
        for i, suffix in enumerate(suffixes):
            self._cache.keys[:, :, i, : suffix.length] = suffix.keys
            self._cache.values[:, :, i, : suffix.length] = suffix.values

    def __len__(self) -> int:
        return len(self.lengths)

    def step(
        self, new: Sequence[Sequence[int]], *, hidden: bool = False, many: bool = False
    ) -> tuple[Floats, Floats | None]:
        """Read each branch's new tokens (none is allowed, but not for all) in one pass.

        `many` is faster for long runs, and its last bits depend on how long they are.
        Returns logits [n, vocab] and, if asked, hidden [n, hidden] after the last new token of the n branches that
        have any, in order.
        """
        counts = np.array([len(tokens) for tokens in new])
        owner = np.repeat(np.arange(len(new)), counts)
        ends = np.cumsum(counts)
        lengths = np.array(self.lengths)
        slot = lengths[owner] + np.arange(len(owner)) - (ends - counts)[owner]
        self._grow(int((lengths + counts).max()))
        ids = np.array([token for tokens in new for token in tokens], dtype=np.int64)
        rows = ends[counts > 0] - 1
        batch = Pass(ids, owner, slot, rows, self._prefix, self._cache, many=many)
        out = self._runtime.forward(batch, hidden=hidden)
        self._cache.keys[:, :, owner, slot] = out.keys
        self._cache.values[:, :, owner, slot] = out.values
        self.lengths = (lengths + counts).tolist()
        return out.logits, None if out.hidden is None else out.hidden[rows]

    def suffix(self, i: int) -> Cache:
        """A copy of one branch's cache."""
        length = self.lengths[i]
        return Cache(self._cache.keys[:, :, i, :length].copy(), self._cache.values[:, :, i, :length].copy())

    def keep(self, which: Sequence[int]) -> None:
        """Go on with these branches only."""
        self.lengths = [self.lengths[i] for i in which]
        self._cache = Cache(self._cache.keys[:, :, which].copy(), self._cache.values[:, :, which].copy())

    def _slots(self, needed: int) -> int:
        """Slots for `needed` tokens: with the prompt's, a multiple of the runtime's granule."""
        granule, prompt = self._runtime.granule, self._prefix.length
        return -(-(prompt + needed) // granule) * granule - prompt

    def _grow(self, needed: int) -> None:
        old = self._cache
        if needed > old.length:
            # by an eighth at least, as every growth copies
            self._cache = self._empty(self._slots(max(needed, old.length + old.length // 8 + 1)))
            self._cache.keys[:, :, :, : old.length] = old.keys
            self._cache.values[:, :, :, : old.length] = old.values

    def _empty(self, slots: int) -> Cache:
        arch = self._runtime.arch
        shape = (arch.layers, arch.kv_heads, len(self.lengths), slots, arch.head_dim)
        return Cache(np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32))
