"""Files of every kind come in by their columns, and what is wrong with one is told by row, field and remedy."""

from __future__ import annotations

import csv
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from desk_world import ANSWER, SLUG, TWIN, World, task
from momus.cli.desk import command
from momus.critique import Span
from momus.desk.intake.build import changed_lines, critique_of
from momus.desk.intake.faults import Fault
from momus.desk.intake.fields import FIELDS, guess
from momus.desk.intake.rows import form_of, rows_of
from momus.desk.store.tables import Assignment, Project
from momus.errors import MomusError
from momus.records import Task

P = f"/api/v1/projects/{SLUG}"
KINDS = tuple(FIELDS)
ROW = {"prompt": "Add up, please: all of it.", "code": TWIN, "unit_tests": "assert total([1]) == 1\n", "note": "x"}
SOUND = st.characters(exclude_categories=["Cs"])
QA = {  # as question and answer files with tests are
    "id": "mbpp/1", "source": "MBPP", "licence": "CC-BY-4.0", "question": "Add up.", "answer": TWIN,
    "tests": "assert total([1]) == 1", "entry_point": "total", "split": "dev", "verified": True, "problem": "MBPP/1",
}  # fmt: skip


def check(world: World, kind: str, content: bytes, **params: Any) -> Any:
    asked = {"kind": kind, **{k: json.dumps(v) if isinstance(v, dict) else v for k, v in params.items()}}
    return world.at("manager").post(f"{P}/imports/check", params=asked, content=content)


def bring(world: World, kind: str, content: bytes, **params: Any) -> Any:
    asked = {"kind": kind, **{k: json.dumps(v) if isinstance(v, dict) else v for k, v in params.items()}}
    return world.at("manager").post(f"{P}/imports", params=asked, content=content)


def items(world: World) -> list[dict[str, Any]]:
    with world.store.read() as session:
        return [row.payload for row in session.query(Assignment).order_by(Assignment.id)]


def as_csv(*rows: dict[str, Any], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(*rows: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), out)
    return out.getvalue()


