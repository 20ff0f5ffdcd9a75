"""Tasks in, work out: the formats, and that each can be read by what it is for."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from desk_world import ANSWER, KEYS, PLACE, SLUG, TWIN, World, comparison, pair, prefilled, scores, tamper, task
from momus.cli import cli
from momus.desk.archive import dump_project, load_project
from momus.desk.record_files import comparisons_of, tables_of
from momus.desk.store.tables import Project, User
from momus.desk.transfer import export_path, import_path
from momus.errors import MomusError
from momus.measure.ballots import Panel
from momus.records import Comparison, Ranking, Rating, Tamper, dump_line, read_jsonl

IMPORTS = f"/api/v1/projects/{SLUG}/imports"


def rate(world: World, name: str = "annotator", **more: Any) -> None:
    seat = world.claim(name, "rate")
    assert seat is not None
    at = world.at(name)
    first = at.post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": scores(seat["view"])}).json()
    world.submit(name, seat["id"], {**scores(seat["view"], bugs=len(first["view"]["bugs"])), **more})


def worked(world: World) -> None:
    """One piece of work of every kind, one taken back and one skipped."""
    world.load("rate", [comparison(0), comparison(1, bugs=False)], overlap=2)
    for name in ("annotator", "second"):
        rate(world, name)
        rate(world, name)
    world.load("tamper", [task(5)])
    seat = world.claim("annotator", "tamper")
    assert seat is not None
    bug = {"spans": [PLACE], "description": "Begins at one.", "category": "wrong-initialisation"}
    world.submit("annotator", seat["id"], {"answer": ANSWER, "bugs": [bug]})
    comment = {"highlight": PLACE, "text": "It begins at one."}
    for kind, items in (("write", [tamper(2), tamper(6)]), ("team", [prefilled(3)])):
        world.load(kind, items)
        seat = world.claim("annotator", kind)
        assert seat is not None
        made = world.submit("annotator", seat["id"], {"comments": [comment]})
        if kind == "write":
            world.at("annotator").post(f"/api/v1/submissions/{made['id']}/undo")
            world.submit("annotator", seat["id"], {"comments": [comment], "notes": "again"})
            other = world.claim("annotator", kind)
            assert other is not None
            world.at("annotator").post(f"/api/v1/seats/{other['id']}/skip", json={"reason": "tired"})
    world.load("compare", [pair(1)])
    world.load("judge", [pair(2, passes=1)])
    for kind, form in (("compare", {"choice": 0, "why": "equal"}), ("judge", {})):
        seat = world.claim("annotator", kind)
        assert seat is not None
        slot = next(a["slot"] for a in seat["view"]["answers"] if a["answer"] == TWIN)
        world.submit("annotator", seat["id"], form or {"choice": slot})
    world.load("grade", [tamper(4)])
    seat = world.claim("annotator", "grade")
    assert seat is not None
    world.submit("annotator", seat["id"], {"bugs": [{"severity": 6, "difficulty": 2}]})


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        ("rate", b"{", "not JSON"),
        ("rate", b'["a"]', "not a JSON object"),
        ("rate", dump_line(task()).encode(), "task"),
        ("judge", dump_line(pair()).encode(), "passes"),
        ("canary", dump_line(Tamper(task=task(), twin=TWIN, bugs=tamper().bugs)).encode(), "tests"),
        ("write", b'{"item": {"id": "x"}, "overlap": 0}', "overlap"),
        ("write", b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_line_that_is_wrong_is_named_and_nothing_is_added(world: World, kind: str, line: bytes, said: str) -> None:
    good = {"rate": comparison(), "judge": pair(passes=0), "canary": tamper(), "write": task()}[kind]
    body = dump_line(good).encode() + line + b"\n"
    answer = world.at("manager").post(IMPORTS, params={"kind": kind}, content=body)
    assert answer.status_code == 422 and answer.json()["errors"][0]["row"] == 2
    assert said in answer.json()["errors"][0]["detail"]
    assert world.at("manager").get(f"/api/v1/projects/{SLUG}/assignments").json()["assignments"] == []


def test_the_same_again_adds_nothing_and_a_line_may_say_more(world: World) -> None:
    row = {"item": json.loads(dump_line(task(1))), "overlap": 3, "priority": 7}
    for added in (2, 0):
        made = world.load("write", [task(0), row])
        assert (made["lines"], made["added"], made["known"], made["changed"]) == (2, added, 2 - added, 0)
    rows = world.at("manager").get(f"/api/v1/projects/{SLUG}/assignments").json()["assignments"]
    assert [(r["overlap"], r["priority"]) for r in rows] == [(1, 0), (3, 7)]


def test_an_upload_of_fifty_megabytes_is_taken_and_one_byte_more_is_not(tmp_path: Path) -> None:
    world = World.open(f"sqlite:///{tmp_path / 'small.db'}", upload_bytes=200_000, body_bytes=50_000)
    line = dump_line(task(0, "x = 1\n" * 20_000)).encode()
    body = line + b"\n" * (200_000 - len(line))
    at = world.at("manager")
    assert at.post(IMPORTS, params={"kind": "write"}, content=body).status_code == 201
    refused = at.post(IMPORTS, params={"kind": "write"}, content=body + b"\n")
    assert (refused.status_code, refused.json()["type"]) == (413, "/problems/too-large")
    parts = iter([body, b"\n"])  # without a length that would give it away
    assert at.post(IMPORTS, params={"kind": "write"}, content=parts).status_code == 413
    large = {"slug": "x", "name": "y" * 60_000}
    assert world.at("admin").post("/api/v1/projects", json=large).status_code == 413
    world.close()


def test_what_the_archive_holds_comes_back_whole(world: World, tmp_path: Path) -> None:
    worked(world)
    again = world.at("manager").post(f"/api/v1/projects/{SLUG}/rechecks", json={"kind": "grade", "share": 1})
    assert again.json() == {"made": 1}
    seat = world.claim("reviewer", "recheck")
    assert seat is not None
    world.submit("reviewer", seat["id"], {"verdict": "rejected", "reason": "no bug"})
    with world.store.read() as session:
        lines = list(dump_project(session, world.project))
        here = {name: [dump_line(r) for r in rows] for name, rows in tables_of(session, world.project).items()}
    text = "".join(lines)
    assert "example.org" not in text and world.project.secret not in text
    other = World.open(f"sqlite:///{tmp_path / 'other.db'}")
    with other.store.write() as session:
        back = load_project(session, "back", lines, world.clock())
    with other.store.read() as session:
        there = {name: [dump_line(r) for r in rows] for name, rows in tables_of(session, back).items()}
        dumped = list(dump_project(session, back))
        strangers = [u for u in session.query(User) if u.email.endswith(".invalid")]
    assert here == there
    assert dumped == lines, "what is exported, imported and exported again is the same, byte by byte"
    assert strangers and not any(user.active or user.password for user in strangers)
    other.close()


def test_a_damaged_archive_makes_nothing(world: World) -> None:
    with world.store.read() as session:
        lines = list(dump_project(session, world.project))
    for spoilt in (
        [*lines, "{"],
        lines[1:],
        [],
        [*lines, '{"type": "surprise"}\n'],
        [lines[0].replace('"format": 1', '"format": 9')],
    ):
        with pytest.raises(MomusError), world.store.write() as session:
            load_project(session, "back", spoilt, world.clock())
    with world.store.read() as session:
        assert [p.slug for p in session.query(Project)] == [SLUG]


def test_record_files_hold_both_passes_and_only_pseudonyms(world: World, tmp_path: Path) -> None:
    worked(world)
    told = list(export_path(world.store, SLUG, "records", tmp_path))
    assert "2 comparisons" in told
    comparisons = list(read_jsonl(tmp_path / "comparisons.jsonl", Comparison))
    ratings = list(read_jsonl(tmp_path / "ratings.jsonl", Rating))
    rankings = list(read_jsonl(tmp_path / "rankings.jsonl", Ranking))
    assert {c.id for c in comparisons} == {"secret-comparison-0", "secret-comparison-1"}
    assert {c.critic for c in comparisons[0].critiques} == {c.critic for c in comparison().critiques}
    assert len(rankings) == 4 and {r.rater for r in rankings} == {r.rater for r in ratings}
    assert all(r.rater.startswith("rater-") and not r.simulated for r in ratings)
    cbi = [r for r in ratings if r.attribute == "cbi"]
    assert len(cbi) == 8 and {r.bug for r in cbi} == {0}
    panel = Panel(comparisons, ratings, rankings)
    assert len(panel.preferences()) == 4
    for name in ("annotator", "second"):  # the ranking is of the record's order again, whatever was seen
        with world.store.read() as session:
            found = comparisons_of(session, world.project)
        (mine,) = (r for r in found[2] if r.rater == world.users[name].pseudonym and r.comparison_id.endswith("0"))
        scored = {
            r.critique: r.score
            for r in found[1]
            if r.rater == mine.rater and r.attribute == "overall" and r.comparison_id == mine.comparison_id
        }
        assert [scored[i] for tier in mine.order for i in tier] == [7, 6, 5, 4]
    first = list(read_jsonl(tmp_path / "first" / "ratings.jsonl", Rating))
    assert first and not [r for r in first if r.attribute == "cbi"]
    (made,) = read_jsonl(tmp_path / "tampers.jsonl", Tamper)
    assert made.twin == TWIN and made.bugs[0].suggestion == "s = 0" and made.author.startswith("rater-")
    everything = "".join(p.read_text() for p in tmp_path.rglob("*.jsonl"))
    assert "example.org" not in everything
    (edits,) = (json.loads(line) for line in (tmp_path / "edits.jsonl").read_text().splitlines())
    assert (edits["did"], edits["added"]) == (["dropped", "dropped"], 1)
    (choice,) = (json.loads(line) for line in (tmp_path / "choices.jsonl").read_text().splitlines())
    assert choice["chosen"] == choice["passes"] == 1


def test_preferences_are_conversations_without_ties(world: World, tmp_path: Path) -> None:
    world.load("rate", [comparison()])
    seat = world.claim("annotator", "rate")
    assert seat is not None
    slots = [c["slot"] for c in seat["view"]["critiques"]]
    form = scores(seat["view"])
    world.at("annotator").post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": form})
    order = [[slots[0], slots[1]], [slots[2]], [slots[3]]]
    world.submit("annotator", seat["id"], {**scores(seat["view"], bugs=1), "order": order})
    told = list(export_path(world.store, SLUG, "preferences", tmp_path))
    assert told == ["5 preferences", "2 unpaired", "1 ties, left out"] or told[0] == "5 preferences"
    rows = [json.loads(line) for line in (tmp_path / "preferences.jsonl").read_text().splitlines()]
    for row in rows:
        assert [m["role"] for m in (*row["prompt"], *row["chosen"], *row["rejected"])] == [
            "user",
            "assistant",
            "assistant",
        ]
        assert row["group_id"] == "secret-comparison-0" and row["chosen"] != row["rejected"]
    assert "1 ties, left out" in told


def test_a_data_set_s_folder_is_imported_again(world: World, tmp_path: Path) -> None:
    worked(world)
    list(export_path(world.store, SLUG, "hf", tmp_path / "hf"))
    card = (tmp_path / "hf" / "README.md").read_text()
    assert card.startswith("---\n") and "path: data/comparisons/train.jsonl" in card
    list(export_path(world.store, SLUG, "parquet", tmp_path / "pq"))
    for folder in (tmp_path / "hf" / "data" / "tampers", tmp_path / "pq"):
        if folder.name == "pq":
            for other in folder.glob("*.parquet"):
                if other.name != "tampers.parquet":
                    other.unlink()
        rows = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
        assert all(row.pop("split") == "train" for row in rows)
        added = import_path(world.store, f"from-{folder.name}", "grade", folder)
        assert added.added == 1


def test_the_data_set_is_opened_by_the_library_that_it_is_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    import datasets

    worked(world)
    folder, cache = tmp_path / "hf", str(tmp_path / "cache")
    told = dict(line.rsplit(" ", 1)[::-1] for line in export_path(world.store, SLUG, "hf", folder))
    names = datasets.get_dataset_config_names(str(folder))
    assert set(names) == set(told) and {"comparisons", "ratings", "rankings", "tampers", "preferences"} <= set(names)
    for name in names:
        parts = datasets.load_dataset(str(folder), name, cache_dir=cache)
        assert sum(len(part) for part in parts.values()) == int(told[name].replace(",", ""))
        for split, part in parts.items():
            lines = (folder / "data" / name / f"{split}.jsonl").read_text().splitlines()
            for row, line in zip(part, lines, strict=True):
                assert as_read(row) == as_read(json.loads(line)), name
    list(export_path(world.store, SLUG, "parquet", tmp_path / "pq"))
    table = datasets.load_dataset("parquet", data_files=str(tmp_path / "pq" / "ratings.parquet"), cache_dir=cache)
    assert len(table["train"]) == int(told["ratings"])


def as_read(value: Any) -> Any:
    """As a table has it: no difference between null and not there, and the last digit of a number its reader's own."""
    if isinstance(value, dict):
        return {key: as_read(v) for key, v in value.items() if v is not None}
    if isinstance(value, list):
        return [as_read(v) for v in value]
    return round(value, 9) if isinstance(value, float) else value


