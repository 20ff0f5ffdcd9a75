"""The server is killed while somebody types, the database goes away, two tabs write one draft, a lease runs out, a
clock jumps: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from desk_browser import Served, Visit, press, serious, task
from momus.bench.desk_cluster import Cluster
from momus.desk.store.tables import Hold, Seat, Submission
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


def test_two_tabs_on_one_draft_show_both_versions(visit: Visit, served: Served, axe: str) -> None:
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
    assert not serious(two, axe)
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


@pytest.fixture(scope="module")
def on_postgresql(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served.open(tmp_path_factory.mktemp("desk"), db=cluster.database())
    yield made
    made.stop()


def test_a_database_that_is_gone_for_a_while_is_said_and_nothing_typed_is_lost(
    chromium: object, on_postgresql: Served, cluster: Cluster
) -> None:
    served = on_postgresql
    visit = Visit(chromium, served, "postgresql")
    slug = served.project()
    served.load(slug, "write", [task(served.projects), task(served.projects + 1)])
    page = start(visit, served, slug)
    page.fill(NOTES, "before")
    page.wait_for_selector(".status:text-is('Saved')")
    at = page.url
    press(page, "End")
    cluster.stop()
    try:
        page.keyboard.type(", while it was gone")
        page.wait_for_selector(".away:has-text(\"The desk's database can't be reached\")")
        page.wait_for_selector(".status:has-text('kept in this browser')")
        page.click("label:has-text('No problems')")
        page.click(".seat-bar button.main")
        page.wait_for_selector(".said.bad.on:has-text('Not handed in')")
        assert page.input_value(NOTES) == "before, while it was gone"
        visit.shot(page, "database-gone")
        page.reload()
        page.wait_for_selector(".away:has-text(\"The desk's database can't be reached\")")
        assert page.locator(NOTES).count() == 0, "what the server has can't be shown yet"
        other = visit.open("bob", f"/p/{slug}/work/write")
        other.wait_for_selector(".away")
    finally:
        cluster.start()
    page.wait_for_selector(NOTES)
    assert page.input_value(NOTES) == "before, while it was gone"
    page.wait_for_selector(".status:text-is('Saved')")
    page.wait_for_selector(".away", state="detached")
    assert page.url == at and draft(served, page) == "before, while it was gone"
    other.wait_for_selector(NOTES)
    press(page, "Control+Enter")
    page.wait_for_selector("h1:has-text('There is nothing left')")
    made = served.stored("write")
    assert made["notes"] == "before, while it was gone" and made["comments"] == []
    visit.close()


def test_a_clock_that_jumps_in_the_browser_costs_nothing(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "write", [task(served.projects)])
    page = start(visit, served, slug)
    page.fill(NOTES, "at noon")
    page.wait_for_selector(".status:text-is('Saved')")
    for jump in (9, -33):
        page.evaluate(f"(() => {{ const now = Date.now; Date.now = () => now() + {jump} * 3600 * 1000; }})()")
        page.focus(NOTES)
        press(page, "End")
        page.keyboard.type(f", {jump} hours on")
        page.wait_for_selector(".status:text-is('Saved')")
        page.wait_for_selector("[data-lease]:text-matches('^lease 1[0-5]:[0-5][0-9]$')")
    page.click("label:has-text('No problems')")
    page.click(".seat-bar button.main")
    page.wait_for_selector("h1:has-text('There is nothing left')")
    assert served.stored("write")["notes"] == "at noon, 9 hours on, -33 hours on"
    with served.store.read() as session:
        made = session.query(Submission).order_by(Submission.id.desc()).first()
        assert made is not None and 0 <= made.active_ms < 600_000 and not made.late