def as_arrow(*rows: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(list(rows))
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    return out.getvalue()


def as_zip(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return out.getvalue()


def as_tar(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, content in files.items():
            told = tarfile.TarInfo(name)
            told.size = len(content)
            packed.addfile(told, io.BytesIO(content))
    return out.getvalue()


WRITERS: dict[str, Callable[..., bytes]] = {
    "jsonl": as_lines,
    "json": lambda *rows: json.dumps(list(rows), indent=2).encode(),
    "csv": as_csv,
    "semicolons": lambda *rows: as_csv(*rows, delimiter=";"),
    "tabs": lambda *rows: as_csv(*rows, delimiter="\t"),
    "utf-16": lambda *rows: as_csv(*rows).decode().encode("utf-16"),
    "with a mark": lambda *rows: b"\xef\xbb\xbf" + as_csv(*rows),
    "parquet": as_parquet,
    "arrow": as_arrow,
    "zip": lambda *rows: as_zip(**{"set/train.csv": as_csv(*rows), "set/README.md": b"A card."}),
    "tar": lambda *rows: as_tar(**{"set/data/train-00000-of-00001.parquet": as_parquet(*rows)}),
}


@pytest.mark.parametrize("form", WRITERS)
def test_each_form_is_read_by_the_names_of_its_columns(world: World, form: str) -> None:
    content = WRITERS[form](ROW, {**ROW, "prompt": "Été, naïve – “quoted”"})
    seen = check(world, "tamper", content).json()
    assert seen["rows"] == 2 and seen["errors"] == [] and not seen["records"]
    wanted = {"question": "prompt", "answer": "code", "tests": "unit_tests"}
    assert {k: v for k, v in seen["mapping"].items() if k != "split"} == wanted
    assert seen["unused"] == ["note"]
    pieces = {piece["name"]: piece for piece in seen["shown"][0]["pieces"]}
    assert pieces["Answer"]["text"] == TWIN and pieces["Answer"]["code"]
    assert items(world) == [], "nothing is added by looking"
    made = bring(world, "tamper", content)
    assert made.status_code == 201 and made.json()["added"] == 2, made.text
    first, second = items(world)
    assert (first["question"], first["answer"]) == (ROW["prompt"], TWIN)
    assert second["question"] == "Été, naïve – “quoted”"
    assert first.get("split") == ("train" if form in ("zip", "tar") else None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_sample_of_each_kind_comes_in_as_it_is(world: World, kind: str, form: str) -> None:
    got = world.at("manager").get(f"{P}/imports/samples/{kind}/{form}")
    assert got.status_code == 200 and f'filename="{kind}.{form}"' in got.headers["content-disposition"]
    seen = check(world, kind, got.content).json()
    assert (seen["rows"], seen["errors"]) == (2, []), seen["errors"]
    assert bring(world, kind, got.content).json()["added"] == 2
    if kind != "canary":
        assert world.claim("annotator", kind) is not None


def test_question_and_answer_files_with_tests_come_in_as_they_are(world: World) -> None:
    made = bring(world, "tamper", as_lines(QA)).json()
    assert made["added"] == 1 and made["unused"] == ["verified"]
    (item,) = items(world)
    assert item["group"] == "MBPP/1" and item["entry_point"] == "total" and item["split"] == "dev"
    seat = world.claim("annotator", "tamper")
    assert seat is not None and seat["view"]["task"]["runnable"]


def test_a_bug_and_its_fix_are_found_by_comparing(world: World) -> None:
    row = {"buggy": ANSWER, "fixed": TWIN, "tests": task().tests, "verified": True, "severity": "high"}
    assert bring(world, "grade", as_lines(row)).json()["added"] == 1
    (item,) = items(world)
    (bug,) = item["bugs"]
    (span,) = bug["spans"]
    assert ANSWER[span["start"] : span["end"]] == "s = 1" and bug["suggestion"] == "s = 0"
    assert bring(world, "canary", as_lines(row)).json()["added"] == 1
    unproved = bring(world, "canary", as_lines({**row, "verified": False}))
    assert unproved.status_code == 422 and unproved.json()["errors"][0]["code"] == "unproved"


def test_an_export_of_label_studio(world: World) -> None:
    place = ANSWER.index("s = 1")
    exported = [
        {
            "id": 7,
            "data": {"prompt": "Add up.", "response": ANSWER},
            "annotations": [
                {"was_cancelled": True, "result": [{"from_name": "review", "value": {"text": ["never mind"]}}]},
                {
                    "was_cancelled": False,
                    "result": [
                        {
                            "from_name": "review",
                            "to_name": "response",
                            "type": "labels",
                            "value": {"start": place, "end": place + 5, "text": "s = 1", "labels": ["wrong start"]},
                        }
                    ],
                },
            ],
            "predictions": [],
        }
    ]
    content = json.dumps(exported).encode()
    seen = check(world, "team", content).json()
    assert seen["export"] == "Label Studio" and seen["errors"] == []
    assert seen["mapping"] == {"id": "id", "question": "prompt", "answer": "response", "critique": "review"}
    assert bring(world, "team", content).json()["added"] == 1
    seat = world.claim("annotator", "team")
    assert seat is not None
    (comment,) = seat["view"]["prefilled"]
    assert comment["text"] == "wrong start" and comment["highlight"] == {"start": place, "end": place + 5}


def test_an_export_of_argilla(world: World) -> None:
    exported = [
        {
            "id": "a-1",
            "fields": {"instruction": "Add up.", "response": ANSWER},
            "metadata": {"model": "some"},
            "suggestions": {"feedback": {"value": "It begins at one.", "score": None, "agent": "some-model"}},
            "responses": {"feedback": [{"value": "The sum begins at one.", "user_id": "u"}]},
            "vectors": {},
            "status": "completed",
            "_server_id": "s",
        }
    ]
    content = json.dumps(exported).encode()
    seen = check(world, "team", content).json()
    assert seen["export"] == "Argilla" and seen["mapping"]["critique"] == "feedback"
    assert bring(world, "team", content).json()["added"] == 1
    flat = {"id": "b", "instruction": "Add.", "response": ANSWER, "feedback.responses": ["Begins at one."]}
    flat |= {"feedback.responses.users": ["u"], "_server_id": "s", "status": "completed"}
    seen = check(world, "team", as_parquet(flat), columns={"answer": "response", "critique": "feedback.responses"})
    assert seen.json()["errors"] == [] and seen.json()["export"] == "Argilla"
    pieces = {piece["name"]: piece["text"] for piece in seen.json()["shown"][0]["pieces"]}
    assert "Begins at one." in pieces["Critique"]


def test_critiques_stand_in_columns_that_are_named_by_their_critic(world: World) -> None:
    row = {"question": "Add up.", "answer": ANSWER, "anna": "Begins at one.", "model": "No problems found."}
    seen = check(world, "rate", as_csv(row)).json()
    assert [one["field"] for one in seen["errors"]] == ["critiques"], "the names do not tell"
    columns = {"question": "question", "answer": "answer", "critiques": ["anna", "model"]}
    assert bring(world, "rate", as_csv(row), columns=columns).json()["added"] == 1
    (item,) = items(world)
    assert [one["critic"] for one in item["critiques"]] == ["anna", "model"]
    again = check(world, "rate", as_csv({**row, "question": "Another."})).json()
    assert again["errors"] == [] and again["mapping"]["critiques"] == ["anna", "model"], "what was chosen is remembered"


def test_what_was_chosen_is_remembered_for_other_kinds_too_and_by_name_only(world: World) -> None:
    row = {"aufgabe": "Add up.", "loesung": TWIN}
    columns = {"question": "aufgabe", "answer": "loesung"}
    assert bring(world, "tamper", as_csv(row)).status_code == 422
    assert bring(world, "tamper", as_csv(row), columns=columns).json()["added"] == 1
    assert check(world, "write", as_csv(row)).json()["mapping"] == columns
    assert check(world, "write", as_csv({"question": "q", "answer": "x = 1"})).json()["mapping"] == {
        "question": "question", "answer": "answer",
    }  # fmt: skip
    with world.store.read() as session:
        assert session.get_one(Project, world.project.id).mapped == {"tamper": columns}


def test_a_package_with_several_tables_lets_one_be_chosen(world: World) -> None:
    both = as_zip(**{
        "x/data/tasks/train.jsonl": as_lines(ROW), "x/data/tasks/validation.jsonl": as_lines({**ROW, "prompt": "2"}),
        "x/data/others/train.jsonl": as_lines({"a": 1}), "x/dataset_info.json": b"{}", "__MACOSX/x/._a.csv": b"\0",
    })  # fmt: skip
    seen = check(world, "tamper", both, table="tasks").json()
    assert seen["tables"] == ["tasks", "others"] and seen["table"] == "tasks" and seen["rows"] == 2
    assert bring(world, "tamper", both, table="tasks").json()["added"] == 2
    assert [item["split"] for item in items(world)] == ["train", "dev"]
    assert check(world, "tamper", both, table="none").json()["errors"][0]["code"] == "no-table"
    saved = as_zip(**{"x/train/data-00000-of-00001.arrow": as_arrow(ROW), "x/train/state.json": b"{}",
                      "x/test/data-00000-of-00001.arrow": as_arrow(ROW)})  # fmt: skip
    assert check(world, "write", saved).json()["rows"] == 2, "the sides of a split are one table"


def test_rows_that_are_right_can_be_taken_alone(world: World) -> None:
    content = as_csv(ROW, {**ROW, "code": "  "}, {**ROW, "prompt": "3"})
    refused = bring(world, "tamper", content)
    assert refused.status_code == 422 and refused.json()["wrong"] == 1 and items(world) == []
    made = bring(world, "tamper", content, good_only=True).json()
    assert (made["added"], made["left_out"]) == (2, 1)


HUGE = "x" * 200_000
BAD: dict[str, tuple[str, bytes, int, str, str]] = {  # kind, content, row, field, code
    "no answer": ("tamper", as_csv(ROW, {**ROW, "code": ""}), 3, "code", "empty"),
    "no column": ("tamper", as_csv({"q": "x", "tests": "y"}), 0, "answer", "unmapped"),
    "latin-1": ("tamper", as_csv(ROW) + "caf\u00e9,x,y,z\n".encode("latin-1"), 3, "", "not-utf8"),
    "latin-1 lines": ("tamper", as_lines(ROW) + b'{"prompt": "caf\xe9", "code": "x"}\n', 2, "", "not-utf8"),
    "latin-1 list": ("tamper", b'[{"prompt": "caf\xe9", "code": "x"}]', 1, "", "not-utf8"),
    "deep": ("tamper", as_lines(ROW) + b'{"code": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", 2, "", "too-deep"),
    "deep list": ("tamper", b'[{"code": "x"}, {"code": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", 2, "", "too-deep"),
    "deep cell": ("team", as_lines({**ROW, "critique": "[" * 5_000}), 0, "", ""),
    "huge cell": ("tamper", as_csv(ROW, {**ROW, "code": HUGE}), 3, "", "large"),
    "huge text": ("tamper", as_lines({**ROW, "code": "x = 1\n" * 200_000}), 1, "code", "large"),
    "same id": ("tamper", as_csv({"id": "a", **ROW}, {"id": "a", **ROW, "prompt": "other"}), 3, "id", "same-id"),
    "same column": ("tamper", b"code,code\nx,y\n", 1, "", "same-column"),
    "more cells": ("tamper", as_csv(ROW) + b"a,b,c,d,e\n", 3, "", "cells"),
    "open quote": ("tamper", as_csv(ROW) + b'"a,b,c,d\n', 3, "", "quotes"),
    "cut list": ("tamper", json.dumps([ROW, ROW]).encode()[:-5], 2, "", "not-json"),
    "no object": ("tamper", b'{"code": "x"}\n[1]\n', 2, "", "no-object"),
    "half a character": ("tamper", b'{"code": "\\ud800"}\n', 1, "code", "surrogate"),
    "nul": ("tamper", b'{"code": "x\\u0000"}\n', 1, "code", "nul"),
    "not a text": ("tamper", as_lines({"code": [[1]]}), 1, "code", "no-text"),
    "loose quote": ("team", as_lines({**ROW, "critique": "```python\nnot there\n```\nso"}), 1, "critique", "quote"),
    "past the end": ("team", as_lines({**ROW, "critique": [{"start": 0, "end": 9_999}]}), 1, "critique", "place"),
    "one critique": ("rate", as_lines({**ROW, "critique_a": "x"}), 1, "critiques", "few"),
    "no side": ("judge", as_csv({"answer_a": "x", "answer_b": "y", "passes": "2"}), 2, "passes", "side"),
    "same twice": ("grade", as_csv({"buggy": "x = 1", "fixed": "x = 1"}), 2, "fixed", "same"),
    "lines": ("grade", as_csv({"buggy": "x = 1", "fixed": "x = 2", "bug_lines": "9"}), 2, "bug_lines", "lines"),
    "severity": ("grade", as_csv({"buggy": "x = 1", "fixed": "x = 2", "severity": "awful"}), 2, "severity", "severity"),
    "workbook": ("tamper", as_zip(**{"xl/workbook.xml": b"<a/>"}), 0, "", "workbook"),
    "old workbook": ("tamper", b"\xd0\xcf\x11\xe0" + b"\0" * 600, 0, "", "not-read"),
    "gzip": ("tamper", b"\x1f\x8b\x08" + b"\0" * 40, 0, "", "not-read"),
    "damaged zip": ("tamper", b"PK\x03\x04" + b"\0" * 600, 0, "", "damaged"),
    "damaged parquet": ("tamper", b"PAR1" + b"\0" * 600, 0, "", "damaged"),
    "no data": ("tamper", as_zip(**{"a.txt": b"x"}), 0, "", "no-data"),
    "nothing": ("tamper", b"", 0, "", "no-lines"),
    "archive": ("tamper", as_lines({"type": "project", "format": 1, "name": "x", "design": {}}), 0, "", "archive"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_told_by_row_field_and_remedy(world: World, what: str) -> None:
    kind, content, row, field, code = BAD[what]
    answer = bring(world, kind, content)
    if not code:  # a text that begins like JSON is a text
        assert answer.status_code == 201
        return
    assert answer.status_code == 422, answer.text
    first = answer.json()["errors"][0]
    assert (first["code"], first["row"], first["field"]) == (code, row, field), first
    assert first["said"].endswith(".") and first["remedy"].endswith("."), first
    assert first["detail"].endswith(f"{first['said']} {first['remedy']}")
    assert items(world) == []


def test_a_text_may_hold_line_breaks_commas_and_quotes_in_csv(world: World) -> None:
    code = 'def f():\n    return "a, b"\n\n\nx = 1\n'
    assert bring(world, "write", as_csv({"question": "line\nbreak", "answer": code})).json()["added"] == 1
    assert items(world)[0]["answer"] == code and items(world)[0]["question"] == "line\nbreak"


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_without_pyarrow_parquet_is_refused_by_name(world: World, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = WRITERS[form](ROW)
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    refused = check(world, "tamper", content)
    assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == "needs-parquet"
    assert "momus[parquet]" in refused.json()["detail"]


def test_a_package_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    small = World.open(f"sqlite:///{tmp_path / 'desk.db'}", upload_bytes=100_000)
    bomb = as_zip(**{"a.jsonl": b" " * 10_000_000})
    assert len(bomb) < 100_000
    assert check(small, "tamper", bomb).json()["errors"][0]["code"] == "large"
    liar = bytearray(bomb)  # it says that it has a byte in it
    at = liar.rindex(b"PK\x01\x02")
    liar[at + 24 : at + 28] = (1).to_bytes(4, "little")
    assert check(small, "tamper", bytes(liar)).json()["errors"][0]["code"] == "damaged"
    many = as_zip(**{f"{n}.csv": b"code\nx\n" for n in range(1_001)})
    assert len(many) > 100_000 or check(small, "tamper", many).json()["errors"][0]["code"] == "many-files"
    small.close()


def test_columns_and_fields_that_are_not_there(world: World) -> None:
    for columns, code in (({"answer": "nix"}, "no-column"), ({"nix": "code", "answer": "code"}, "no-field")):
        refused = bring(world, "tamper", as_csv(ROW), columns=columns)
        assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == code
    for text in ("{", "[1]", '{"answer": 1}', "[" * 19_000):
        answer = world.at("manager").post(f"{P}/imports", params={"kind": "tamper", "columns": text}, content=b"")
        assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/columns"


def test_an_archive_becomes_a_project_of_its_own(world: World) -> None:
    world.load("write", [task(1), task(2)])
    archive = world.at("manager").get(f"{P}/exports/archive").content
    assert bring(world, "write", archive).json()["errors"][0]["code"] == "archive"
    at = world.at("admin")
    made = at.post("/api/v1/archives", params={"slug": "again"}, content=archive)
    assert made.status_code == 201 and made.json() == {"slug": "again", "assignments": 2}
    assert at.get("/api/v1/projects/again/exports/archive").content == archive
    assert at.post("/api/v1/archives", params={"slug": "again"}, content=archive).status_code == 409
    lines = archive.splitlines(keepends=True)
    spoilt = (
        b"", b"x", b"[]\n", lines[1], b"".join(lines[1:]), archive.replace(b'"kind": "write"', b'"kind": 7'),
        b"".join((*lines, lines[-1])), archive.replace(b'"overlap": 1', b'"overlap": 0'), b"\xff\xfe" + archive,
        archive.replace(b'"created": "2026', b'"created": "x026'), lines[0] + b'{"type": "hold", "reasons": []}\n',
        lines[0] + b'{"type": "__init__"}\n', lines[0] + b'{"type": "submission", "hold": 3}\n',
        lines[0] + b'{"type": ' + b"[" * 100_000,
    )  # fmt: skip
    for n, content in enumerate(spoilt):
        answer = at.post("/api/v1/archives", params={"slug": f"spoilt-{n}"}, content=content)
        assert answer.status_code == 422, (n, answer.text)
        assert at.get(f"/api/v1/projects/spoilt-{n}").status_code == 404, "nothing of it stays"


@given(st.lists(st.fixed_dictionaries({"a": st.text(SOUND, min_size=1), "b": st.text(SOUND)}), min_size=1, max_size=5))
@settings(deadline=None)
def test_lists_and_lines_are_read_alike(rows: list[dict[str, str]]) -> None:
    for content, form in (
        (json.dumps(rows).encode(), "json"),
        (json.dumps(rows, ensure_ascii=False, indent=1).encode(), "json"),
        (json.dumps(rows).encode("utf-16"), "json"),
        (as_lines(*rows), "jsonl"),
    ):
        file = io.BytesIO(content)
        assert form_of(file) == form
        assert [found.data for found in rows_of(file, form)] == rows  # type: ignore[arg-type]


def test_an_item_longer_than_what_is_read_at_once(world: World) -> None:
    rows = [{"code": "x" * n} for n in (70_000, 1, 300_000)]
    file = io.BytesIO(json.dumps(rows).encode())
    assert [found.data for found in rows_of(file, "json")] == rows


def test_a_critique_is_read_in_each_of_its_forms() -> None:
    said = "The sum begins at one."
    place = Span(ANSWER.index("s = 1"), ANSWER.index("s = 1") + 5)
    quoted = f"```python wrong-initialisation high\ns = 1\n```\n{said}\n"
    listed = [{"highlight": {"start": place.start, "end": place.end}, "text": said, "severity": "high"}]
    for value in (quoted, listed, {"comments": listed}, json.dumps(listed)):
        (comment,) = critique_of(value, ANSWER)
        assert (comment.highlight, comment.text, comment.severity) == (place, said, "high")
    (whole,) = critique_of(said, ANSWER)
    assert whole.highlight.of(ANSWER) == ANSWER.rstrip()
    for silent in ("", None, "No problems found.\n"):
        assert not len(critique_of(silent, ANSWER))
    with pytest.raises(Fault):
        critique_of([{"start": 3, "end": 3, "text": "x"}], ANSWER)


def test_lines_that_a_fix_changes() -> None:
    assert changed_lines("a\nb\nc\n", "a\nB\nc\n") == [2]
    assert changed_lines("a\nc\n", "a\nb\nc\n") == [1], "of what is inserted the line before"
    assert changed_lines("a\nb\n", "b\n") == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_guess_names_columns_once_and_only_those_that_are_there(kind: Any) -> None:
    there = [name for field in FIELDS[kind] for name in field.names]
    found = guess(kind, there)
    used = [column for value in found.values() for column in ([value] if isinstance(value, str) else value)]
    assert len(used) == len(set(used)) and set(used) <= set(there)
    assert {field.name for field in FIELDS[kind] if field.needed} <= set(found)
    assert guess(kind, []) == {}


def test_records_stay_strict(world: World) -> None:
    line = task().model_dump(mode="json") | {"tets": "x"}
    refused = bring(world, "write", as_lines(line))
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "tets"
    assert Task.model_validate(task().model_dump()) == task()


def test_the_command_line_reads_the_same_files(tmp_path: Path) -> None:
    file = tmp_path / "work.csv"
    file.write_bytes(
        as_csv({"aufgabe": "Add.", "loesung": TWIN, "note": ""}, {"aufgabe": "", "loesung": "", "note": "x"})
    )
    base = ["import", "--db", str(tmp_path / "desk.db"), "--project", "first", "--kind", "tamper", str(file)]

    def run(*more: str) -> Any:
        return CliRunner().invoke(command, [*base, *more])

    unmapped = run()
    assert isinstance(unmapped.exception, MomusError) and "No column is chosen" in str(unmapped.exception)
    named = ("--column", "question=aufgabe", "--column", "answer=loesung")
    wrong = run(*named)
    assert isinstance(wrong.exception, MomusError) and "Row 3, loesung" in str(wrong.exception)
    made = run(*named, "--good-only")
    assert made.exit_code == 0, made.exception
    assert "1 added, 0 known already, 1 wrong and left out" in made.output
    assert "columns that went into nothing: note" in made.output
    assert "write it as FIELD=COLUMN" in str(run("--column", "answer").exception)