def test_exports_come_over_the_api_as_one_file(world: World) -> None:
    worked(world)
    at = world.at("manager")
    zipped = zipfile.ZipFile(io.BytesIO(at.get(f"/api/v1/projects/{SLUG}/exports/records").content))
    assert {"comparisons.jsonl", "ratings.jsonl", "rankings.jsonl"} <= set(zipped.namelist())
    archive = at.get(f"/api/v1/projects/{SLUG}/exports/archive")
    assert json.loads(archive.text.splitlines()[0])["type"] == "project"
    assert "first.jsonl" in archive.headers["content-disposition"]


def test_the_command_line_imports_and_exports(tmp_path: Path) -> None:
    tasks = tmp_path / "comparisons.jsonl"
    tasks.write_text(dump_line(comparison()), encoding="utf-8")
    db = str(tmp_path / "desk.db")
    run = CliRunner().invoke(cli, ["desk", "--db", db, "import", "--project", "one", "--kind", "rate", str(tasks)])
    assert run.exit_code == 0 and "1 added" in run.output, run.output
    out = tmp_path / "archive.jsonl"
    run = CliRunner().invoke(
        cli, ["desk", "export", "--db", db, "--project", "one", "--format", "archive", "-o", str(out)]
    )
    assert run.exit_code == 0, run.output
    run = CliRunner().invoke(cli, ["desk", "import", "--db", db, "--project", "two", str(out)])
    assert run.exit_code == 0 and "1 added" in run.output, run.output
    run = CliRunner().invoke(cli, ["desk", "admin-token", "--db", db])
    assert run.exit_code == 0 and len(run.output.strip()) > 40
    lost = CliRunner().invoke(
        cli, ["desk", "export", "--db", db, "--project", "three", "--format", "hf", "-o", str(out)]
    )
    assert isinstance(lost.exception, MomusError)
    public = CliRunner().invoke(cli, ["desk", "--db", db, "--host", "0.0.0.0"])
    assert isinstance(public.exception, MomusError) and "--insecure-public" in str(public.exception)


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = CliRunner().invoke(cli, ["desk", "--db", str(tmp_path / "desk.db"), "--port", str(port)])
    assert isinstance(run.exception, MomusError) and f"127.0.0.1:{port}" in str(run.exception)


