"""What a person who rates receives: every byte of it is searched for what would give away who made what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_world import (
    ANSWER,
    SLUG,
    TWIN,
    World,
    bug,
    comparison,
    pair,
    prefilled,
    sampled,
    scores,
    tamper,
    task,
    without_ids,
)
from momus.critique import Critique
from momus.desk.blinding import eye_of
from momus.desk.names import HIDDEN, cover, names_in, scrub

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
    world.load("write", [task(1, "def f():\n    return 1\n")])
    canary = world.claim("annotator", "write")
    world.design(canary_every=0)
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
    assert not re.search(r"(?<![\w.-])(gpt|claude)(?![\w-]|\.[a-z])", outside), "`gpt.a` is code"


WRITERS = (
    "I'm Claude", "I\u2019m Claude Opus 4.5", "As GPT-5.1-Codex-Max, I", "Gemini 2.5 Pro here", "I asked Grok to",
    "Grok 4", "I am DeepSeek-R1", "Qwen3-Coder", "Kimi K2", "GLM-4.6", "o4-mini", "gpt-oss-20b", "Llama 4 Maverick",
    "Phi-4", "Cl\u200baude", "G\u200dP\u00adT-4", "\u0421laude", "\uff27\uff30\uff34-5", "As `GPT-4` I", "Sonnet 4.5",
    "Devstral",
)  # fmt: skip
WORDS = (
    "hard to grok", "Use openai.ChatCompletion.create here", "from openai import OpenAI", "import openai",
    "the llama spat", "the mistral blows", "gemini is a zodiac sign", "seed 42 and step 3", "the codex of 1500",
    "a sonnet, a haiku", "phi 2 and command 3", "x = claude.messages.create()", "the falcon flies",
)  # fmt: skip


@pytest.mark.parametrize("text", WRITERS)
def test_no_model_of_these_years_names_itself(text: str) -> None:
    assert HIDDEN in scrub(text) and not re.search("gpt|claude|grok|qwen|kimi|llama|phi", scrub(text), re.IGNORECASE)
    comment = f"x = 1  # Written by {text.split()[-1]}"
    assert len(cover(comment, code=True)) == len(comment), "places in code stay where they are"


@pytest.mark.parametrize("text", WORDS)
def test_ordinary_words_and_code_stay(text: str) -> None:
    assert scrub(text) == text
    assert cover(text, code=True) == text


@pytest.mark.parametrize(
    "text", ["gpt" + "-4" * 5000 + "(", "gpt-" * 8000, "generated" + " " * 20_000, "as an ai " * 5000]
)
def test_no_text_takes_long(text: str) -> None:
    scrub(text)  # a pattern that tried each way to read this would not end within the test's time
    cover(text, code=True)


@pytest.mark.parametrize("kind", ["compare", "judge"])
def test_answers_do_not_say_who_wrote_them(world: World, kind: str) -> None:
    world.design(assisted=1.0)
    said = (f'"""Written by GPT-5, that is Cl\u200baude."""\n{ANSWER}', f"# I'm Claude.\n{TWIN}")
    prose = ("I'm ChatGPT. Call `openai.ChatCompletion`:\n```python\npass\n```", "As Gemini 2.5 Pro, I would not.")
    critiques = tuple(
        s.model_copy(update={"critique": s.critique})
        for s in (sampled("m-1", "GPT-5 sees it", start=60), sampled("m-2", "x"))
    )
    for n, answers in enumerate((said, prose)):
        told = pair(n, passes=1).model_copy(update={"answers": answers, "critiques": critiques if n == 0 else None})
        language = "python" if n == 0 else "markdown"
        world.load(kind, [told.model_copy(update={"language": language})])
        seat = world.claim("annotator", kind)
        assert seat is not None
        assert not re.search("gpt|claude|cl\u200baude|gemini", str(seat["view"]), re.IGNORECASE)
        shown = {answer["answer"] for answer in seat["view"]["answers"]}
        assert {len(one) for one in shown} == {len(one) for one in answers}, "highlights stay where they are"
        if n == 0:
            assert ANSWER in "".join(shown) and TWIN in "".join(shown)
        else:
            assert "openai.ChatCompletion" in "".join(shown)
        world.at("annotator").post(f"/api/v1/seats/{seat['id']}/decline", json={"reason": "next"})


def test_a_canary_is_not_to_be_told_by_counts_order_or_shape(world: World) -> None:
    """A guesser looks at all that the desk says before and after each claim, skip and release, and learns nothing."""
    world.design(canary_every=3, canary_exposures=2)
    world.load("canary", [tamper(100 + n) for n in range(12)])
    world.load("write", [task(n, f"def f{n:02}():\n    return {n:02}\n") for n in range(30)])
    at = world.at("annotator")
    features: dict[bool, list[tuple[Any, ...]]] = {True: [], False: []}

    def waits() -> tuple[int, int]:
        kinds = at.get(f"/api/v1/projects/{SLUG}/queue").json()["kinds"].get("write", {"waiting": 0, "open": 0})
        return kinds["waiting"], kinds["open"]

    order = []
    for step in range(200):
        before = waits()
        seat = world.claim("annotator", "write")
        if seat is None:
            assert before == (0, 0), "work that was counted is there"
            break
        held = waits()
        what = "release" if step % 7 == 1 else "skip" if step % 5 == 2 and step < 60 else ""
        if what:
            at.post(f"/api/v1/seats/{seat['id']}/{what}", json={"reason": "later"})
        else:
            world.submit("annotator", seat["id"], {"comments": [], "no_problems": True})
        after = waits()
        canary = seat["view"]["task"]["answer"] == ANSWER
        order.append(canary)
        shape = (frozenset(seat), frozenset(seat["view"]["task"]), len(seat["id"]), seat["view"]["task"]["runnable"])
        features[canary].append((before[0] - held[0], held[1], what, after[0] - before[0], after[1], shape))
    else:
        raise AssertionError("the queue does not end")
    assert sum(order) >= 8 and not all(order[-3:])
    assert set(features[True]) <= set(features[False]) | {f for f in features[True] if f[2]}
    for what, back in (("", -1), ("skip", 0), ("release", 0)):
        for canary in (True, False):
            seen = {f[:2] + f[3:5] for f in features[canary] if f[2] == what}
            assert seen <= {(1, 1, back, 0)}, (canary, what, seen)


def test_who_watches_and_works_can_t_tell_by_the_statistics(world: World) -> None:
    world.design(canary_every=1)
    world.load("canary", [tamper(100)])
    world.load("write", [task(1, "def f():\n    return 1\n")])
    changes = []
    for _ in range(2):
        url = f"/api/v1/projects/{SLUG}/stats/progress"
        before = world.at("reviewer").get(url).json()["write"]["seats"]
        seat = world.claim("reviewer", "write")
        assert seat is not None
        after = world.at("reviewer").get(url).json()["write"]["seats"]
        changes.append({state: after.get(state, 0) - before.get(state, 0) for state in ("free", "leased")})
        world.submit("reviewer", seat["id"], {"comments": [], "no_problems": True})
    assert changes[0] == changes[1] == {"free": -1, "leased": 1}


def test_the_gold_critique_is_not_the_reference_bug_to_the_letter(world: World) -> None:
    told = comparison()
    gold = told.critiques[1]
    words = gold.critique.comments[0]
    same = Critique((replace(words, text=f"  {bug().description.upper()} "),))
    critiques = (told.critiques[0], gold.model_copy(update={"critique": same}), *told.critiques[2:])
    for n, suggestion in enumerate(("s = 0", None)):
        item = comparison(n).model_copy(update={"critiques": critiques, "bugs": (bug(suggestion=suggestion),)})
        world.load("rate", [item])
        seat = world.claim("annotator", "rate")
        assert seat is not None
        url = f"/api/v1/seats/{seat['id']}/first-pass"
        (shown,) = world.at("annotator").post(url, json={"form": scores(seat["view"])}).json()["view"]["bugs"]
        assert "not at nought" not in shown["description"]
        assert "s = 1" in shown["description"] and "s = 0" in shown["description"], "what stands there, and what should"
        world.at("annotator").post(f"/api/v1/seats/{seat['id']}/decline", json={"reason": "next"})


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
