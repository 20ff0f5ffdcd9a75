"""Every kind of work, done with the mouse, from the queue to what is stored."""

from __future__ import annotations

from typing import Any

import pytest

from desk_browser import ANSWER, TWIN, Served, Visit, comparison, pair, prefilled, tamper, task
from desk_world import without_ids

SECRETS = ("secret", "0.61803", "0.27182", "0.57721", "GPT", "bundled", "gold", "author", "confidence")


def start(visit: Visit, slug: str, kind: str, who: str = "ann") -> Any:
    page = visit.open(who, f"/p/{slug}")
    page.click(f"[data-kind={kind}]")
    page.wait_for_selector(".seat-bar h1")
    return page


def hand_in(page: Any) -> None:
    page.click(".seat-bar button.main")
    page.wait_for_selector("h1:has-text('There is nothing left')")


def mark_text(page: Any, text: str) -> None:
    """Select the line of the code that holds a text."""
    page.locator(".left .cm-line", has_text=text).first.click(click_count=3)


def pick(page: Any, scale: str, value: int) -> None:
    page.locator(f'[data-scale="{scale}"] button', has_text=str(value)).click()


def test_rating_by_mouse_in_two_passes_and_blind(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(served.projects)])
    received: list[str] = []
    page = visit.page("ann")
    page.on("response", lambda r: received.append(r.url + str(r.headers) + (r.text() if "/api/" in r.url else "")))
    page.goto(f"{served.base}/p/{slug}")
    page.click("[data-kind=rate]")
    page.wait_for_selector(".critiques")
    assert page.locator(".reference .comment").count() == 0, "the bug is not shown yet"
    for col in range(4):
        for name in ("comprehensiveness", "nitpick", "fake_problem", "conciseness"):
            pick(page, f"{name} {col}", 4)
        pick(page, f"overall {col}", 6 - col)
    for chip in "DCBA":
        page.drag_and_drop(f"[data-chip={chip}]", '[data-gap="0"]')
    assert page.locator(".tier .chip").all_inner_texts() == ["A", "B", "C", "D"]
    page.drag_and_drop("[data-chip=D]", '[data-tier="2"]')
    assert page.locator(".tier").count() == 3, "C and D are tied"
    blind = without_ids("".join(received), page.url.rsplit("/", 1)[-1])
    assert not [secret for secret in SECRETS if secret.lower() in blind.replace("/static/", "").lower()]
    visit.shot(page, "rate-first-pass")
    page.click("button:has-text('Finish first pass')")
    page.wait_for_selector(".reference .comment")
    for col in range(4):
        pick(page, f"cbi.0 {col}", 7 - col)
    pick(page, "overall 0", 1)
    page.click("button:has-text('Hand in')")
    page.wait_for_selector(".errors:has-text('contradicts')")
    page.click("label:has-text('That is meant')")
    visit.shot(page, "rate-second-pass")
    hand_in(page)
    made = served.stored("rate")
    assert sorted(form["overall"] for form in made["first"]["forms"]) == [3, 4, 5, 6]
    assert sorted(form["overall"] for form in made["second"]["forms"]) == [1, 3, 4, 5]
    assert sorted(form["cbi"][0] for form in made["second"]["forms"]) == [4, 5, 6, 7]
    assert made["second"]["confirmed"] and [len(tier) for tier in made["second"]["order"]] == [1, 1, 2]


def test_tampering_by_mouse_with_tests_and_adversary(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "tamper", [task(served.projects)])
    page = start(visit, slug, "tamper")
    page.click("button:has-text('Hand in')")
    page.wait_for_selector(".errors:has-text('unchanged')")
    page.locator(".cm-line", has_text="s = 0").click()
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.type("1")
    page.click("button:has-text('Diff')")
    page.wait_for_selector(".cm-deletedChunk")
    mark_text(page, "for x in xs")
    page.click("button:has-text('Describe a bug here')")
    page.fill("[data-bug='0'] textarea", "The sum begins at one: total([]) is 1.")
    page.wait_for_selector(".checks:has-text('outside of what you changed')")
    mark_text(page, "s = 1")
    page.click("button:has-text('Highlight the selection instead')")
    page.wait_for_selector(".checks .good:has-text('inside the change')")
    page.select_option("[data-bug='0'] select >> nth=0", "high")
    pick(page, "subtlety 0", 3)
    page.click("button:has-text('Run the tests')")
    page.wait_for_selector(".ran, .said.bad.on")
    if page.locator(".ran").count():  # there is a sandbox on this machine
        assert "passed" in page.locator(".ran").nth(0).inner_text()
        page.wait_for_selector(".checks .good:has-text('tests fail because of it')")
    page.click("button:has-text('Ask the critic')")
    page.wait_for_selector(".checks:has-text('Missed at least once: not met')")
    assert page.locator(".tries .critique").count() == 3
    visit.shot(page, "tamper")
    hand_in(page)
    made = served.stored("tamper")
    assert made["tamper"]["task"]["answer"] == ANSWER and made["subtlety"] == [3]
    span = made["tamper"]["bugs"][0]["spans"][0]
    assert "s = 1" in ANSWER[span["start"] : span["end"]]


