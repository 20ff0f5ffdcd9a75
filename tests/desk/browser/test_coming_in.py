"""The ways in: an invite whose key survives a mistake, and a new password by a link of an admin."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from desk_browser import Served, Visit
from momus.desk import auth
from momus.desk.store.tables import User
from momus.desk.store.types import utc_now

PASSWORD = "another horse battery"


def test_the_key_of_an_invite_survives_a_mistake(visit: Visit, served: Served) -> None:
    slug = served.project()
    key = served.api("manager", "POST", f"/projects/{slug}/invites", {"role": "annotator"})["key"]
    page = visit.page("")
    page.goto(f"{served.base}/join")
    page.fill("[name=invite]", key)
    page.fill("[name=email]", f"new-{slug}@example.org")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", "something else")
    page.click("button.main")
    page.wait_for_selector(".errors:has-text('differ')")
    assert page.input_value("[name=invite]") == key and page.input_value("[name=email]") == f"new-{slug}@example.org"
    page.fill("[name=again]", PASSWORD)
    page.click("button.main")
    page.wait_for_selector(f"a[href='/p/{slug}']")


def test_a_forgotten_password_is_set_anew_by_a_link(visit: Visit, served: Served) -> None:
    slug = served.project()
    manager = visit.open("manager", f"/p/{slug}/manage")
    manager.click("summary:has-text('Everybody on this desk')")
    manager.locator("details tr", has_text="bob@example.org").locator("button:has-text('New password')").click()
    link = manager.inner_text("[data-invite]")
    assert link.startswith(f"{served.base}/reset#")
    page = visit.page("")
    page.goto(f"{served.base}/login")
    page.click("a:has-text('Forgot your password')")
    page.fill("[name=email]", "bob@example.org")
    page.click("button.main")
    page.wait_for_selector("[role=status]:has-text('sends no mail')")
    page.goto(link)
    for password, again, says in (("short", "short", "12 characters"), (PASSWORD, "other", "differ")):
        page.fill("[name=password]", password)
        page.fill("[name=again]", again)
        page.click("button.main")
        page.wait_for_selector(f".errors:has-text('{says}')")
    page.fill("[name=again]", PASSWORD)
    page.click("button.main")
    page.wait_for_selector(f"a[href='/p/{slug}']")
    assert quote(link.partition("#")[2]) not in page.url
    with served.store.write() as session:  # the others' tests go on with bob's session
        bob = session.query(User).filter(User.email == "bob@example.org").one()
        served.keys["bob"] = auth.start_session(session, bob, utc_now(), timedelta(days=1))
