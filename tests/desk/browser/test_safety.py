"""What models and people write is shown as text, strangers are turned away, and nothing is asked for elsewhere."""

from __future__ import annotations

from typing import Any

from desk_browser import PASSWORD, Served, Visit, task
from momus.critique import Comment, Critique, Span
from momus.desk import auth
from momus.desk.store.tables import Membership, Project
from momus.desk.store.types import utc_now
from momus.records import Bug, Comparison, Pair, Prefilled, Sampled, Tamper, Task

CORPUS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    "\"><svg onload=alert(3)>",
    "javascript:alert(4)",
    "{{constructor.constructor('alert(5)')()}}",
    "${alert(6)}",
    "</textarea><iframe srcdoc='<script>alert(7)</script>'>",
    "[x](javascript:alert(8)) <a href='javascript:alert(9)'>x</a>",
    "<style>*{display:none}</style>",
)  # fmt: skip
EVIL = " ".join(CORPUS)
UNSEEN = "a\u202eb\u200bc\u2066d\ufeffe\U000e0041f"
NAMES = ("U+202E", "U+200B", "U+2066", "U+FEFF", "U+E0041")
CODE = f'def f(x):\n    """{EVIL}"""\n    return "{UNSEEN}"\n'


def evil(n: int) -> dict[str, Any]:
    def asked(kind: str) -> Task:  # questions of their own: nobody has one code in hand twice
        return Task(id=f"evil-{n}", question=f"{EVIL} {UNSEEN} {kind}", answer=CODE)

    comment = Comment(Span(4, 8), f"{EVIL} {UNSEEN}", suggestion=EVIL)
    sampled = Sampled(task_id="x", critic="human", critique=Critique((comment,)))
    bug = Bug(spans=(Span(4, 8),), category="other", severity="high", description=EVIL + UNSEEN, suggestion=EVIL)
    return {
        "write": asked("write"),
        "team": Prefilled(task=asked("team"), critique=sampled),
        "rate": Comparison(id="x", task=asked("rate"), critiques=(sampled, sampled), bugs=(bug,)),
        "compare": Pair(
            id="x", question=EVIL + UNSEEN, answers=(CODE, CODE + "\n"), makers=("a", "b"), critiques=(sampled,) * 2
        ),
        "grade": Tamper(task=asked("grade"), twin="def f(x):\n    return 1\n", bugs=(bug,), proof="compiles"),
        "tamper": asked("tamper"),
    }


def test_texts_of_models_are_shown_as_text_and_what_is_not_seen_by_its_name(visit: Visit, served: Served) -> None:
    slug = served.project(assisted=1)
    items = evil(served.projects)
    for kind, item in items.items():
        served.load(slug, kind, [item])
    page = visit.page("ann")
    for kind in items:
        page.goto(f"{served.base}/p/{slug}/work/{kind}")
        page.wait_for_selector(".code .cm-line")
        text = page.inner_text("main")
        assert "<script>alert(2)</script>" in text and "</textarea><iframe" in text
        assert all(name in text for name in NAMES), f"{kind}: {[name for name in NAMES if name not in text]}"
        assert page.locator("main img:not(.cm-widgetBuffer), main iframe, main script, main style").count() == 0
        assert page.locator("main a[href^='javascript']").count() == 0
    visit.shot(page, "evil")