def test_writing_a_critique_by_mouse(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [tamper(served.projects)])
    page = start(visit, slug, "write")
    page.locator(".cm-line", has_text="s = 1").locator("span", has_text="1").first.click(click_count=2)
    page.click("button:has-text('Comment on the selection')")
    page.fill("[data-comment='0'] textarea >> nth=0", "The sum begins at one.")
    page.select_option("[data-comment='0'] select >> nth=1", "wrong-initialisation")
    page.click("summary:has-text('Run it, with lines of your own')")
    page.click(".program .cm-content")
    page.keyboard.press("Control+End")
    page.keyboard.type("print('it is', total([]))")
    page.click("button:has-text('Run in the sandbox')")
    page.wait_for_selector(".program .ran, .said.bad.on")
    if page.locator(".program .ran").count():  # there is a sandbox on this machine
        assert "it is 1" in page.inner_text(".program .ran")
    page.fill("label:has-text('Notes') textarea", "tried total([])")
    page.wait_for_selector(".status:text-is('Saved')")
    visit.shot(page, "write")
    hand_in(page)
    (comment,) = served.stored("write")["comments"]
    assert comment["category"] == "wrong-initialisation" and comment["text"] == "The sum begins at one."
    assert ANSWER[comment["highlight"]["start"] : comment["highlight"]["end"]] == "1"


def test_a_team_keeps_edits_drops_and_adds_by_mouse(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "team", [prefilled(served.projects)])
    page = start(visit, slug, "team")
    page.click(".seat-bar button.main")
    page.wait_for_selector(".errors:has-text('not decided yet')")
    page.click("[data-comment='0'] button:has-text('Keep')")
    page.click("[data-comment='1'] button:has-text('Drop')")
    mark_text(page, "return s")
    page.click("button:has-text('Comment on the selection')")
    page.fill("[data-comment='2'] textarea >> nth=0", "An empty list is not said of.")
    visit.shot(page, "team")
    hand_in(page)
    made = served.stored("team")
    assert (made["did"], made["added"]) == (["kept", "dropped"], 1)
    page.click("button:has-text('Undo')")
    page.wait_for_selector("[data-comment='1']")
    page.fill("[data-comment='0'] textarea >> nth=0", "It begins at one, so that every sum is off.")
    hand_in(page)
    assert served.stored("team")["did"] == ["edited", "dropped"]


@pytest.mark.parametrize("assisted", [0.0, 1.0], ids=["alone", "assisted"])
def test_comparing_by_mouse_in_the_arm_that_the_server_fixed(visit: Visit, served: Served, assisted: float) -> None:
    slug = served.project(assisted=assisted)
    served.load(slug, "compare", [pair(served.projects)])
    page = start(visit, slug, "compare")
    assert page.locator(".answers .comment").count() == (1 if assisted else 0)
    assert page.locator("text=assist").count() == 0, "nobody can choose the arm"
    first_is_right = "s = 0" in page.locator(".answers section").nth(0).inner_text()
    page.click(f"[role=radio][aria-label='{'A' if first_is_right else 'B'} is better']")
    page.fill(".verdict-form textarea", "It adds up.")
    if assisted:
        page.click("label:has-text('this comment is wrong')")
    visit.shot(page, f"compare-{'assisted' if assisted else 'alone'}")
    hand_in(page)
    made = served.stored("compare")
    assert made["choice"] == 2 and made["why"] == "It adds up."
    assert made["wrong"] == ({"0": [0]} if assisted else {})


def test_judging_grading_and_rechecking_by_mouse(visit: Visit, served: Served) -> None:
    slug = served.project(assisted=0)
    served.load(slug, "judge", [pair(served.projects, passes=1)])
    served.load(slug, "grade", [tamper(served.projects)])
    page = start(visit, slug, "judge")
    assert "left" in page.inner_text("[data-lease]")
    right = 0 if "s = 0" in page.locator(".answers section").nth(0).inner_text() else 1
    page.locator(".steps-wide [role=radio]").nth(right).click()
    pick(page, "confidence", 6)
    visit.shot(page, "judge")
    hand_in(page)
    assert (served.stored("judge")["choice"], served.stored("judge")["confidence"]) == (1, 6)

    page = start(visit, slug, "grade")
    pick(page, "severity 0", 6)
    pick(page, "difficulty 0", 2)
    visit.shot(page, "grade")
    hand_in(page)
    assert served.stored("grade")["bugs"] == [{"severity": 6, "difficulty": 2, "real": True}]

    manage = visit.open("manager", f"/p/{slug}/manage")
    form = manage.locator("form", has_text="Have work looked at again")
    form.locator("select").select_option("grade")
    form.locator("input").fill("1")
    form.locator("button").click()
    manage.wait_for_selector(".said:has-text('1 made.')")
    check = start(visit, slug, "recheck", "eve")
    assert "ann" not in check.inner_text("main").split(), "whose work it is, is not told"
    check.click("[role=radio]:has-text('I put it right')")
    check.fill(".recheck > label textarea", "It is plain to see.")
    pick(check, "difficulty 0", 1)
    visit.shot(check, "recheck")
    hand_in(check)
    made = served.stored("recheck")
    assert made["verdict"] == "corrected" and made["made"]["bugs"][0]["difficulty"] == 1


def test_skipping_says_why_and_the_draft_is_there_again(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(served.projects, TWIN)])
    page = start(visit, slug, "write")
    page.fill("label:has-text('Notes') textarea", "half a thought")
    page.click("button:has-text('Skip')")
    page.click("button:has-text('It is too long')")
    page.click("button:has-text('Skip for now')")
    page.wait_for_selector("label:has-text('Notes') textarea")
    assert page.input_value("label:has-text('Notes') textarea") == "half a thought"
