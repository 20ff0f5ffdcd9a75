"""What comes after handing in: amending it on the bench where it was made, and what a canary tells."""

from __future__ import annotations

from typing import Any

from desk_browser import (
    ANSWER,
    PLACE,
    TWIN,
    Served,
    Visit,
    comparison,
    pair,
    prefilled,
    press,
    scores,
    serious,
    tamper,
    task,
)
from momus.desk.store.tables import Submission

NOTES = "label:has-text('Notes') textarea"


def hand_in(page: Any) -> None:
    page.click(".seat-bar button.main")
    page.wait_for_selector("h1:has-text('There is nothing left')")


def amend(visit: Visit, slug: str) -> Any:
    page = visit.open("ann", f"/p/{slug}/history")
    page.click("a:has-text('Amend')")
    page.wait_for_selector(".seat-bar button:has-text('Amend')")
    return page


def states(served: Served, kind: str) -> list[bool]:
    """Of what was handed in of a kind in the latest project, in order, whether something stands in its place."""
    with served.store.read() as session:
        found = session.query(Submission).filter(Submission.kind == kind).order_by(Submission.id).all()
        latest = max(one.project_id for one in found)
        return [one.superseded for one in found if one.project_id == latest]


def test_a_critique_is_amended_where_it_was_written(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [tamper(served.projects)])
    page = visit.open("ann", f"/p/{slug}/work/write")
    page.locator(".left .cm-line", has_text="s = 1").click(click_count=3)
    page.click("button:has-text('Comment on the selection')")
    page.fill("[data-comment='0'] textarea >> nth=0", "It begins at two.")
    page.fill(NOTES, "read twice")
    hand_in(page)

    page = amend(visit, slug)
    assert page.input_value("[data-comment='0'] textarea >> nth=0") == "It begins at two."
    assert page.locator("button:has-text('Skip')").count() == 0
    page.fill("[data-comment='0'] textarea >> nth=0", "")
    page.click(".seat-bar button.main")
    page.wait_for_selector(".errors:has-text('without words')")
    page.fill("[data-comment='0'] textarea >> nth=0", "It begins at one.")
    page.wait_for_selector(".status:text-is('Kept in this browser')")
    visit.shot(page, "amend-write")
    page.reload()
    page.wait_for_selector("[data-comment='0']")
    assert page.input_value("[data-comment='0'] textarea >> nth=0") == "It begins at one.", "what is typed is kept"
    press(page, "Control+Enter")
    page.wait_for_selector("td:has-text('superseded')")
    visit.shot(page, "history")
    made = served.stored("write")
    assert [comment["text"] for comment in made["comments"]] == ["It begins at one."]
    assert made["notes"] == "read twice" and states(served, "write") == [True, False]
    stale = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('momus.draft.'))")
    assert stale == []


def test_a_rating_is_amended_with_its_first_pass_as_it_was(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(served.projects)])
    served.rate("ann", slug)
    before = served.stored("rate")
    page = amend(visit, slug)
    page.wait_for_selector(".reference .comment")
    assert page.locator(".tier").count() == 4
    page.locator('[data-scale="cbi.0 2"] button', has_text="7").click()
    visit.shot(page, "amend-rate")
    page.click(".seat-bar button.main")
    page.wait_for_selector("td:has-text('superseded')")
    made = served.stored("rate")
    assert made["first"] == before["first"]
    assert sum(a != b for a, b in zip(made["second"]["forms"], before["second"]["forms"], strict=True)) == 1


