"""What comes in can be stored, shown and exported: texts are characters, positions lie in their code, names of files
are nobody's to choose."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_world import KEYS, PLACE, SLUG, World, comparison, pair, prefilled, scores, tamper, task
from momus.desk.problems import Problem
from momus.desk.store.tables import Assignment, TaskRow
from momus.desk.texts import DEEPEST, NotJson, read_json, suspect
from momus.desk.transfer import import_path
from momus.errors import MomusError

HALF = "half \ud800 a pair"
P = f"/api/v1/projects/{SLUG}"


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def bring(world: World, kind: str, *lines: str) -> Any:
    return world.at("manager").post(f"{P}/imports", params={"kind": kind}, content="\n".join(lines).encode())


@pytest.mark.parametrize("levels", [DEEPEST + 1, 100_000])
def test_what_no_database_can_hold_is_refused_at_import(world: World, levels: int) -> None:
    line = json.dumps({"id": "a", "question": "q", "answer": HALF})
    refused = bring(world, "write", line)
    assert refused.status_code == 422 and "surrogate" in refused.json()["errors"][0]["detail"]
    nested = bring(world, "write", deep(levels))
    assert nested.status_code == 422 and "nested" in nested.json()["detail"]
    assert world.claim("annotator", "write") is None


@pytest.mark.parametrize(
    ("kind", "item", "place"),
    [
        ("grade", tamper(), ("bugs", 0, "spans", 0, "end")),
        ("canary", tamper(), ("bugs", 0, "spans", 0, "end")),
        ("rate", comparison(), ("bugs", 0, "spans", 0, "end")),
        ("rate", comparison(), ("critiques", 0, "critique", "comments", 0, "highlight", "end")),
        ("team", prefilled(), ("critique", "critique", "comments", 0, "highlight", "end")),
        ("compare", pair(), ("critiques", 0, "critique", "comments", 0, "highlight", "end")),
    ],
)
def test_a_span_past_the_end_of_its_code_is_a_sentence(world: World, kind: str, item: Any, place: Any) -> None:
    line: Any = item.model_dump(mode="json")
    at = line
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = 99_999
    refused = bring(world, kind, json.dumps(line))
    assert refused.status_code == 422 and "past" in refused.json()["detail"]


def test_half_a_character_in_a_form_or_a_draft_is_refused_and_the_queue_goes_on(world: World) -> None:
    world.load("write", [task(1), task(2)])
    seat = world.claim("annotator", "write")
    assert seat is not None
    at = world.at("annotator")
    form = {"comments": [], "no_problems": True, "notes": HALF}
    for method, path, body, headers in (
        ("POST", "submit", {"form": form}, {"Idempotency-Key": next(KEYS)}),
        ("PUT", "draft", {"data": form}, {"If-Match": "0"}),
        ("PUT", "draft", {"data": {HALF: 1}}, {"If-Match": "0"}),
        ("POST", "skip", {"reason": HALF}, {}),
    ):
        sent = at.request(
            method,
            f"/api/v1/seats/{seat['id']}/{path}",
            content=json.dumps(body),
            headers={"Content-Type": "application/json", **headers},
        )
        assert sent.status_code == 422 and sent.json()["errors"][0]["code"] == "surrogate", sent.text
    nested = at.put(
        f"/api/v1/seats/{seat['id']}/draft",
        content=f'{{"data": {deep(500)}}}',
        headers={"If-Match": "0", "Content-Type": "application/json"},
    )
    assert nested.status_code == 422 and nested.json()["errors"][0]["code"] == "too-deep"
    world.submit("annotator", seat["id"], {**form, "notes": "whole \U0001f600"})
    assert world.claim("annotator", "write") is not None


def test_texts_stored_before_they_were_checked_still_go_out(world: World) -> None:
    world.load("write", [task()])
    with world.store.write() as session:
        for row in (session.query(Assignment).one(), session.query(TaskRow).one()):
            name = "payload" if isinstance(row, Assignment) else "data"
            setattr(row, name, {**getattr(row, name), "question": HALF})
    seat = world.claim("annotator", "write")
    assert seat is not None and seat["view"]["task"]["question"] == HALF.replace("\ud800", "\ufffd")
    made = world.submit("annotator", seat["id"], {"comments": [{"highlight": PLACE, "text": "x"}]})
    assert world.at("annotator").get(f"/api/v1/submissions/{made['id']}").status_code == 200
    assert world.at("manager").get(f"{P}/exports/records").status_code == 200


def test_a_piece_of_work_that_can_t_be_shown_is_skipped_like_any_other(world: World) -> None:
    world.load("rate", [comparison(1), comparison(2)])
    with world.store.write() as session:
        first = session.query(Assignment).order_by(Assignment.id).first()
        assert first is not None
        first.payload = {**first.payload, "bugs": [{"category": "gone"}]}
    at = world.at("annotator")
    claimed = at.post(f"{P}/queue/rate/claim")
    assert (claimed.status_code, claimed.json()["type"]) == (409, "/problems/unreadable")
    seat = claimed.json()["seat"]
    assert at.get(f"/api/v1/seats/{seat}").json()["seat"] == seat
    assert at.post(f"/api/v1/seats/{seat}/skip", json={"reason": "It can't be shown."}).status_code == 204
    other = world.claim("annotator", "rate")
    assert other is not None and "variant 2" in other["view"]["task"]["question"]


@pytest.mark.parametrize("split", ["../../../pwned", "/tmp/pwned", "a/b", "..", "train", "dev", "mine"])
def test_no_record_names_a_file_of_an_export(world: World, tmp_path: Path, split: str) -> None:
    world.load("rate", [comparison().model_copy(update={"task": task(0, comparison().task.answer, split=split)})])
    seat = world.claim("annotator", "rate")
    assert seat is not None
    form = scores(seat["view"])
    world.at("annotator").post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": form})
    world.submit("annotator", seat["id"], scores(seat["view"], bugs=1))
    for kind in ("records", "preferences", "hf", "parquet"):
        answer = world.at("manager").get(f"{P}/exports/{kind}")
        assert answer.status_code == 200
        with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
            names = zipped.namelist()
        assert not [n for n in names if "pwned" in n or n.startswith("/") or ".." in n]
        if kind == "hf":
            of = {"train": "train", "dev": "validation"}.get(split, "other")
            assert {Path(n).stem for n in names if n.startswith("data/comparisons/")} == {of}
    assert not Path("/tmp/pwned.jsonl").exists()
    with pytest.raises(MomusError, match="short name"):
        import_path(world.store, f"../{split}", "write", _file(tmp_path))


def _file(folder: Path) -> Path:
    path = folder / "tasks.jsonl"
    path.write_text(task().model_dump_json() + "\n")
    return path


@given(
    st.recursive(
        st.none() | st.text(st.characters(codec="utf-8")),
        lambda x: st.lists(x) | st.dictionaries(st.text(st.characters(codec="utf-8")), x),
    )
)
def test_what_is_sound_is_read_as_it_is(data: Any) -> None:
    raw = json.dumps(data).encode()
    assert read_json(raw) == data
    assert read_json(json.dumps(data, ensure_ascii=False).encode()) == data


@given(st.characters(categories=["Cs"]), st.integers(0, 20))
def test_half_a_character_is_found_wherever_it_stands(half: str, levels: int) -> None:
    data: Any = half
    for level in range(levels):
        data = [data] if level % 2 else {"a": data}
    raw = json.dumps(data).encode()
    assert suspect(raw)
    with pytest.raises(Problem):
        read_json(raw)
    with pytest.raises(Problem):
        read_json(json.dumps({half: 1}).encode())


def test_bytes_that_are_no_json() -> None:
    for raw in (b"{", b"\xff\xfe", b""):
        with pytest.raises(NotJson):
            read_json(raw)
