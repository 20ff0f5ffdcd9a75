"""On a telephone, 390 pixels wide: every page is there whole, nothing has to be scrolled sideways, and work is done."""

from __future__ import annotations

from typing import Any

from desk_browser import ANSWER, PLACE, Served, Visit, comparison, pair, prefilled, tamper, task

WIDTH, HEIGHT = 390, 844
# What sticks out at the right of what is seen, and of the box that it scrolls in.
STICKS_OUT = f"""() => [...document.querySelectorAll('main *, header *, dialog *')]
  .filter((one) => one.checkVisibility() && !one.closest('.unsaid, caption, svg, .cm-gutters, .cm-cursorLayer, .said'))
  .filter((one) => one.getBoundingClientRect().right > {WIDTH} + 1)
  .map((one) => `${{one.tagName}}.${{one.className}} ${{one.textContent.slice(0, 40)}}`)"""


def too_wide(page: Any) -> list[str]:
    found: list[str] = page.evaluate(STICKS_OUT)
    if page.evaluate("document.scrollingElement.scrollWidth") > WIDTH:
        found.append("the page scrolls sideways")
    return found


def test_every_page_fits(visit: Visit, served: Served) -> None:
    slug = served.project(assisted=1)
    n = 1000 * served.projects
    long = "x" * 120
    served.load(slug, "rate", [comparison(n), comparison(n + 1)])
    served.rate("bob", slug)
    items = {
        "tamper": task(n + 2, f"total = '{long}'\n{ANSWER}"), "write": tamper(n + 3), "team": prefilled(n + 4),
        "compare": pair(n + 5), "judge": pair(n + 6, passes=1), "grade": tamper(n + 7),
    }  # fmt: skip
    for kind, item in items.items():
        served.load(slug, kind, [item])
    faults = []
    ways = ("", "/work/rate", *(f"/work/{kind}" for kind in items), "/review", "/history", "/guidelines", "/dashboard")
    page = visit.page("manager", width=WIDTH, height=HEIGHT)
    for path in (*(f"/p/{slug}{way}" for way in ways), f"/p/{slug}/manage", "/", "/account"):
        page.goto(served.base + path)
        page.wait_for_selector(".page, .bench, .choose")
        page.wait_for_function("!document.querySelector('main').textContent.includes('Counting')")
        page.wait_for_timeout(50)
        name = path.removeprefix(f"/p/{slug}").replace("/", "-") or "-queue"
        visit.shot(page, f"narrow{name}", whole=True)
        faults += [f"{name}: {fault}" for fault in too_wide(page)]
    assert not faults, "\n".join(faults)


def test_work_is_done_by_touch(visit: Visit, served: Served) -> None:
    slug = served.project(assisted=0)
    n = 1000 * served.projects
    served.load(slug, "rate", [comparison(n)])
    served.load(slug, "compare", [pair(n + 1)])
    served.load(slug, "write", [tamper(n + 2)])
    page = visit.open("ann", f"/p/{slug}", width=WIDTH, height=HEIGHT, touch=True)
    page.tap("[data-kind=rate]")
    page.wait_for_selector(".scores")
    for bugs in (False, True):
        for col in range(4):
            for name in ("comprehensiveness", "nitpick", "fake_problem", "conciseness", "overall"):
                page.locator(f'[data-scale="{name} {col}"] button', has_text=str(6 - col)).tap()
            if bugs:
                page.locator(f'[data-scale="cbi.0 {col}"] button', has_text="7").tap()
        page.tap("button:has-text('By overall')")
        page.tap(".seat-bar button.main")
        page.wait_for_selector("h1:has-text('There is nothing left')" if bugs else ".reference .comment")
    assert [form["cbi"] for form in served.stored("rate")["second"]["forms"]] == [[7]] * 4
    page.goto(f"{served.base}/p/{slug}/work/compare")
    page.tap("[aria-label='B is better']")
    page.fill(".verdict-form textarea", "It adds up.")
    page.tap(".seat-bar button.main")
    page.wait_for_selector("h1:has-text('There is nothing left')")
    assert served.stored("compare")["choice"] in (2, -2)
    page.goto(f"{served.base}/p/{slug}/work/write")
    page.locator(".left .cm-line", has_text="s = 1").tap()
    page.tap("button:has-text('Comment on the selection')")
    page.fill("[data-comment='0'] textarea >> nth=0", "The sum begins at one.")
    page.tap(".seat-bar button.main")
    page.wait_for_selector("h1:has-text('There is nothing left')")
    (comment,) = served.stored("write")["comments"]
    assert comment["highlight"] == PLACE
