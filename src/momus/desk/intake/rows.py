"""Rows out of one file: JSON lines, a JSON list, CSV, Parquet or Arrow. Nothing is held in memory whole.

A row that can't be read comes out as a `Fault`, so that a file is told of in one go.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal

from momus.decode import from_json
from momus.desk.intake.faults import Fault, refused
from momus.desk.problems import Problem
from momus.desk.texts import NotJson, check, read_json
from momus.errors import MomusError

Json = dict[str, Any]
Form = Literal["jsonl", "json", "csv", "parquet", "arrow"]
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_STREAM = b"\xff\xff\xff\xff"  # an Arrow stream, as `datasets` saves it
_PART = 65_536
MOST_OF_ONE = 4_000_000  # characters of one item of a JSON list
_BATCH = 20  # rows of a table that are unpacked at once
_BATCH_BYTES = 100_000_000
_FOREIGN = {
    b"\x1f\x8b": "It is packed with gzip.",
    b"\xd0\xcf\x11\xe0": "It is an old Excel workbook.",
    b"7z\xbc\xaf": "It is packed with 7-Zip.",
    b"%PDF": "It is a PDF.",
    b"SQLite": "It is a database.",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it was found, or what is wrong with it. `row` is its number in its file, from 1."""

    row: int
    data: Json | Fault
    file: str = ""


def form_of(file: IO[bytes]) -> Form:
    """What a file is, by its first bytes. Raises Problem 422 on what is known and can't be read."""
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    for magic, said in _FOREIGN.items():
        if head.startswith(magic):
            raise refused("not-read", said, "Unpack it, or save it as CSV or JSON lines, and choose that file.")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", _STREAM)):
        return "arrow"
    text = head.decode("utf-16", "replace") if head.startswith(_WIDE) else head.removeprefix(_BOM).decode("latin-1")
    first = text.lstrip()[:1]
    return "json" if first == "[" else "jsonl" if first in ("{", "") else "csv"


def rows_of(file: IO[bytes], form: Form) -> Iterator[Found]:
    """Each row once. Raises Problem 422 where the file as a whole can't be read."""
    file.seek(0)
    readers: dict[Form, Callable[[IO[bytes]], Iterator[Found]]] = {
        "jsonl": _lines, "json": _list, "csv": _csv, "parquet": _parquet, "arrow": _arrow,
    }  # fmt: skip
    yield from readers[form](file)


def _lines(file: IO[bytes]) -> Iterator[Found]:
    lines: Iterable[str | bytes] = _decoded(file) if _is_wide(file) else file
    row = 0
    try:
        for row, line in enumerate(lines, 1):
            raw = line.removeprefix(_BOM) if isinstance(line, bytes) and row == 1 else line
            if raw.strip():
                yield Found(row, _sound(lambda raw=raw: read_json(raw), raw))  # type: ignore[misc]
    except Fault as fault:  # of UTF-16
        yield Found(row + 1, fault)


def _sound(read: Callable[[], Any], raw: str | bytes = "") -> Json | Fault:
    """A JSON object that can be stored, or what is wrong with it."""
    try:
        data = read()
    except NotJson:
        if isinstance(raw, bytes) and _broken(raw) is not None:
            return _not_utf8(raw)
        return Fault("not-json", "It is not JSON.", "Give one JSON object a line, or a list of them in [ ].")
    except MomusError as error:
        return Fault("too-deep", f"{str(error).rstrip('.').capitalize()}.", "Flatten it.")
    except Problem as error:
        first = error.errors[0]
        return Fault(first.code, first.detail, "Mend the text.", field=first.pointer.strip("/").replace("/", "."))
    if not isinstance(data, dict):
        return Fault("no-object", "It is not a JSON object.", 'Write each row as {"question": ..., "answer": ...}.')
    return data


def _broken(raw: bytes) -> UnicodeDecodeError | None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error
    return None


