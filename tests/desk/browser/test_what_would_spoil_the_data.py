"""Nothing is answered for the rater, and no piece of work or draft stops a queue."""

from __future__ import annotations

from typing import Any

from desk_browser import Served, Visit, comparison, press, scores, task
from momus.desk.store.tables import Assignment, Skip, Submission


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement?.closest('[data-scale]')?.dataset.scale ?? ''"))


def test_what_the_bug_asks_is_unanswered_until_the_rater_answers_it(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(served.projects)])
    seat = served.api("ann", "POST", f"/projects/{slug}/queue/rate/claim")
    form = scores(seat["view"])
    served.api("ann", "POST", f"/seats/{seat['id']}/first-pass", {"form": form})
    page = visit.open("ann", f"/p/{slug}/work/rate")
    page.wait_for_selector(".reference .comment")
    cells = page.locator('[data-scale^="cbi."]')
    assert cells.count() == 4 and page.locator('[data-scale^="cbi."] [aria-checked=true]').count() == 0
    page.wait_for_selector('[data-scale="cbi.0 0"] button:focus')
    page.click(".seat-bar button.main")
    page.wait_for_selector(".errors:has-text('4 not scored yet')")
    assert focused(page) == "cbi.0 0", "the cursor stands on what is asked for"
    press(page, "7")
    page.locator('[data-scale="cbi.0 2"] button', has_text="–").click()
    page.wait_for_selector(".status:text-is('Saved')")
    page.reload()  # a draft that was kept and read again answers nothing either
    page.wait_for_selector(".reference .comment")
    assert page.locator('[data-scale^="cbi."] [aria-checked=true]').count() == 2
    page.click(".seat-bar button.main")
    page.wait_for_selector(".errors:has-text('2 not scored yet')")
    page.wait_for_selector('[data-scale="cbi.0 1"] button:focus')
    with served.store.read() as session:
        assert session.query(Submission).filter(Submission.hold_id == seat["id"]).count() == 0
    for col in (1, 3):
        page.locator(f'[data-scale="cbi.0 {col}"] button', has_text="2").click()
    page.click(".seat-bar button.main")
    page.wait_for_selector("h1:has-text('There is nothing left')")
    made = served.stored("rate")
    assert sorted(str(one["cbi"][0]) for one in made["second"]["forms"]) == ["2", "2", "7", "None"]


def test_a_draft_that_does_not_fit_is_shown_as_text_and_the_work_can_be_skipped(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(2000 + served.projects)])
    seat = served.api("ann", "POST", f"/projects/{slug}/queue/write/claim")
    for rev, data in enumerate(({"comments": "a text, no list"}, {"comments": [{"text": "no place"}], "notes": 3})):
        served.api("ann", "PUT", f"/seats/{seat['id']}/draft", {"data": data}, headers={"If-Match": f"{rev}"})
        page = visit.open("ann", f"/p/{slug}/work/write")
        page.wait_for_selector("[data-unfit]")
        assert ("a text, no list" if rev == 0 else "no place") in page.inner_text("[data-unfit]")
        assert page.locator("button:has-text('Skip')").is_enabled()
        page.close()
    page = visit.open("ann", f"/p/{slug}/work/write")
    page.click("button:has-text('Begin anew')")
    page.wait_for_selector(".left .cm-line")
    page.click("label:has-text('No problems')")
    page.wait_for_selector(".status:text-is('Saved')")


def test_work_that_can_t_be_shown_is_skipped_on_its_page(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(3000 + served.projects)])
    with served.store.write() as session:
        last = session.query(Assignment).order_by(Assignment.id.desc()).first()
        assert last is not None
        last.payload = {"id": "broken"}
    page = visit.open("ann", f"/p/{slug}/work/write")
    page.wait_for_selector('h1:has-text("can\'t be shown")')
    with page.expect_navigation():
        page.click("button:has-text('Skip it')")
    page.wait_for_selector('h1:has-text("can\'t be shown")')  # it comes again when all else is done
    with served.store.read() as session:
        assert session.query(Skip).filter(Skip.reason == "It can't be shown.").count() == 1
