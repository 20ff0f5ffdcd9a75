"""What was sent: one file, or a folder of them (packed as zip or tar, or on this machine), as rows of one table."""

from __future__ import annotations

import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any

from momus.desk.intake.exports import export_of
from momus.desk.intake.faults import Fault, refused
from momus.desk.intake.rows import Form, Found, form_of, rows_of

MOST_FILES = 1_000
UNPACKED = 8  # times as much as may be sent
_IN_MEMORY = 1_000_000
_DATA = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow")
_NOT_DATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json")
# The sides of a split, as folders and files of data sets name them, in the words of tasks.
_SPLITS = {"train": "train", "validation": "dev", "valid": "dev", "val": "dev", "dev": "dev", "test": "test"}
_SHARD = re.compile(r"[-_.]?\d+([-_.]of[-_.]\d+)?$")
_MANY = "Pack fewer files, or bring them in one by one."


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source. `table` is the folder it lies in, `split` what its name says."""

    name: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    table: str = ""
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Parts of one form, told by the first of them; `export` names the tool that wrote it, where that is known."""

    parts: tuple[Part, ...]
    form: Form
    tables: tuple[str, ...] = ()
    table: str = ""
    export: str = ""

    @property
    def typed(self) -> bool:
        """Whether values have types, so that a row may be a record as it stands; cells of CSV are all texts."""
        return self.form != "csv"

    def rows(self) -> Iterator[Found]:
        """Each row, from the start. Raises Problem 422 where a part can't be read at all."""
        for part in self.parts:
            with part.open() as file:
                for found in rows_of(file, form_of(file)):
                    data = found.data
                    if isinstance(data, dict) and part.split is not None:
                        data = {"split": part.split, **data}
                    yield Found(found.row, data, part.name if len(self.parts) > 1 else "")
                    if isinstance(data, Fault) and data.ends:
                        break


def source_of(file: IO[bytes], most_bytes: int, table: str | None = None) -> Source:
    """A file that was sent, or what is packed in it; `table` chooses where there are several.

    Raises Problem 422 on a workbook, a damaged or too large package, an archive of a project, another table.
    """
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return _packed(list(_zip_parts(file, most_bytes)), table)
    if head[257:262] == b"ustar":
        return _packed(list(_tar_parts(file)), table)

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        file.seek(0)
        yield file

    return _told(Source((Part("", opened),), form_of(file)))


