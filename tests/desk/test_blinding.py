"""What a person who rates receives: every byte of it is searched for what would give away who made what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_world import SLUG, World, comparison, pair, prefilled, scores, tamper, task, without_ids
from momus.desk.blinding import HIDDEN, eye_of, names_in, scrub

# Ids, authors, models, sources and scores are planted in the records with these words.
SECRETS = ("secret", "gold", "bundled", "server:", "gpt", "example.org", "rater-", "0.61803", "0.27182", "0.57721")


def everything(world: World, name: str, kind: str) -> tuple[str, dict[str, Any]]:
    """All bytes that come over while somebody does one piece of work: bodies and headers."""
    seen: list[str] = []
    at = world.at(name)
    at.event_hooks["response"].append(lambda r: (r.read(), seen.append(f"{r.headers.raw!r}{r.text}"))[0])
    at.get(f"/api/v1/projects/{SLUG}")
    at.get(f"/api/v1/projects/{SLUG}/queue")
    at.get(f"/api/v1/projects/{SLUG}/guidelines")
    seat = at.post(f"/api/v1/projects/{SLUG}/queue/{kind}/claim").json()
    at.get(f"/api/v1/seats/{seat['id']}")
    at.get(f"/api/v1/seats/{seat['id']}/draft")
    at.put(f"/api/v1/seats/{seat['id']}/heartbeat", json={})
    if kind == "rate":
        at.post(f"/api/v1/seats/{seat['id']}/submit", json={"form": {}}, headers={"Idempotency-Key": "too-early"})
    watched = ("stats/ratings", "events") if name == "annotator" else ()
    for foreign in (*watched, "critiques", "tasks", "assignments", "exports/records", "members"):
        assert at.get(f"/api/v1/projects/{SLUG}/{foreign}").status_code == 403
    return without_ids("".join(seen), seat["id"]), seat


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("rate", comparison()),
        ("write", tamper()),
        ("team", prefilled()),
        ("grade", tamper()),
        ("compare", pair()),
        ("judge", pair(passes=1)),
        ("tamper", task()),
    ],
)
def test_no_byte_tells_who_made_it(world: World, kind: str, item: Any) -> None:
    world.design(assisted=1.0)
    world.load(kind, [item], overlap=3)
    text, seat = everything(world, "annotator", kind)
    assert not [word for word in SECRETS if word in text.lower()]
    assert "passes" not in text and "assert total" not in text, "no right answer and no hidden test"
    stamps = set(re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", text))
    assert stamps <= {seat["lease_until"], seat["deadline"]}


def test_before_the_first_pass_there_is_no_trace_of_the_bug_and_after_it_none_of_its_author(world: World) -> None:
    world.load("rate", [comparison(0), comparison(1, bugs=False)])
    shapes = []
    for _ in range(2):
        seat = world.claim("annotator", "rate")
        assert seat is not None
        shapes.append({key: type(value) for key, value in seat["view"].items()})
        assert "not at nought" not in str(seat), "the reference bug's own words"
        answer = world.at("annotator").post(
            f"/api/v1/seats/{seat['id']}/first-pass", json={"form": scores(seat["view"])}
        )
        bugs = answer.json()["view"]["bugs"]
        assert not [word for word in SECRETS if word in without_ids(answer.text, seat["id"]).lower()]
        made = world.submit("annotator", seat["id"], scores(seat["view"], bugs=len(bugs)))
        assert not [word for word in SECRETS if word in without_ids(str(made), seat["id"]).lower()]
    assert shapes[0] == shapes[1], "an answer without a bug looks the same until then"


def test_all_critiques_look_alike_and_lie_in_an_order_of_each_person_s_own(world: World) -> None:
    world.load("rate", [comparison(n) for n in range(6)], overlap=2)
    orders: dict[str, list[list[str]]] = {"annotator": [], "second": []}
    slots: dict[str, set[str]] = {"annotator": set(), "second": set()}
    for name in orders:
        for _ in range(6):
            seat = world.claim(name, "rate")
            assert seat is not None
            critiques = seat["view"]["critiques"]
            assert {frozenset(c) for c in critiques} == {frozenset({"slot", "comments", "failed"})}
            assert len({frozenset(comment) for c in critiques for comment in c["comments"]}) == 1
            orders[name].append([c["comments"][0]["text"] if c["comments"] else "" for c in critiques])
            slots[name] |= {c["slot"] for c in critiques}
            world.at(name).post(f"/api/v1/seats/{seat['id']}/skip", json={"reason": "next"})
    assert orders["annotator"] != orders["second"] and len({tuple(o) for o in orders["annotator"]}) > 1
    assert slots["annotator"].isdisjoint(slots["second"]) and len(slots["annotator"]) == 24


def test_a_canary_looks_like_all_other_work(world: World) -> None:
    world.design(canary_every=1)
    world.load("canary", [tamper(0)])
    canary = world.claim("annotator", "write")
    world.design(canary_every=0)
    world.load("write", [task(1, "def f():\n    return 1\n")])
    other = world.claim("second", "write")
    assert canary is not None and other is not None
    assert canary.keys() == other.keys() and canary["view"].keys() == other["view"].keys()
    assert "canary" not in str(canary)
    assert not [word for word in SECRETS if word in without_ids(str(canary), canary["id"]).lower()]


def test_those_who_check_again_do_not_see_whose_work_it_is(world: World) -> None:
    world.load("rate", [comparison()])
    seat = world.claim("annotator", "rate")
    assert seat is not None
    world.at("annotator").post(f"/api/v1/seats/{seat['id']}/first-pass", json={"form": scores(seat["view"])})
    world.submit("annotator", seat["id"], scores(seat["view"], bugs=1))
    world.at("manager").post(f"/api/v1/projects/{SLUG}/rechecks", json={"kind": "rate", "share": 1})
    text, again = everything(world, "reviewer", "recheck")
    assert again["view"]["work"][0]["form"]["rationale"] == "because"
    assert not [word for word in (*SECRETS, seat["id"], "annotator@") if word in text.lower()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("As GPT-4o, I see no bug.", f"As {HIDDEN}, I see no bug."),
        ("I am Claude-3-opus by Anthropic", f"I am {HIDDEN} by {HIDDEN}"),
        ("ChatGPT says: llama3.1 is wrong.", f"{HIDDEN} says: {HIDDEN} is wrong."),
        ("Call `gpt(4)` once.", "Call `gpt(4)` once."),
        ("the empty list, a random gold coin", "the empty list, a random gold coin"),
        ("my-model_7 wrote this", f"{HIDDEN} wrote this"),
        ("egpt and gptool stay", "egpt and gptool stay"),
    ],
)
def test_names_are_taken_out_of_texts(text: str, expected: str) -> None:
    assert scrub(text, ("my-model_7",)) == expected


@given(st.text(alphabet="gpt-4.o1` claude\n", max_size=200))
def test_no_name_outside_of_code_survives(text: str) -> None:
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", scrub(text), flags=re.DOTALL)
    assert not re.search(r"(?<![\w-])(gpt|claude)(?![\w-])", outside)


def test_names_are_those_of_models_and_tools_not_plain_words() -> None:
    assert names_in(["server:org/my-model@http://x", "linter:ruff", "empty", "human+bundled", "v2"]) == {
        "org/my-model",
        "my-model",
        "ruff",
        "v2",
    }


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 6))
def test_an_eye_is_the_same_for_the_same_person_and_each_slot_leads_back(a: int, u: int, parts: int) -> None:
    eye = eye_of("key", a, u, parts)
    assert eye == eye_of("key", a, u, parts)
    assert sorted(eye.order) == list(range(parts)) and [eye.index(slot) for slot in eye.slots] == list(range(parts))
    assert parts == 0 or set(eye.slots).isdisjoint(eye_of("other key", a, u, parts).slots)
