"""Every kind of work, done with the keyboard alone: no test here touches the mouse."""

from __future__ import annotations

from typing import Any

from desk_browser import ANSWER, Served, Visit, comparison, pair, prefilled, press, serious, tamper, task


def start(visit: Visit, slug: str, key: str) -> Any:
    page = visit.open("bob", f"/p/{slug}")
    page.wait_for_selector("[data-kind]")
    press(page, key)
    page.wait_for_selector(".seat-bar h1")
    return page


def hand_in(page: Any) -> None:
    press(page, "Control+Enter")
    page.wait_for_selector("h1:has-text('There is nothing left')")


def test_rating_by_keys(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(served.projects)])
    page = start(visit, slug, "r")
    page.wait_for_selector(".scores")
    for overall in (7, 5, 5, 2):
        press(page, "4", "1", "0", "6", str(overall))  # each goes on to the next question or critique
    press(page, *["ArrowLeft"] * 3, "Shift+K", "ArrowRight", "Shift+K", "ArrowRight", "t", "ArrowRight", "Shift+J")
    assert page.locator(".tier").count() == 3
    press(page, "]")
    press(page, "?")
    page.wait_for_selector("dialog .keys")
    assert "Tie it with the one above" in page.inner_text("dialog")
    visit.shot(page, "keys")
    press(page, "Escape", "Control+Enter")
    page.wait_for_selector(".reference .comment")
    press(page, *["k"] * 6, *["ArrowLeft"] * 3)
    for _ in range(4):
        press(page, "7", "k", "ArrowRight")
    hand_in(page)
    made = served.stored("rate")
    assert sorted(len(tier) for tier in made["second"]["order"]) == [1, 1, 2]
    assert [form["cbi"] for form in made["second"]["forms"]] == [[7]] * 4
    assert all(form["fake_problem"] is None and form["nitpick"] == 1 for form in made["first"]["forms"])


def test_tampering_by_keys(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "tamper", [task(served.projects)])
    page = start(visit, slug, "t")
    press(page, "c", "Control+Home", "ArrowDown", "End", "Backspace")
    page.keyboard.type("1")
    press(page, "Alt+d")
    page.wait_for_selector(".cm-deletedChunk")
    press(page, "Alt+h")
    page.wait_for_selector("[data-bug='0'] textarea:focus")
    page.keyboard.type("The sum begins at one.")
    page.wait_for_selector(".checks .good:has-text('inside the change')")
    press(page, "Alt+c")
    page.wait_for_selector(".tries")
    hand_in(page)
    made = served.stored("tamper")["tamper"]
    span = made["bugs"][0]["spans"][0]
    assert made["task"]["answer"] == ANSWER and ANSWER[span["start"] : span["end"]] == "s = 1"


def test_writing_by_keys_leaves_the_editor_with_escape(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [tamper(served.projects)])
    page = start(visit, slug, "e")
    press(page, "c", "Control+Home", "ArrowDown", "End", "Alt+h")
    page.wait_for_selector("[data-comment='0'] textarea:focus")
    page.keyboard.type("jk?s: in a field keys are only letters.")
    press(page, "Tab")
    page.keyboard.type("high")
    press(page, "Control+s")
    hand_in(page)
    (comment,) = served.stored("write")["comments"]
    assert comment["text"].startswith("jk?s:") and comment["severity"] == "high"
    assert ANSWER[comment["highlight"]["start"] : comment["highlight"]["end"]] == "s = 1"


def test_a_team_by_keys(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "team", [prefilled(served.projects)])
    page = start(visit, slug, "m")
    page.wait_for_selector("[data-comment='1']")
    press(page, "a", "x", "k", "e")
    page.wait_for_selector("[data-comment='0'] textarea:focus")
    press(page, "Control+End")
    page.keyboard.type(" Every sum is off.")
    hand_in(page)
    made = served.stored("team")
    assert made["did"] == ["edited", "dropped"] and made["comments"][0]["text"].endswith("Every sum is off.")