def test_what_people_write_is_shown_as_text_on_every_page_that_shows_it(visit: Visit, served: Served) -> None:
    slug = served.project(canary_every=1)
    items = evil(served.projects)
    text = EVIL + UNSEEN
    served.load(slug, "grade", [items["grade"]])
    served.load(slug, "rate", [items["rate"].model_copy(update={"critiques": named(items["rate"].critiques)})])
    served.rate("ann", slug)
    seat = served.api("ann", "POST", f"/projects/{slug}/queue/grade/claim")
    form = {"bugs": [{"severity": 6, "difficulty": 2, "real": True}], "notes": text}
    made = served.api("ann", "POST", f"/seats/{seat['id']}/submit", {"form": form})
    served.api("manager", "POST", f"/projects/{slug}/guidelines", {"text": text})
    served.api("manager", "PATCH", f"/projects/{slug}", {"name": EVIL[:190]})
    served.api("manager", "POST", f"/projects/{slug}/rechecks", {"kind": "grade", "share": 1})
    served.load(slug, "canary", [items["grade"].model_copy(update={"proof": "tests"})])
    served.load(slug, "write", [task(served.projects)])
    with served.store.write() as session:
        user = auth.add_user(session, f"evil-{slug}@example.org", EVIL[:190], None, utc_now())
        which = session.query(Project).filter(Project.slug == slug).one().id
        session.add(Membership(project_id=which, user_id=user.id, role="annotator"))
    pages = (
        ("ann", "history", "button:has-text('Look') >> nth=1"),
        ("ann", f"amend/{made['id']}", ""),
        ("ann", "guidelines", ""),
        ("ann", "review", ""),
        ("eve", "work/recheck", ""),
        ("manager", "manage", ""),
        ("manager", "dashboard", ""),
    )
    for who, path, click in pages:
        page = visit.open(who, f"/p/{slug}/{path}")
        page.wait_for_selector(".page, .bench")
        page.wait_for_function("!document.querySelector('main').textContent.includes('Counting')")
        if click:
            page.click(click)
        if path == "review":
            page.fill("label:has-text('Code') textarea", CODE)
            page.fill("label:has-text('Name') input", EVIL[:190])
            page.click("button.main")
            page.wait_for_selector("[data-finding]")
        assert "<script>alert(2)</script>" in page.inner_text("body"), path
        assert page.locator("body img:not(.cm-widgetBuffer), body iframe, main script, main style").count() == 0, path
        assert page.locator("a[href^='javascript']").count() == 0
        page.close()
    page = visit.open("bob", f"/p/{slug}/work/write")
    page.click("label:has-text('No problems')")
    page.click(".seat-bar button.main")
    page.wait_for_selector("dialog:has-text('That was a canary')")
    assert "<script>alert(2)</script>" in page.inner_text("dialog") and "U+202E" in page.inner_text("dialog")


def named(critiques: tuple[Sampled, ...]) -> tuple[Sampled, ...]:
    return tuple(one.model_copy(update={"critic": f"{i}{EVIL[:100]}"}) for i, one in enumerate(critiques))


def test_a_place_stays_where_it_is_after_characters_of_two_units_and_carriage_returns(
    visit: Visit, served: Served
) -> None:
    slug = served.project()
    answer = "x = '\U0001f600\U0001f600'\r\ny = 1\r\nz = 2\n"
    at = answer.index("y = 1")
    comment = Comment(Span(at, at + 5), "It is two.")
    sampled = Sampled(task_id="x", critic="human", critique=Critique((comment,)))
    served.load(slug, "team", [Prefilled(task=Task(id=f"emoji-{slug}", question="?", answer=answer), critique=sampled)])
    page = visit.open("ann", f"/p/{slug}/work/team")
    page.wait_for_selector("[data-mark='0']")
    assert page.inner_text("[data-mark='0']") == "y = 1"
    assert page.inner_text("[data-comment='0'] .quote") == "y = 1"


def test_a_task_with_ten_thousand_lines_opens(visit: Visit, served: Served) -> None:
    slug = served.project()
    answer = "".join(f"x{i} = {i}\n" for i in range(10_000))
    served.load(slug, "tamper", [Task(id=f"long-{slug}", question="?", answer=answer)])
    page = visit.open("ann", f"/p/{slug}/work/tamper")
    page.wait_for_selector(".code .cm-line")
    page.click(".code .cm-line >> nth=0")
    page.keyboard.press("Control+End")
    page.keyboard.type("x0 = 1")
    page.wait_for_selector(".left:has-text('1 change')")
    assert page.locator(".cm-line").count() < 500, "only what is in sight is drawn"


def test_another_site_can_change_nothing_and_a_page_can_not_be_framed(visit: Visit, served: Served) -> None:
    slug = served.project()
    page = visit.open("ann", f"/p/{slug}")
    headers = {"Origin": "https://evil.example", "Content-Type": "application/json"}
    answer = page.request.post(f"{served.base}/api/v1/projects/{slug}/queue/write/claim", headers=headers)
    assert answer.status == 403
    top = page.request.get(f"{served.base}/login")
    policy = top.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "script-src 'self';" in policy


def test_who_is_not_logged_in_is_led_to_the_login_and_back(visit: Visit, served: Served) -> None:
    slug = served.project()
    page = visit.open("", f"/p/{slug}/history")
    page.wait_for_selector("input[name=email]")
    visit.shot(page, "login")
    page.fill("input[name=email]", "ann@example.org")
    page.fill("input[name=password]", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector(".errors")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('What you handed in')")
    away = visit.open("", "/login?next=//evil.example/x")
    away.fill("input[name=email]", "ann@example.org")
    away.fill("input[name=password]", PASSWORD)
    away.keyboard.press("Enter")
    away.wait_for_selector("h1:has-text('Projects')")


def test_a_project_of_others_is_not_there(visit: Visit, served: Served) -> None:
    page = visit.open("ann", "/p/not-mine")
    page.wait_for_selector("h1:has-text('That is not here')")
