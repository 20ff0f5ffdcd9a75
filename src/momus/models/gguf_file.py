"""GGUF files: what stands in them, read without reading their tensors; and how one is written.

The layout is that of the specification (ggml, docs/gguf.md), versions 2 and 3, little-endian. It is read here and not
with `gguf.GGUFReader` because a vocabulary of 150,000 tokens takes that 13 s, and this half a second.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from momus.errors import MomusError

_MAGIC = b"GGUF"
_ALIGNMENT = 32
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_UINT32, _INT32, _FLOAT32, _BOOL = 4, 5, 6, 7
_MOST_NESTED = 8  # arrays in arrays
_MOST_DIMENSIONS = 4
_MOST_KEYS = 1 << 16


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as it is stored. `shape` as numpy has it, rows first; `kind` is GGML's number of the type.

    `at` and `size` say where its bytes stand in the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class GGUF:
    """What a file says of its model."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: tuple[Tensor, ...]

    @property
    def family(self) -> str:
        """`llama`, `qwen2`, `qwen3` or whatever else the file calls it."""
        return str(self.metadata.get("general.architecture", ""))

    def of_model(self, key: str, default: Any = None) -> Any:
        """A value under the family's name, such as `block_count`."""
        return self.metadata.get(f"{self.family}.{key}", default)


def read_gguf(path: Path) -> GGUF:
    """Read keys and the places of tensors. Raises MomusError where the file is none, is cut short or makes no sense."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(path, data)
    except (OSError, ValueError) as error:  # mmap refuses an empty file by ValueError, text that is none is one
        reason = error.strerror if isinstance(error, OSError) else "it is empty or damaged"
        raise MomusError(f"can't read {path} as a GGUF file: {reason}") from None
    except (struct.error, _EndsEarly):
        raise MomusError(f"{path} is no whole GGUF file: it ends in the middle; fetch it again") from None


def _read(path: Path, data: mmap.mmap) -> GGUF:
    at = _Cursor(data)
    if data[:4] != _MAGIC:
        raise MomusError(f"{path} is not a GGUF file")
    at.place = 4
    version, tensor_count, key_count = at.take("I"), at.take("Q"), at.take("Q")
    if version not in (2, 3):
        raise MomusError(f"{path} is GGUF of version {version}: versions 2 and 3 are read (little-endian)")
    if key_count > _MOST_KEYS or tensor_count > _MOST_KEYS:
        raise MomusError(f"{path} is damaged: it claims {key_count} keys and {tensor_count} tensors; fetch it again")
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = at.string()
        metadata[key] = at.value(at.take("I"))
    told = [(at.string(), at.dimensions(), at.take("I"), at.take("Q")) for _ in range(tensor_count)]
    alignment = metadata.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1:
        raise MomusError(f"{path} is damaged: its alignment is {alignment!r}; fetch it again")
    base = _aligned(at.place, alignment)
    tensors = []
    for name, shape, kind, offset in told:
        size = stored_size(shape, kind, path)
        if base + offset + size > len(data):
            raise _EndsEarly
        tensors.append(Tensor(name, shape, kind, base + offset, size))
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise MomusError(f"{path} is damaged: it holds a tensor twice; fetch it again")
    return GGUF(path, metadata, tuple(tensors))


class _EndsEarly(Exception):
    pass


class _Cursor:
    """Reads what comes next."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.place = 0

    def take(self, code: str) -> Any:
        found = struct.unpack_from("<" + code, self._data, self.place)[0]
        self.place += struct.calcsize("<" + code)
        return found

    def string(self) -> str:
        length = self.take("Q")
        if self.place + length > len(self._data):
            raise _EndsEarly
        found = self._data[self.place : self.place + length]
        self.place += length
        return found.decode("utf-8")

    def dimensions(self) -> tuple[int, ...]:
        count = self.take("I")
        if not 1 <= count <= _MOST_DIMENSIONS:
            raise ValueError
        return tuple(self.take("Q") for _ in range(count))[::-1]

    def value(self, kind: int, inside: int = 0) -> Any:
        if kind in _SCALARS:
            return self.take(_SCALARS[kind])
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY or inside > _MOST_NESTED:
            raise ValueError
        of, count = self.take("I"), self.take("Q")
        if count > len(self._data) - self.place:  # an element takes a byte at least
            raise _EndsEarly
        if of in _SCALARS:
            code = f"<{count}{_SCALARS[of]}"
            found = list(struct.unpack_from(code, self._data, self.place))
            self.place += struct.calcsize(code)
            return found
        return [self.value(of, inside + 1) for _ in range(count)]


def stored_size(shape: tuple[int, ...], kind: int, path: Path) -> int:
    """Bytes that a tensor of this shape takes. Raises MomusError on a type that nobody knows, or one that can't be."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        length, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError):
        raise MomusError(f"{path} stores tensors as type {kind} of GGML, which is not read here") from None
    count = 1
    for dimension in shape:
        count *= dimension
    if shape[-1] % length:
        raise MomusError(f"{path} is damaged: rows of {shape[-1]} weights in blocks of {length}; fetch it again")
    return count // length * size


def encoded(key: str, value: str | bool | int | float | list[str] | list[int]) -> bytes:
    """A key with its value as a GGUF has them: strings, bools, numbers of 32 bits, lists of strings or integers."""
    named = _text(key)
    if isinstance(value, list):
        strings = not value or isinstance(value[0], str)
        items = [_text(str(item)) if strings else struct.pack("<i", item) for item in value]
        head = struct.pack("<IIQ", _ARRAY, _STRING if strings else _INT32, len(value))
        return named + head + b"".join(items)
    if isinstance(value, str):
        return named + struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, bool):
        return named + struct.pack("<I?", _BOOL, value)
    if isinstance(value, float):
        return named + struct.pack("<If", _FLOAT32, value)
    return named + struct.pack("<II", _UINT32, value)


@dataclass(frozen=True, slots=True)
class Writing:
    """A tensor to be written: `size` bytes, which `blocks` gives piece by piece when their turn comes."""

    name: str
    shape: tuple[int, ...]
    kind: int
    size: int
    blocks: Iterable[bytes]


def write_gguf(path: Path, keys: Iterable[bytes], tensors: Iterable[Writing]) -> Iterator[int]:
    """Write a file; yields the bytes of each piece as it is written. Keys as `encoded` gives them. Raises OSError."""
    listed, spans = list(tensors), list(keys)
    with path.open("wb") as file:
        file.write(_MAGIC + struct.pack("<IQQ", 3, len(listed), len(spans)))
        file.writelines(spans)
        offset = 0
        for tensor in listed:
            file.write(_text(tensor.name) + struct.pack("<I", len(tensor.shape)))
            file.write(struct.pack(f"<{len(tensor.shape)}Q", *reversed(tensor.shape)))
            file.write(struct.pack("<IQ", tensor.kind, offset))
            offset = _aligned(offset + tensor.size, _ALIGNMENT)
        _pad(file)
        for tensor in listed:
            start = file.tell()
            for block in tensor.blocks:
                file.write(block)
                yield len(block)
            if file.tell() - start != tensor.size:
                raise AssertionError(f"{tensor.name} takes {file.tell() - start} bytes and not {tensor.size}")
            _pad(file)


def _text(text: str) -> bytes:
    raw = text.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def _aligned(place: int, alignment: int) -> int:
    return place + -place % alignment


def _pad(file: BinaryIO) -> None:
    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
