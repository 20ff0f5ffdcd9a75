"""What a runtime does: one forward pass over arrays. Everything else (branches, sampling, quotes) is above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from momus.models.arch import Arch

Floats = npt.NDArray[np.floating[Any]]  # float32 throughout; arithmetic is typed more widely
Ints = npt.NDArray[np.int64]
Indices = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Cache:
    """Keys and values of all layers, each [L, G, ..., T, D]."""

    keys: Floats
    values: Floats

    @property
    def length(self) -> int:
        return int(self.keys.shape[-2])


@dataclass(frozen=True, slots=True)
class Pass:
    """New tokens of several branches of one prompt.

    Token i continues branch `owner[i]` at place `slot[i]` of that branch's suffix; a branch's tokens stand in order,
    one after another, and branches in order. `prefix` is the prompt's cache [L, G, P, D], `suffix` the branches'
    [L, G, B, C, D], zero from each branch's length on. Logits are computed for the tokens in `rows` only. `many`
    marks the reading of many tokens a branch, as of a prompt: faster, and the last bits depend on how many there are.
    """

    ids: Ints
    owner: Ints
    slot: Ints
    rows: Ints
    prefix: Cache
    suffix: Cache
    many: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """logits [rows, vocab]; keys and values of the new tokens [L, G, N, D]; hidden [N, hidden], if asked for."""

    logits: Floats
    keys: Floats
    values: Floats
    hidden: Floats | None


class Runtime(Protocol):
    """A decoder that runs. `granule`: key counts are rounded up to a multiple of it, so that sums keep their order."""

    arch: Arch
    granule: int

    def forward(self, batch: Pass, *, hidden: bool = False) -> Passed: ...