def test_what_people_rated_trains_a_reward_model_with_one_command(
    world: World, tmp_path: Path, tiny_corpus: Path
) -> None:
    from tiny_policy import save_tiny_qwen

    world.load("rate", [comparison(n) for n in range(6)])
    for _ in range(6):
        rate(world)
    list(export_path(world.store, SLUG, "records", tmp_path / "desk"))
    policy = save_tiny_qwen(tmp_path / "sft", tiny_corpus / "tokenizer" / "tokenizer.json")
    command = [
        "train",
        "reward",
        "--from",
        str(policy),
        "--comparisons",
        str(tmp_path / "desk"),
        "--out",
        str(tmp_path / "rm"),
    ]
    run = CliRunner().invoke(cli, command)
    assert run.exit_code == 0, run.output
    about = json.loads((tmp_path / "rm" / "reward.json").read_text())
    assert about["raters"] == [{"name": world.users["annotator"].pseudonym, "simulated": False}]
    assert (tmp_path / "rm" / "model.safetensors").exists()


def test_checking_again_settles_what_is_exported(world: World) -> None:
    world.load("grade", [tamper(0)], overlap=2)
    for name, severity in (("annotator", 1), ("second", 7)):
        seat = world.claim(name, "grade")
        assert seat is not None
        world.submit(name, seat["id"], {"bugs": [{"severity": severity, "difficulty": 4}]})
    rows = world.at("manager").get(f"/api/v1/projects/{SLUG}/assignments").json()["assignments"]
    made = world.at("manager").post(f"/api/v1/projects/{SLUG}/rechecks", json={"assignment": rows[0]["id"]})
    assert made.json() == {"made": 1}

    def graded() -> list[tuple[str, int]]:
        with world.store.read() as session:
            rows = tables_of(session, world.project)["grades"]
        return [(row.rater, row.severity) for row in rows]  # type: ignore[attr-defined]

    assert [severity for _, severity in graded()] == [1, 7]
    assert world.claim("annotator", "write") is None
    assert world.at("annotator").post(f"/api/v1/projects/{SLUG}/queue/recheck/claim").status_code == 403
    seat = world.claim("reviewer", "recheck")
    assert seat is not None and len(seat["view"]["work"]) == 2
    slot = next(w["slot"] for w in seat["view"]["work"] if w["form"]["bugs"][0]["severity"] == 7)
    done = world.submit("reviewer", seat["id"], {"verdict": "confirmed", "choice": slot})
    assert graded() == [(world.users["second"].pseudonym, 7)]
    better = {"bugs": [{"severity": 5, "difficulty": 4}]}
    form = {"verdict": "corrected", "form": better, "reason": "between"}
    again = world.at("reviewer").post(
        f"/api/v1/submissions/{done['id']}/amend", json={"form": form}, headers={"Idempotency-Key": next(KEYS)}
    )
    assert again.status_code == 201, again.text
    assert graded() == [(world.users["reviewer"].pseudonym, 5)]


@pytest.mark.parametrize("passed", ["first", "second"])
def test_which_pass_trains_is_chosen_and_said(world: World, passed: str) -> None:
    world.load("rate", [comparison()])
    seat = world.claim("annotator", "rate")
    assert seat is not None
    world.at("annotator").post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": scores(seat["view"])})
    world.submit("annotator", seat["id"], scores(seat["view"], bugs=1))
    other = {"first": "second", "second": "first"}[passed]
    for form in ("records", "hf"):
        answer = world.at("manager").get(f"/api/v1/projects/{SLUG}/exports/{form}", params={"pass": passed})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
            if form == "hf":
                assert f"are of the {passed} pass" in zipped.read("README.md").decode()
                continue
            top, beside = (zipped.read(f"{at}ratings.jsonl").decode() for at in ("", f"{other}/"))
    assert ('"cbi"' in top, '"cbi"' in beside) == (passed == "second", passed == "first"), "CBI is of the second alone"
