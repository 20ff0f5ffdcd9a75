"""What is checked again is seen as whoever did it saw it, with their answer beside it; in one's own history as well."""

from __future__ import annotations

import re
from typing import Any

from desk_browser import ANSWER, PLACE, Served, Visit, comparison, prefilled, task
from momus.records import Record


def hand_in(served: Served, slug: str, kind: str, item: Record, form: Any) -> None:
    served.load(slug, kind, [item])
    seat = served.api("ann", "POST", f"/projects/{slug}/queue/{kind}/claim")
    served.api("ann", "POST", f"/seats/{seat['id']}/submit", {"form": form(seat["view"])})
    served.api("manager", "POST", f"/projects/{slug}/rechecks", {"kind": kind, "share": 1})


def test_each_kind_is_checked_as_it_was_seen(visit: Visit, served: Served) -> None:
    slug = served.project()
    n = 1000 * served.projects
    said = "Begins at one:\n    total([])\nis 1."
    bug = {"spans": [PLACE], "description": said, "category": "wrong-initialisation", "subtlety": 3}
    served.load(slug, "rate", [comparison(n)])
    served.rate("ann", slug)
    served.api("manager", "POST", f"/projects/{slug}/rechecks", {"kind": "rate", "share": 1})
    hand_in(served, slug, "tamper", task(n + 1), lambda view: {"answer": ANSWER, "bugs": [bug]})
    hand_in(served, slug, "team", prefilled(n + 2), lambda view: {"comments": [{**view["prefilled"][1], "origin": 1}]})
    page = visit.open("eve", f"/p/{slug}/work/recheck")
    page.wait_for_selector("[data-answered=rate]")
    assert page.locator("article.critique[aria-label^=Critique]").count() == 4
    assert "line 2" in page.inner_text(".reference") and "not at nought" in page.inner_text(".reference")
    told = page.inner_text("[data-answered=rate]")
    ranked = re.search(r"Ranking: (\w) > (\w) > (\w) > (\w)", told)
    overall = re.search(r"Overall\s+(\d)\s+(\d)\s+(\d)\s+(\d)", told)
    assert ranked is not None and overall is not None and "Caught bug" in told and "because" in told
    points = dict(zip("ABCD", overall.groups(), strict=True))
    assert [points[letter] for letter in ranked.groups()] == ["7", "6", "5", "4"], "letters name the same critiques"
    visit.shot(page, "recheck-rate", whole=True)
    page.click("button:has-text('It is right')")
    page.click(".seat-bar button.main")
    page.wait_for_selector("[data-answered=tamper] .cm-deletedChunk")
    assert "    total([])" in page.inner_text("[data-answered=tamper] .comment .text"), "no indentation is lost"
    visit.shot(page, "recheck-tamper", whole=True)
    page.click("button:has-text('It is right')")
    page.click(".seat-bar button.main")
    page.wait_for_selector("[data-answered=team]:has-text('Dropped of the critic')")
    visit.shot(page, "recheck-team", whole=True)
    own = visit.open("ann", f"/p/{slug}/history")
    own.click("tr:has-text('tamper') button:has-text('Look')")
    own.wait_for_selector("[data-answered=tamper] .cm-deletedChunk")
