"""Reading what is to be reviewed: bytes to text, without a guess. What cannot be read says why in one sentence."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from dataclasses import dataclass
from functools import cached_property

from momus.critique import TextMap
from momus.errors import MomusError
from momus.review.finding import Cell, Note

_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_CONFLICT = (re.compile("^<{7} ", re.M), re.compile(r"^={7}\r?$", re.M), re.compile("^>{7} ", re.M))
_UTF8_MARK = b"\xef\xbb\xbf"
_SNIFFED = 8192  # bytes looked at for a NUL


class Unreadable(MomusError):
    """A file that cannot be reviewed. The message says why and names the mend; who shows it puts the path before it."""


@dataclass(frozen=True)
class Source:
    """A text under review. Offsets count code points of `text`; a byte order mark is not part of it.

    `code` is what is parsed and put to a critic: `text` itself, or, for a notebook, `text` with IPython's magics
    made harmless, code point for code point, on the lines `masked`.
    """

    path: str
    text: str
    encoding: str = "utf-8"
    mark: bytes = b""
    code: str = ""
    masked: frozenset[int] = frozenset()
    cells: tuple[Cell, ...] = ()
    notes: tuple[Note, ...] = ()

    @cached_property
    def map(self) -> TextMap:
        return TextMap(self.text)

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None where the code does not parse."""
        return self._parsed[0]

    @property
    def syntax_error(self) -> tuple[str, int | None] | None:
        """What the parser said and the 1-based line; None where the code parses."""
        return self._parsed[1]

    @cached_property
    def _parsed(self) -> tuple[ast.Module | None, tuple[str, int | None] | None]:
        try:
            return parse(self.code, await_anywhere=bool(self.cells)), None
        except SyntaxError as error:
            return None, (error.msg or "invalid syntax", error.lineno)
        except (ValueError, RecursionError, MemoryError) as error:
            return None, (str(error) or "nested too deeply", None)

    @property
    def conflict(self) -> int | None:
        """The 1-based line of a merge conflict's first mark, where the code does not parse and has all three."""
        if self.tree is not None or not all(mark.search(self.code) for mark in _CONFLICT):
            return None
        first = _CONFLICT[0].search(self.code)
        return None if first is None else self.map.line(first.start())

    def to_bytes(self, text: str) -> bytes:
        """Another text in this file's encoding and with its mark. Raises UnicodeEncodeError where it does not fit."""
        return self.mark + text.encode(self.encoding)


def parse(code: str, *, await_anywhere: bool = False) -> ast.Module:
    """Parse without the compiler's warnings on standard error. Raises what `ast.parse` raises."""
    flags = ast.PyCF_ONLY_AST | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if await_anywhere else 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree: ast.Module = compile(code, "<code>", "exec", flags, dont_inherit=True)
    return tree


def read_python(path: str, data: bytes) -> Source:
    """Decode Python source. Raises Unreadable for what is not text in its declared encoding."""
    text, encoding, mark = decode(data)
    notes = (Note("byte-order-mark", "a byte order mark stands before the text; positions do not count it"),)
    return Source(path, text, encoding, mark, code=text, notes=notes if mark else ())


def decode(data: bytes) -> tuple[str, str, bytes]:
    """Text, encoding (as Python's own tokenizer finds it, UTF-8 by default) and byte order mark of Python source."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            raise Unreadable(f"{name}, which Python does not read: save it as UTF-8")
    if b"\0" in data[:_SNIFFED]:
        raise Unreadable("binary, not text: leave it out, or give its source")
    mark = _UTF8_MARK if data.startswith(_UTF8_MARK) else b""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:  # an unknown encoding, one that contradicts the mark, or not UTF-8
        raise Unreadable(_not_decodable(data, str(error.msg))) from None
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        text = data[len(mark) :].decode(encoding)
        text.encode("utf-8")  # some declared codecs can make lone surrogates, which no format could write
    except UnicodeDecodeError as error:
        name = "UTF-8" if encoding == "utf-8" else encoding
        raise Unreadable(_not_decodable(data, f"not {name}", error.start + len(mark))) from None
    except (UnicodeError, LookupError, ValueError) as error:
        raise Unreadable(f"does not decode as {encoding}: {error}") from None
    return text, encoding, mark


def _not_decodable(data: bytes, why: str, at: int | None = None) -> str:
    if at is None:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            at, why = error.start, "not UTF-8"
        else:
            return f"{why}: declare the encoding that it has, or save it as UTF-8"
    line = data.count(b"\n", 0, at) + 1
    return f"{why} (byte {data[at]:#04x} on line {line}): save it as UTF-8, or declare its encoding on line 1"