def source_at(path: Path, most_bytes: int, table: str | None = None) -> Source:
    """The same of a file or folder on this machine."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(512)
        if head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar":
            return source_of(path.open("rb"), most_bytes, table)
        files = [path]
    else:
        files = sorted(p for p in path.rglob("*") if p.is_file())
    found = [
        Part(str(p.relative_to(path)) if p != path else "", _at(p)) for p in files if p == path or _is_data(p.name)
    ]
    if path.is_file():
        with path.open("rb") as file:
            return _told(Source((found[0],), form_of(file)))
    return _packed(found, table)


def _at(path: Path) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    return lambda: path.open("rb")


def _is_data(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in _DATA and path.name not in _NOT_DATA and not hidden


def _zip_parts(file: IO[bytes], most_bytes: int) -> Iterator[Part]:
    try:
        zipped = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise refused("damaged", "The zip file can't be read.", "Pack the folder again.") from None
    members = zipped.infolist()
    if any(member.filename == "xl/workbook.xml" for member in members):
        raise refused("workbook", "It is an Excel workbook.", "Save the sheet as CSV UTF-8, and choose that file.")
    members = [member for member in members if not member.is_dir() and _is_data(member.filename)]
    if len(members) > MOST_FILES:
        raise refused("many-files", f"There are more than {MOST_FILES:,} files in it.", _MANY)
    if sum(member.file_size for member in members) > UNPACKED * most_bytes:
        raise refused("large", f"Unpacked it is larger than {UNPACKED * most_bytes:,} bytes.", _MANY)
    for member in members:
        if member.flag_bits & 1:
            raise refused("locked", "The zip file has a password.", "Pack the folder without one.")
        yield Part(member.filename, _unpacked(lambda member=member: zipped.open(member), member.file_size))  # type: ignore[misc]


def _tar_parts(file: IO[bytes]) -> Iterator[Part]:
    try:
        packed = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115  # its parts are read later
        members = [m for m in islice(packed, MOST_FILES * 20) if m.isreg() and _is_data(m.name)]
    except (tarfile.TarError, ValueError):
        raise refused("damaged", "The tar file can't be read.", "Pack the folder again.") from None
    if len(members) > MOST_FILES:
        raise refused("many-files", f"There are more than {MOST_FILES:,} files in it.", _MANY)
    for member in members:
        yield Part(member.name, _unpacked(lambda member=member: packed.extractfile(member), member.size))  # type: ignore[misc]


def _unpacked(open_: Callable[[], Any], size: int) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    """Opens a part unpacked in a file of its own, which can be read from anywhere; never more than it said it has."""

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as out:
            try:
                with open_() as packed:
                    shutil.copyfileobj(_Bounded(packed, size), out)
            except (zipfile.BadZipFile, tarfile.TarError, NotImplementedError, EOFError, OSError, ValueError):
                raise refused("damaged", "A file in it can't be unpacked.", "Pack the folder again.") from None
            out.seek(0)
            yield out

    return opened


class _Bounded:
    """Reads no more than was promised. Raises ValueError beyond."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size

    def read(self, most: int = -1) -> bytes:
        part = self._file.read(most)
        self._left -= len(part)
        if self._left < 0:
            raise ValueError("there is more in it than it says")
        return part


def _packed(parts: list[Part], table: str | None) -> Source:
    """The parts of one table: each folder is one, but for `data` and for the sides of a split."""
    if not parts:
        raise refused("no-data", "There is no file of data in it.", f"It needs one of {', '.join(_DATA)}.")
    placed = _placed(parts)
    tables = tuple(dict.fromkeys(part.table for part in placed))
    chosen = table if table is not None else tables[0]
    if chosen not in tables:
        raise refused("no-table", f"There is no table {chosen!r} in it.", f"There are: {', '.join(tables)}.")
    of = tuple(part for part in placed if part.table == chosen)
    with of[0].open() as file:
        form = form_of(file)
    return _told(Source(of, form, tables if len(tables) > 1 else (), chosen))


def _placed(parts: list[Part]) -> list[Part]:
    folders = [PurePosixPath(part.name.replace("\\", "/")).parts[:-1] for part in parts]
    common = 0
    while all(len(f) > common for f in folders) and len({f[common] for f in folders}) == 1:
        common += 1
    stems = [_SHARD.sub("", PurePosixPath(part.name).stem.lower()) for part in parts]
    found = []
    for part, folder, stem in zip(parts, folders, stems, strict=True):
        names = [name for name in folder[common:] if name != "data"]
        split = _SPLITS.get(stem)
        if split is None and folder and folder[-1].lower() in _SPLITS:
            split = _SPLITS[folder[-1].lower()]
            names = names[:-1]
        elif split is None:  # a file for each table, as the desk writes Parquet
            beside = {s for s, f in zip(stems, folders, strict=True) if f == folder and s not in _SPLITS}
            names += [stem] if len(beside) > 1 else []
        found.append(replace(part, table="/".join(names), split=split))
    return found


def _told(source: Source) -> Source:
    """With the name of the tool that wrote it, by its first row. Raises Problem 422 on an archive of a project."""
    first = next((f.data for f in islice(source.rows(), 20) if isinstance(f.data, dict)), None)
    if first is not None and first.get("type") == "project" and "design" in first:
        remedy = "On the Projects page, choose 'New project from an archive'."
        raise refused("archive", "It is an archive of a whole project, which becomes a project of its own.", remedy)
    return replace(source, export=export_of(first) if first is not None else "")