def test_comparing_judging_and_grading_by_keys(visit: Visit, served: Served) -> None:
    slug = served.project(assisted=0)
    served.load(slug, "compare", [pair(served.projects)])
    served.load(slug, "judge", [pair(served.projects, passes=1)])
    served.load(slug, "grade", [tamper(served.projects)])
    page = start(visit, slug, "c")
    press(page, "4", "r")
    page.keyboard.type("the same")
    hand_in(page)
    assert served.stored("compare")["choice"] == 0
    page = start(visit, slug, "d")
    press(page, "1")
    hand_in(page)
    assert served.stored("judge")["choice"] in (0, 1)
    page = start(visit, slug, "g")
    press(page, "6", "3", "x")
    hand_in(page)
    assert served.stored("grade")["bugs"] == [{"severity": 6, "difficulty": 3, "real": False}]


def test_rechecking_by_keys_confirms_one_and_puts_another_right(visit: Visit, served: Served, axe: str) -> None:
    slug = served.project()
    n = 1000 * served.projects
    served.load(slug, "grade", [tamper(n), tamper(n + 1)])
    for _ in range(2):
        seat = served.api("ann", "POST", f"/projects/{slug}/queue/grade/claim")
        form = {"bugs": [{"severity": 6, "difficulty": 2, "real": True}], "notes": ""}
        served.api("ann", "POST", f"/seats/{seat['id']}/submit", {"form": form})
    assert served.api("manager", "POST", f"/projects/{slug}/rechecks", {"kind": "grade", "share": 1}) == {"made": 2}
    page = visit.open("eve", f"/p/{slug}")
    page.wait_for_selector("[data-kind=recheck]")
    press(page, "k")
    page.wait_for_selector(".recheck")
    first = page.url
    press(page, "a", "Control+Enter")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector(".recheck")
    assert served.stored("recheck")["verdict"] == "confirmed"
    press(page, "x")
    press(page, "Control+Enter")
    page.wait_for_selector(".errors:has-text('Say what is wrong')")
    press(page, "e")
    page.wait_for_selector("[data-scale='severity 0']")
    press(page, "3", "5")  # the bench of what is checked has its keys
    page.focus(".recheck > label textarea")
    page.keyboard.type("A test sees it, and nobody is hurt.")
    visit.shot(page, "recheck-keys")
    assert not serious(page, axe)
    hand_in(page)
    made = served.stored("recheck")
    assert made["verdict"] == "corrected"
    assert made["made"]["bugs"] == [{"severity": 3, "difficulty": 5, "real": True}]


def switch_single_keys(page: Any) -> None:
    page.wait_for_selector("dialog[open] input[type=checkbox]")
    page.focus("dialog input[type=checkbox]")
    press(page, "Space", "Escape")
    page.wait_for_selector("dialog", state="detached")


def test_a_dialog_has_the_focus_from_the_moment_it_is_there(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(served.projects)])
    page = start(visit, slug, "e")
    page.evaluate(
        """() => { window.seen = new Promise((told) => new MutationObserver(() => {
            const dialog = document.querySelector("dialog");
            if (dialog) told({ open: dialog.open, inside: dialog.contains(document.activeElement) });
        }).observe(document.body, { childList: true, subtree: true })) }"""
    )
    press(page, "?")
    assert page.evaluate("window.seen") == {"open": True, "inside": True}, "a quick key would go to the page beneath"


def test_single_keys_can_be_switched_off(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(served.projects)])
    page = start(visit, slug, "e")
    press(page, "?")
    switch_single_keys(page)
    press(page, "s")
    page.wait_for_timeout(300)  # or it might open a moment later
    assert page.locator("dialog").count() == 0, "s would ask why one skips"
    press(page, "?")
    switch_single_keys(page)
    press(page, "s")
    page.wait_for_selector("dialog:has-text('Leave this one')")
