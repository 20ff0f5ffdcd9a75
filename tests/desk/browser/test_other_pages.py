"""The queue, the reviewer's page, the dashboard, managing, joining, and that none of it has a serious fault for axe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from desk_browser import PASSWORD, Served, Visit, comparison, dump, pair, prefilled, scores, tamper, task

CODE = "def mean(xs):\n    return sum(xs) / len(xs)\n"


def serious(page: Any, axe: str, *, colours: bool) -> list[str]:
    """What axe finds that keeps people out; it is put in by the debugger, so that the page's policy stays on.

    Only of `colours`, where all else has been looked at.
    """
    page.evaluate(axe)
    only = "runOnly: ['color-contrast']," if colours else ""
    found = page.evaluate(f"axe.run(document, {{{only} resultTypes: ['violations']}})")
    return [
        f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]} {one['nodes'][0].get('failureSummary', '')}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_no_page_has_a_serious_fault_in_light_or_dark(visit: Visit, served: Served, axe: str) -> None:
    slug = served.project(assisted=1)
    n = served.projects
    items = {
        "rate": comparison(n), "tamper": task(n), "write": tamper(n), "team": prefilled(n), "compare": pair(n),
        "judge": pair(n, passes=1), "grade": tamper(n),
    }  # fmt: skip
    for kind, item in items.items():
        served.load(slug, kind, [item])
    faults = []
    for scheme in ("light", "dark"):
        page = visit.page("manager", scheme=scheme)
        for path in ("", *(f"/work/{kind}" for kind in items), "/review", "/dashboard", "/manage", "/history"):
            page.goto(f"{served.base}/p/{slug}{path}")
            page.wait_for_selector(".page, .bench, .choose")
            page.wait_for_timeout(50)
            faults += [f"{scheme} {path or 'queue'}: {fault}" for fault in serious(page, axe, colours=scheme == "dark")]
            visit.shot(page, f"{scheme}{path.replace('/', '-') or '-queue'}")
        page.close()
    assert not faults, "\n".join(faults)


def test_reviewing_code_accepts_and_dismisses_with_a_reason(visit: Visit, served: Served) -> None:
    slug = served.project()
    page = visit.open("ann", f"/p/{slug}/review")
    page.fill("label:has-text('Code') textarea", CODE)
    page.click("button.main")
    page.wait_for_selector("[data-finding]")
    page.click("[data-finding='0'] button:has-text('Dismiss')")
    page.wait_for_selector(".said.bad:has-text('Say why')")
    page.keyboard.type("no fault")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-finding='0'].dismiss")
    visit.shot(page, "review")
    page.reload()
    page.click("button:has-text('Look')")
    page.wait_for_selector("[data-finding='0'].dismiss")
    assert page.input_value("[data-finding='0'] input") == "no fault"


def test_a_manager_invites_imports_and_writes_guidelines(visit: Visit, served: Served, tmp_path: Path) -> None:
    slug = served.project()
    page = visit.open("manager", f"/p/{slug}/manage")
    page.fill("input[name=email]", f"new{slug}@example.org")
    page.click("button:has-text('Invite')")
    link = page.inner_text("[data-invite]")
    assert "#" in link, "the key stands where no log has it"
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text(dump(task(served.projects)))
    bad.write_text('{"nonsense": 1}\n')
    page.select_option("select[name=kind] >> nth=0", "write")
    page.set_input_files("input[type=file]", bad)
    page.click("button:has-text('Import')")
    page.wait_for_selector("ul.errors li")
    page.set_input_files("input[type=file]", good)
    page.click("button:has-text('Import')")
    page.wait_for_selector("td:has-text('1 free')")
    page.fill("textarea[name=text]", "Version two.")
    page.click("button:has-text('Make it a new version')")
    page.wait_for_selector("label:has-text('Version 2 is in force')")
    visit.shot(page, "manage")
    joined = visit.page("")
    joined.goto(link)
    joined.fill("input[name=email]", f"new{slug}@example.org")
    joined.fill("input[name=password]", PASSWORD)
    joined.fill("input[name=again]", PASSWORD)
    joined.click("button.main")
    joined.wait_for_selector(f".kind[href='/p/{slug}']")
    joined.goto(f"{served.base}/p/{slug}/guidelines")
    joined.wait_for_selector(".guideline:has-text('Version two.')")


def test_the_dashboard_counts_what_was_rated_as_it_comes_in(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(100 * served.projects + i) for i in range(4)], overlap=2)
    page = visit.open("eve", f"/p/{slug}/dashboard")
    page.wait_for_selector("text=Nothing has been rated yet")
    page.wait_for_selector("text=● live")
    for who in ("ann", "bob"):
        for _ in range(4):
            seat = served.api(who, "POST", f"/projects/{slug}/queue/rate/claim")
            for step, bugs in (("first-pass", 0), ("submit", 1)):
                form = scores(seat["view"], bugs=bugs)
                for one in form["critiques"].values():
                    one["fake_problem"] = 2
                served.api(who, "POST", f"/seats/{seat['id']}/{step}", {"form": form})
    page.wait_for_selector("svg[aria-label^='Elo']")
    page.wait_for_selector("text=8 of 8")
    assert page.locator("svg[aria-label^='Elo'] .dot, svg[aria-label^='Caught'] .dot").count() == 8
    page.evaluate("document.querySelector('.figures').scrollIntoView()")
    assert "ann" not in re.findall(r"\w+", page.inner_text("main")), "people stand under pseudonyms"
    visit.shot(page, "dashboard")


def test_nothing_works_by_role_alone(visit: Visit, served: Served) -> None:
    slug = served.project()
    page = visit.open("ann", f"/p/{slug}/manage")
    page.wait_for_selector(".said.bad, .empty")
    assert page.locator("nav a", has_text="Manage").count() == 0
    assert page.locator("nav a", has_text="Dashboard").count() == 0
