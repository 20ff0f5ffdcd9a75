"""The whole audit at a real desk on loopback: there by its API, looked at by simulated people, and back.

The people are simulated: one rule for all of them, and `--simulated` says so in what is reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from good_answers import is_wrong, reviewer, write_good

from desk_browser import Served
from momus.audit.select import read_chosen
from momus.cli import cli
from momus.errors import MomusError
from momus.measure.truth import truth
from momus.records import Choice, Pair, Sampled, read_jsonl, write_jsonl
from served import serving


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served.open(tmp_path_factory.mktemp("desk"))
    yield served
    served.stop()


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, words)], standalone_mode=False)


def export(desk: Served, slug: str, out: Path) -> None:
    words = ["desk", "--db", desk.db, "export", "--project", slug, "--format", "records", "-o", out]
    assert run(*words).exception is None


def key_of(desk: Served, scopes: list[str]) -> str:
    return str(desk.api("manager", "POST", "/tokens", {"name": "audit", "scopes": scopes, "days": 1})["key"])


def second_look(view: dict[str, Any], *, alone: int) -> dict[str, Any]:
    """A simulated person: believes a comment where there is something wrong, and drops it where there is not; alone
    they find one wrong answer in four."""
    answer = view["task"]["answer"]
    given = view.get("prefilled", [])
    if given and is_wrong(answer):
        return {"comments": [{**comment, "origin": i} for i, comment in enumerate(given)]}
    if not given and is_wrong(answer) and alone % 4 == 0:
        place = {"start": 0, "end": 5}
        return {"comments": [{"highlight": place, "text": "This is wrong.", "severity": "high"}]}
    return {"comments": [], "no_problems": True}


def look_again(desk: Served, slug: str) -> int:
    """Simulated people hand in all that there is. Returns how many pieces of work that was."""
    done = 0
    for kind in ("team", "write"):
        waiting = desk.api("ann", "GET", f"/projects/{slug}/queue")["kinds"].get(kind, {"waiting": 0})["waiting"]
        for n in range(waiting):
            seat = desk.api("ann", "POST", f"/projects/{slug}/queue/{kind}/claim")
            assert "secret" not in json.dumps(seat) and "server:" not in json.dumps(seat)
            desk.api("ann", "POST", f"/seats/{seat['id']}/submit", {"form": second_look(seat["view"], alone=n)})
            done += 1
    return done


def test_an_audit_goes_to_the_desk_and_comes_back(
    desk: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = desk.project()
    good = write_good(tmp_path / "good.jsonl", 20, prose_too=True)
    audit = tmp_path / "audit"
    with serving({"secret-model": reviewer}) as server:
        critic = f"server:secret-model@{server.url}"
        done = run("audit", "select", good, "--critic", critic, "--top", 12, "-n", 1, "-o", audit)
    assert done.return_value == 0, done.output
    monkeypatch.setenv("MOMUS_DESK_TOKEN", key_of(desk, ["manage"]))
    sent = run("audit", "send", audit, "--desk", desk.base, "--project", slug)
    assert sent.exception is None and "team: 12 added" in sent.stdout and "write: 12 added" in sent.stdout
    again = run("audit", "send", audit, "--desk", desk.base, "--project", slug)
    assert "team: 0 added, 12 known already" in again.stdout
    nobody = run("audit", "report", audit, "--desk", desk.base, "--project", slug)
    assert isinstance(nobody.exception, MomusError) and "nobody has looked again yet" in str(nobody.exception)
    assert look_again(desk, slug) == 24
    out = tmp_path / "run" / "audit.json"
    told = run("audit", "report", audit, "--desk", desk.base, "--project", slug, "--simulated", "-o", out)
    assert told.exception is None and "simulated people" in told.stdout, told.output
    body = json.loads(out.read_text())
    chosen = read_chosen(audit)
    wrong = [is_wrong(row.task.answer) for row in chosen if row.arm == "critique"]
    share = sum(wrong) / len(wrong)
    critiqued = body["rerated"]["with a critique"]
    assert critiqued["mean"] == pytest.approx(share, abs=1e-6) and critiqued["n"] == len(wrong) == 12
    assert body["rerated"]["control, without critiques"]["mean"] < critiqued["mean"]
    assert body["difference"]["n"] == 12 and body["waiting"] == {"critique": 0, "control": 0}
    assert body["comments"]["dropped %"]["mean"] == pytest.approx(1 - share, abs=1e-6)
    # by files, without the API, it is the same
    records = tmp_path / "records"
    assert (
        run("desk", "--db", desk.db, "export", "--project", slug, "--format", "records", "-o", records).exception
        is None
    )
    by_files = run("audit", "report", audit, "--records", records, "--simulated", "--json")
    assert json.loads(by_files.stdout) == body


def test_a_desk_that_will_not_is_one_sentence(desk: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = desk.project()
    good = write_good(tmp_path / "good.jsonl", 4)
    assert run("audit", "select", good, "--critic", "random", "-o", tmp_path / "audit").return_value == 0
    key = key_of(desk, ["manage"])
    cases = (
        (key, desk.base, "nowhere", "has no project nowhere for this key"),
        (key + "x", desk.base, slug, "does not take this key"),
        (key_of(desk, ["read"]), desk.base, slug, "may not manage"),
        (key, "http://127.0.0.1:9", slug, "no desk answers at http://127.0.0.1:9"),
    )
    for secret, url, project, says in cases:
        monkeypatch.setenv("MOMUS_DESK_TOKEN", secret)
        failed = run("audit", "send", tmp_path / "audit", "--desk", url, "--project", project)
        assert isinstance(failed.exception, MomusError) and says in str(failed.exception), failed.exception
        assert secret not in str(failed.exception)
    monkeypatch.setenv("MOMUS_DESK_TOKEN", key)
    (tmp_path / "audit" / "team.jsonl").write_text('{"task": 1}\n')
    failed = run("audit", "send", tmp_path / "audit", "--desk", desk.base, "--project", slug)
    assert "answered 422: answer: No column is chosen for it" in str(failed.exception)
    assert "can't read" in str(run("audit", "send", tmp_path, "--desk", desk.base, "--project", slug).exception)


def test_people_choose_the_solution_that_passes_and_their_choices_come_back(desk: Served, tmp_path: Path) -> None:
    """Ground truth at the desk: half of the seats with the critiques, by the arm that was drawn."""
    slug = desk.project(assisted=0.5)
    answers = ("def f():\n    return 1\n", "def f():\n    return 2\n")
    silent = (Sampled(task_id="a", critic="bundled"), Sampled(task_id="b", critic="bundled"))
    pairs = [
        Pair(id=f"p{n}", question=f"One, please ({n}).", answers=answers, critiques=silent, passes=0) for n in range(8)
    ]
    write_jsonl(tmp_path / "pairs.jsonl", pairs)
    words = ["desk", "--db", desk.db, "import", "--project", slug, "--kind", "judge", tmp_path / "pairs.jsonl"]
    assert "8 added" in run(*words).stdout
    for _ in pairs:  # simulated people, who are right with the critic and wrong without
        seat = desk.api("bob", "POST", f"/projects/{slug}/queue/judge/claim")
        wanted = answers[0] if seat["view"]["assisted"] else answers[1]
        slot = next(one["slot"] for one in seat["view"]["answers"] if one["answer"] == wanted)
        desk.api("bob", "POST", f"/seats/{seat['id']}/submit", {"form": {"choice": slot}})
    records = tmp_path / "records"
    assert (
        run("desk", "--db", desk.db, "export", "--project", slug, "--format", "records", "-o", records).exception
        is None
    )
    made = list(read_jsonl(records / "choices.jsonl", Choice))
    found = truth(made)
    assert (found.with_critique.mean, found.without.mean) == (1.0, 0.0)
    assert found.with_critique.n + found.without.n == 8 and found.with_critique.n > 0
    assert "with a critique      100.0%" in run("measure", "truth", records / "choices.jsonl").stdout