def test_every_kind_opens_to_be_amended_and_says_the_same_again(visit: Visit, served: Served) -> None:
    """What is opened and handed in anew without a change is what it was."""
    slug = served.project(assisted=1)
    n = 1000 * served.projects
    bug = {"spans": [PLACE], "description": "Begins at one.", "category": "wrong-initialisation", "subtlety": 3}
    items = {
        "tamper": (task(n), lambda view: {"answer": ANSWER, "bugs": [bug]}),
        "team": (prefilled(n + 1), lambda view: {"comments": [{**view["prefilled"][0], "origin": 0}], "notes": "x"}),
        "compare": (pair(n + 2), lambda view: {"choice": 2, "why": "so", "wrong": {view["answers"][0]["slot"]: []}}),
        "judge": (
            pair(n + 3, passes=1),
            lambda view: {"choice": view["answers"][0]["slot"], "confidence": 5, "why": ""},
        ),
        "grade": (tamper(n + 4), lambda view: {"bugs": [{"severity": 6, "difficulty": 2, "real": True}], "notes": ""}),
    }
    for kind, (item, form) in items.items():
        served.load(slug, kind, [item])
        seat = served.api("ann", "POST", f"/projects/{slug}/queue/{kind}/claim")
        made = served.api("ann", "POST", f"/seats/{seat['id']}/submit", {"form": form(seat["view"])})
        before = served.stored(kind)
        page = visit.open("ann", f"/p/{slug}/amend/{made['id']}")
        page.wait_for_selector(".bench, .choose")
        page.click(".seat-bar button.main")
        page.wait_for_selector("td:has-text('superseded')")
        assert states(served, kind) == [True, False]
        assert served.stored(kind) == before, kind
        page.close()


def test_a_canary_tells_what_it_was_once_it_is_handed_in_and_can_not_be_changed_then(
    visit: Visit, served: Served, axe: str
) -> None:
    slug = served.project(canary_every=1, canary_exposures=2)
    served.load(slug, "canary", [tamper(served.projects)])
    served.load(slug, "write", [task(7000 + served.projects)], overlap=2)
    for who, says in (("ann", "You caught the bug"), ("bob", "was not among your comments")):
        page = visit.open(who, f"/p/{slug}/work/write")
        page.wait_for_selector(NOTES)
        assert "canary" not in page.inner_text("body").lower()
        if who == "ann":
            page.locator(".left .cm-line", has_text="s = 1").click(click_count=3)
            page.click("button:has-text('Comment on the selection')")
            page.fill("[data-comment='0'] textarea >> nth=0", "The sum begins at one.")
        else:
            page.click("label:has-text('No problems')")
        press(page, "Control+Enter")
        page.wait_for_selector("dialog:has-text('That was a canary')")
        told = page.inner_text("dialog")
        assert says in told and "not at nought" in told and TWIN.splitlines()[1] in told
        visit.shot(page, f"canary-{who}")
        assert not serious(page, axe)
        press(page, "Escape")
        page.wait_for_selector(NOTES)
        assert "variant 7" in page.inner_text("main")
        assert page.locator("button:has-text('Undo')").count() == 0
        page.goto(f"{served.base}/p/{slug}/history")
        page.wait_for_selector("td:has-text('a canary')")
        assert page.locator("td a:has-text('Amend'), td button:has-text('Undo')").count() == 0
    watched = visit.open("manager", f"/p/{slug}/dashboard")
    watched.wait_for_selector("section[aria-label=Canaries]:has-text('0 out, 1 withdrawn')")


def test_handing_in_twice_is_once(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "grade", [tamper(served.projects)])
    page = visit.open("ann", f"/p/{slug}/work/grade")
    page.wait_for_selector(".grading")
    press(page, "6", "3")
    page.evaluate("for (let i = 0; i < 3; i++) document.querySelector('.seat-bar button.main').click()")
    page.wait_for_selector("h1:has-text('There is nothing left')")
    assert states(served, "grade") == [False]


def test_what_is_somebody_else_s_is_not_there(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(served.projects)])
    seat = served.api("ann", "POST", f"/projects/{slug}/queue/rate/claim")
    served.api("ann", "POST", f"/seats/{seat['id']}/first-pass", {"form": scores(seat["view"])})
    made = served.api("ann", "POST", f"/seats/{seat['id']}/submit", {"form": scores(seat["view"], bugs=1)})
    for path in (f"/p/{slug}/seat/{seat['id']}", f"/p/{slug}/amend/{made['id']}"):
        page = visit.open("bob", path)
        page.wait_for_selector("h1:has-text('or it is not yours to see')")
        assert "begins" not in page.inner_text("body")