def _not_utf8(raw: bytes, *, ends: bool = False) -> Fault:
    error = _broken(raw)
    byte = f" (byte 0x{raw[error.start]:02x})" if error is not None else ""
    return Fault("not-utf8", f"It is not UTF-8{byte}.", "Save the file as UTF-8 (in Excel: CSV UTF-8).", ends=ends)


def _is_wide(file: IO[bytes]) -> bool:
    head = file.read(2)
    file.seek(0)
    return head in _WIDE


def _decoded(file: IO[bytes]) -> Iterator[str]:
    """Lines with their ends, of UTF-8 or of UTF-16 with its mark. Raises Fault on bytes that are neither."""
    if _is_wide(file):
        rest = ""
        for part in _parts(file):
            *whole, rest = (rest + part).split("\n")
            yield from (f"{line}\n" for line in whole)
        yield rest
        return
    for number, line in enumerate(file):
        try:
            yield (line.removeprefix(_BOM) if number == 0 else line).decode()
        except UnicodeDecodeError:
            raise _not_utf8(line, ends=True) from None


def _list(file: IO[bytes]) -> Iterator[Found]:
    """The items of a JSON list, one by one."""
    decoder = json.JSONDecoder()
    parts = _parts(file)
    text, at, row = "", 0, 0
    try:
        text = next(parts, "").lstrip()
        at = 1  # behind the bracket
        while True:
            text, at = _past(text, at, parts, skip=", \t\r\n")
            if at >= len(text):
                raise Fault("cut-off", "The list has no end.", "Export the file again: it was cut off.", ends=True)
            if text[at] == "]":
                return
            row += 1
            if text[at] != "{":
                raise Fault("no-object", "It is not a JSON object.", "Give a list of objects.", ends=True)
            while True:
                try:
                    data, end = decoder.raw_decode(text, at)
                    break
                except RecursionError:
                    said = "It is nested too deeply to be read."
                    raise Fault("too-deep", said, "Flatten it.", ends=True) from None
                except ValueError:
                    more = "" if len(text) - at > MOST_OF_ONE else _more(parts, len(text) - at)
                    if not more:
                        said = f"It is not JSON, or longer than {MOST_OF_ONE:,} characters."
                        raise Fault("not-json", said, "Mend the item, or shorten it.", ends=True) from None
                    text, at = text[at:] + more, 0
            at = end
            yield Found(row, _sound(lambda data=data: _checked(data)))  # type: ignore[misc]
    except Fault as fault:
        yield Found(max(row, 1), fault)


def _checked(data: Any) -> Any:
    check(data)
    return data


def _parts(file: IO[bytes]) -> Iterator[str]:
    """The text of a file in UTF-8, or in UTF-16 with its mark. Raises Fault on bytes that are neither."""
    decoder = codecs.getincrementaldecoder("utf-16" if _is_wide(file) else "utf-8-sig")()
    try:
        while raw := file.read(_PART):
            if part := decoder.decode(raw):
                yield part
        if part := decoder.decode(b"", final=True):
            yield part
    except UnicodeDecodeError as error:
        raise _not_utf8(bytes(error.object), ends=True) from None


def _more(parts: Iterator[str], at_least: int) -> str:
    """The next parts, as much again as there is: an item that is long is not looked at too often."""
    found: list[str] = []
    size = 0
    while size < at_least or not found:
        part = next(parts, "")
        if not part:
            break
        found.append(part)
        size += len(part)
    return "".join(found)


def _past(text: str, at: int, parts: Iterator[str], *, skip: str) -> tuple[str, int]:
    while True:
        while at < len(text) and text[at] in skip:
            at += 1
        if at < len(text):
            return text, at
        text, at = next(parts, ""), 0
        if not text:
            return text, at


