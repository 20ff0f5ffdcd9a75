"""The server is killed while somebody types, two tabs write one draft, a lease runs out: nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from desk_browser import Served, Visit, task
from momus.desk.store.tables import Hold, Seat
from momus.desk.store.types import utc_now

NOTES = "label:has-text('Notes') textarea"


def start(visit: Visit, served: Served, slug: str) -> Any:
    page = visit.open("ann", f"/p/{slug}/work/write")
    page.wait_for_selector(NOTES)
    return page


def draft(served: Served, page: Any) -> Any:
    with served.store.read() as session:
        return (session.get_one(Hold, page.url.rpartition("/")[2]).draft or {}).get("notes")


def test_a_killed_server_loses_nothing_of_what_is_typed(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(served.projects)])
    page = start(visit, served, slug)
    page.fill(NOTES, "before the power went")
    page.wait_for_selector(".status:text-is('Saved')")
    page.focus(NOTES)
    page.keyboard.press("End")
    page.keyboard.type(", and while")
    served.kill()
    page.keyboard.type(", and after")
    page.wait_for_selector(".away:has-text('Offline')")
    visit.shot(page, "offline")
    served.start()
    page.wait_for_selector(".status:text-is('Saved')")
    page.wait_for_selector(".away", state="detached")
    assert draft(served, page) == "before the power went, and while, and after"

    page.focus(NOTES)
    page.keyboard.press("End")
    served.kill()
    page.keyboard.type(" once more")
    page.wait_for_selector(".status:has-text('kept in this browser')")
    served.start()
    page.reload()
    page.wait_for_selector(".status:text-is('Saved')")
    assert page.input_value(NOTES).endswith("and after once more")
    assert draft(served, page).endswith("and after once more")


def test_two_tabs_on_one_draft_show_both_versions(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(served.projects)])
    one = start(visit, served, slug)
    two = one.context.new_page()
    two.goto(one.url)
    two.wait_for_selector(NOTES)
    one.fill(NOTES, "said in the first tab")
    one.wait_for_selector(".status:text-is('Saved')")
    two.fill(NOTES, "said in the second")
    two.wait_for_selector("dialog:has-text('said in the first tab')")
    assert "said in the second" in two.inner_text("dialog")
    visit.shot(two, "conflict")
    two.click("dialog button:has-text('Take this one')")
    two.wait_for_selector(".status:text-is('Saved')")
    assert two.input_value(NOTES) == "said in the first tab"


def test_a_lost_lease_is_said_and_the_work_is_taken(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(served.projects)])
    page = start(visit, served, slug)
    with served.store.write() as session:
        hold = session.get_one(Hold, page.url.rpartition("/")[2])
        session.get_one(Seat, hold.seat_id).lease_until = utc_now() - timedelta(hours=1)
    other = visit.open("bob", f"/p/{slug}/work/write")
    other.wait_for_selector(NOTES)
    page.click("label:has-text('No problems')")
    page.click(".seat-bar button.main")
    page.wait_for_selector(".last:has-text('late, and kept')")
