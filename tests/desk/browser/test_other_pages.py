"""The queue, the reviewer's page, the dashboard, managing, joining, and that none of it has a serious fault for axe."""

from __future__ import annotations

import re

import pytest

from desk_browser import PASSWORD, Served, Visit, comparison, pair, prefilled, serious, tamper, task

CODE = "def mean(xs):\n    return sum(xs) / len(xs)\n"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault(visit: Visit, served: Served, axe: str, scheme: str) -> None:
    slug = served.project(assisted=1)
    n = served.projects
    items = {
        "rate": comparison(n), "tamper": task(n + 3000), "write": tamper(n + 4000), "team": prefilled(n + 5000),
        "compare": pair(n), "judge": pair(n + 6000, passes=1), "grade": tamper(n + 7000),
    }  # fmt: skip
    served.load(slug, "grade", [tamper(n + 1000)])
    seat = served.api("manager", "POST", f"/projects/{slug}/queue/grade/claim")
    form = {"bugs": [{"severity": 6, "difficulty": 2, "real": True}], "notes": ""}
    made = served.api("manager", "POST", f"/seats/{seat['id']}/submit", {"form": form})
    served.load(slug, "rate", [comparison(n + 2000)])
    served.rate("bob", slug)
    for kind, item in items.items():
        served.load(slug, kind, [item])
    ways = (
        "",
        *(f"/work/{kind}" for kind in items),
        "/review",
        "/dashboard",
        "/manage",
        "/import",
        "/history",
        "/guidelines",
    )
    inside = (*ways, f"/amend/{made['id']}")
    faults: list[str] = []
    page = visit.page("manager", scheme=scheme)

    def look(name: str) -> None:
        page.wait_for_timeout(50)
        faults.extend(f"{name}: {fault}" for fault in serious(page, axe, colours=scheme == "dark"))
        visit.shot(page, f"{scheme}-{name}")

    for path in (*(f"/p/{slug}{way}" for way in inside), "/", "/account", "/login", "/join"):
        page.goto(served.base + path)
        page.wait_for_selector(".page, .bench, .choose, form.card")
        page.wait_for_function("!document.querySelector('main').textContent.includes('Counting')")
        look(path.removeprefix(f"/p/{slug}").strip("/").replace("/", "-").rstrip("-0123456789") or "queue")
    page.goto(f"{served.base}/p/{slug}/work/write")
    for key, name in (("?", "keys"), ("s", "skipping")):
        page.wait_for_selector(".bench")
        page.keyboard.press(key)
        page.wait_for_selector("dialog")
        look(name)
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
    assert not faults, "\n".join(faults)


def test_reviewing_code_accepts_and_dismisses_with_a_reason(visit: Visit, served: Served, axe: str) -> None:
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
    assert not serious(page, axe)
    page.reload()
    page.click("button:has-text('Look')")
    page.wait_for_selector("[data-finding='0'].dismiss")
    assert page.input_value("[data-finding='0'] input") == "no fault"


def test_a_manager_invites_and_writes_guidelines(visit: Visit, served: Served) -> None:
    slug = served.project()
    page = visit.open("manager", f"/p/{slug}/manage")
    page.fill("input[name=email]", f"new{slug}@example.org")
    page.click("button:has-text('Invite')")
    link = page.inner_text("[data-invite]")
    assert "#" in link, "the key stands where no log has it"
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
            served.rate(who, slug)
    page.wait_for_selector("svg[aria-label^='Elo']")
    page.wait_for_selector("text=8 of 8")
    assert page.locator("svg[aria-label^='Elo'] .dot, svg[aria-label^='Caught'] .dot").count() == 8
    page.evaluate("document.querySelector('.figures').scrollIntoView()")
    assert "ann" not in re.findall(r"\w+", page.inner_text("main")), "people stand under pseudonyms"
    visit.shot(page, "dashboard")


def test_the_dashboard_says_by_keys_which_critic_serves_a_budget(visit: Visit, served: Served) -> None:
    slug = served.project()
    served.load(slug, "rate", [comparison(100 * served.projects + i) for i in range(3)], overlap=2)
    silent = {"cbi": 1, "fake_problem": 1}
    for who, fake in (("ann", 7), ("bob", 1)):
        for _ in range(3):  # one of two finds everything that is said half made up, and nobody silence
            served.rate(who, slug, lambda text, fake=fake: {"cbi": 7, "fake_problem": fake} if text else silent)
    page = visit.open("eve", f"/p/{slug}/dashboard")
    slider = page.get_by_role("slider")
    slider.wait_for()
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_selector(".served:has-text('empty catches most within that: 0%')")
    assert slider.get_attribute("aria-valuetext") == "0%"
    for _ in range(49):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".budget output:text-is('49%')")
    assert "empty catches most" in page.inner_text(".served")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".served:has-text('catches most within that: 100%')")
    told = page.inner_text(".served")
    assert "n 6" in told and "with something spurious in 50%" in told
    page.evaluate("document.querySelector('.budget').scrollIntoView({block: 'center'})")
    visit.shot(page, "budget")
    page.keyboard.press("Home")
    assert page.locator("svg .dot.chosen").count() == 1


def test_nothing_works_by_role_alone(visit: Visit, served: Served) -> None:
    slug = served.project()
    page = visit.open("ann", f"/p/{slug}/manage")
    page.wait_for_selector(".said.bad, .empty")
    assert page.locator("nav a", has_text="Manage").count() == 0
    assert page.locator("nav a", has_text="Dashboard").count() == 0