def _csv(file: IO[bytes]) -> Iterator[Found]:
    """Rows of cells under a header. Cells may hold line breaks in quotes; commas, semicolons or tabs part them."""
    lines = _decoded(file)
    row = 1
    try:
        first = next(lines, "")
        reader = csv.reader(_with(first, lines), delimiter=max(",;\t", key=first.count), strict=True)
        header = [cell.strip() for cell in next(reader, [])]
        if len(set(header)) < len(header):
            twice = next(name for name in header if header.count(name) > 1)
            said = f"Two columns are called {twice!r}." if twice else "Two columns have no name."
            raise Fault("same-column", said, "Give each column a name of its own in the first row.", ends=True)
        for cells in reader:
            row += 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                said = f"It has {len(cells)} cells, and the header {len(header)}."
                fault = Fault("cells", said, "Put cells with commas or line breaks in double quotes.")
                yield Found(row, fault)
                continue
            yield Found(row, _sound(lambda cells=cells: _checked(dict(zip(header, cells, strict=True)))))  # type: ignore[misc]
    except csv.Error as error:
        yield Found(row + 1, _csv_fault(error))
    except Fault as fault:
        yield Found(row if fault.code == "same-column" else row + 1, fault)


def _with(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _csv_fault(error: csv.Error) -> Fault:
    said = str(error)
    if "field larger" in said:
        most = f"{csv.field_size_limit():,}"
        return Fault("large", f"A cell is longer than {most} characters.", "Shorten it, or give JSON lines.", ends=True)
    if "unexpected end" in said:
        remedy = 'Close it, and write a quote within a cell twice ("").'
        return Fault("quotes", "A quoted cell has no end.", remedy, ends=True)
    if "new-line" in said:
        return Fault("line-ends", "The lines end in a way that is not known.", "Save the file as CSV UTF-8.", ends=True)
    return Fault("quotes", "A quote stands where none belongs.", 'Write a quote within a cell twice ("").', ends=True)


def _parquet(file: IO[bytes]) -> Iterator[Found]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise _no_arrow("Parquet") from None
    try:
        table = pq.ParquetFile(file)
        yield from _batches(table.iter_batches(_BATCH), table.schema_arrow)
    except (pa.ArrowException, OSError):
        raise _damaged("Parquet") from None


def _arrow(file: IO[bytes]) -> Iterator[Found]:
    try:
        import pyarrow as pa
    except ImportError:
        raise _no_arrow("Arrow") from None
    stream = file.read(4) == _STREAM
    file.seek(0)
    try:
        if stream:
            opened = pa.ipc.open_stream(file)
            yield from _batches(opened, opened.schema)
        else:
            table = pa.ipc.open_file(file)
            yield from _batches((table.get_batch(i) for i in range(table.num_record_batches)), table.schema)
    except (pa.ArrowException, OSError):
        raise _damaged("Arrow") from None


def _batches(batches: Any, schema: Any) -> Iterator[Found]:
    nested = {field.name for field in schema if (field.metadata or {}).get(b"momus") == b"json"}
    row = 0
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH):
            part = batch.slice(start, _BATCH)
            if part.nbytes > _BATCH_BYTES:
                raise refused("large", f"{_BATCH} rows take more than 100 MB.", "Shorten the texts.")
            for cells in part.to_pylist():
                row += 1
                data = {key: value for key, value in cells.items() if value is not None}
                yield Found(row, _sound(lambda data=data: _checked(_plain(data, nested))))  # type: ignore[misc]


def _plain(data: Json, nested: set[str]) -> Json:
    """What JSON could hold: other values stand as text. Raises NotJson on a column of JSON that is none."""
    try:
        read = {key: from_json(value) if key in nested else value for key, value in data.items()}
        found: Json = from_json(json.dumps({k: v for k, v in read.items() if v is not None}, default=str))
    except (TypeError, ValueError):
        raise NotJson("that is no JSON") from None
    return found


def _no_arrow(what: str) -> Problem:
    remedy = "Whoever runs the desk installs it: pip install 'momus[parquet]'. Or save the file as JSON lines or CSV."
    return refused("needs-parquet", f"{what} is read by pyarrow, which is not installed here.", remedy)


def _damaged(what: str) -> Problem:
    return refused("damaged", f"It begins as {what} does, and can't be read.", "Write the file again: it is damaged.")
