"""What is wrong with a file that is brought in: which row, which field, and what to do about it."""

from __future__ import annotations

from pydantic import ValidationError

from momus.desk.problems import Problem, Wrong, invalid

SEE = "The format page shows each shape; each kind has a sample to download."


class RowWrong(Wrong):
    """One thing wrong with one row. `row` counts as a spreadsheet does (a CSV's header is row 1), or lines, or items.

    `file` names the part of a folder. `said` is what is wrong, `remedy` what to do; `detail` says it all in a sentence.
    """

    row: int
    file: str = ""
    field: str = ""
    said: str
    remedy: str


class Fault(ValueError):
    """A row can't be taken. Where `ends` is true, nothing after it can be read either."""

    def __init__(self, code: str, said: str, remedy: str, *, field: str = "", ends: bool = False) -> None:
        super().__init__(said)
        self.code, self.said, self.remedy, self.field, self.ends = code, said, remedy, field, ends


def refused(code: str, said: str, remedy: str) -> Problem:
    """The whole file can't be taken."""
    wrong = RowWrong(pointer="", code=code, detail=f"{said} {remedy}", row=0, said=said, remedy=remedy)
    return invalid(wrong)


def row_wrong(error: ValueError | Problem, row: int, file: str = "") -> RowWrong:
    """A fault of a row, for the list."""
    fault = _fault(error)
    place = f"Row {row}" + (f" of {file}" if file else "") if row else ""  # row 0 is the whole file
    where = ", ".join(filter(None, (place, fault.field)))
    return RowWrong(
        pointer=f"/rows/{row}" + (f"/{fault.field}" if fault.field else ""),
        code=fault.code,
        detail=f"{where}: {fault.said} {fault.remedy}" if where else f"{fault.said} {fault.remedy}",
        row=row,
        file=file,
        field=fault.field,
        said=fault.said,
        remedy=fault.remedy,
    )


def _fault(error: ValueError | Problem) -> Fault:
    if isinstance(error, Fault):
        return error
    if isinstance(error, Problem):
        first = error.errors[0] if error.errors else None
        field = first.pointer.strip("/").replace("/", ".") if first is not None else ""
        return Fault(first.code if first is not None else error.code, error.detail, "Mend the row.", field=field)
    if isinstance(error, ValidationError):
        found = error.errors()[0]
        field = ".".join(str(part) for part in found["loc"])
        return Fault("line", f"{found['msg']}.", _REMEDIES.get(found["type"], SEE), field=field)
    return Fault("line", f"{str(error).rstrip('.')}.", SEE)


_REMEDIES = {
    "missing": "Add the field.",
    "extra_forbidden": "Take the field out, or see how it is spelt on the format page.",
    "string_type": "Give a text.",
}
