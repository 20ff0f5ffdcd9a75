"""Coming in, staying out, and what other sites can't do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from desk_world import BASE, SLUG, World, task
from momus.desk import auth
from momus.desk.app import create_app
from momus.desk.limits import RateLimiter
from momus.desk.problems import Problem
from momus.desk.settings import DeskSettings, is_loopback
from momus.desk.store.tables import ApiToken, Invite, Login, User
from momus.errors import MomusError

PASSWORD = "correct horse battery"


def invited(world: World, role: str = "annotator", email: str | None = None) -> str:
    answer = world.at("manager").post(f"/api/v1/projects/{SLUG}/invites", json={"role": role, "email": email})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


def accept(world: World, key: str, email: str, password: str = PASSWORD) -> TestClient:
    browser = world.at("")
    answer = browser.post(
        "/api/v1/auth/accept", json={"invite": key, "email": email, "name": "N", "password": password}
    )
    assert answer.status_code == 200, answer.text
    return browser


def test_people_come_in_by_invite_once_and_log_in_after_that(world: World) -> None:
    key = invited(world, email="New@Example.org")
    wrong = world.at("").post(
        "/api/v1/auth/accept", json={"invite": key, "email": "else@example.org", "password": PASSWORD}
    )
    assert wrong.status_code == 404
    browser = accept(world, key, "new@example.org")
    assert browser.get("/api/v1/auth/me").json()["projects"] == [
        {"project": SLUG, "name": "First", "role": "annotator"}
    ]
    used = world.at("").post(
        "/api/v1/auth/accept", json={"invite": key, "email": "new@example.org", "password": PASSWORD}
    )
    assert used.status_code == 404
    fresh = world.at("")
    assert fresh.post("/api/v1/auth/login", json={"email": "new@example.org", "password": "no"}).status_code == 401
    said = fresh.post("/api/v1/auth/login", json={"email": "NEW@example.org", "password": PASSWORD})
    assert said.status_code == 200 and "HttpOnly" in said.headers["set-cookie"]
    assert "samesite=lax" in said.headers["set-cookie"].lower()
    assert fresh.post("/api/v1/auth/logout").status_code == 204
    kept = TestClient(world.app, base_url=BASE, cookies={"momus": said.cookies["momus"]})
    assert kept.get("/api/v1/auth/me").status_code == 401, "the server forgot the session too"


def test_there_is_no_way_in_without_an_invite(world: World) -> None:
    body = {"invite": "x" * 43, "email": "a@b.org", "password": PASSWORD}
    assert world.at("").post("/api/v1/auth/accept", json=body).status_code == 404
    key = invited(world)
    world.clock.move(days=8)
    late = {"invite": key, "email": "a@b.org", "password": PASSWORD}
    assert world.at("").post("/api/v1/auth/accept", json=late).status_code == 404


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa", "password12345"])
def test_weak_passwords_are_refused(world: World, password: str) -> None:
    body = {"invite": invited(world), "email": "a@b.org", "password": password}
    assert world.at("").post("/api/v1/auth/accept", json=body).status_code == 422


def test_a_new_password_ends_all_other_sessions(world: World) -> None:
    one = accept(world, invited(world), "new@example.org")
    two = world.at("")
    assert two.post("/api/v1/auth/login", json={"email": "new@example.org", "password": PASSWORD}).status_code == 200
    body = {"old": PASSWORD, "new": "another horse battery"}
    assert one.post("/api/v1/auth/password", json={**body, "old": "wrong"}).status_code == 401
    assert one.post("/api/v1/auth/password", json=body).status_code == 204
    assert one.get("/api/v1/auth/me").status_code == 200
    assert two.get("/api/v1/auth/me").status_code == 401


def test_a_person_who_is_switched_off_is_out_at_once(world: World) -> None:
    url = f"/api/v1/users/{world.users['annotator'].id}"
    assert world.at("admin").patch(url, json={"active": False}).json()["active"] is False
    assert world.at("annotator").get("/api/v1/auth/me").status_code == 401
    assert world.at("admin").patch(f"/api/v1/users/{world.users['admin'].id}", json={"admin": False}).status_code == 409


def test_sessions_and_keys_run_out_and_only_hashes_are_kept(world: World) -> None:
    made = world.at("annotator").post("/api/v1/tokens", json={"name": "ci", "scopes": ["read"], "days": 1}).json()
    with world.store.read() as session:
        kept = [row.hash for table in (Login, ApiToken, Invite) for row in session.query(table)]
    assert made["key"] not in kept and world.keys["annotator"] not in kept
    assert auth.key_hash(made["key"]) in kept
    program = TestClient(world.app, base_url=BASE, headers={"authorization": f"Bearer {made['key']}"})
    assert program.get(f"/api/v1/projects/{SLUG}").status_code == 200
    world.clock.move(days=2)
    assert program.get(f"/api/v1/projects/{SLUG}").status_code == 401
    world.clock.move(days=100)
    assert world.at("annotator").get("/api/v1/auth/me").status_code == 401


def test_a_token_does_no_more_than_its_scopes_and_its_owner(world: World) -> None:
    world.load("write", [task()])
    made = world.at("annotator").post("/api/v1/tokens", json={"name": "x", "scopes": ["read", "manage"]}).json()
    program = TestClient(world.app, base_url=BASE, headers={"authorization": f"Bearer {made['key']}"})
    assert program.get(f"/api/v1/projects/{SLUG}").status_code == 200
    assert program.post(f"/api/v1/projects/{SLUG}/queue/write/claim").status_code == 403, "no scope `work`"
    assert program.get(f"/api/v1/projects/{SLUG}/tasks").status_code == 403, "no manager"
    assert program.post("/api/v1/tokens", json={"name": "y", "scopes": ["read"]}).status_code == 403
    assert world.at("annotator").delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert program.get(f"/api/v1/projects/{SLUG}").status_code == 401


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, 403),
        ({}, 403),
        ({"origin": BASE}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_another_site_changes_nothing(world: World, headers: dict[str, str], expected: int) -> None:
    world.load("write", [task()])
    browser = TestClient(world.app, base_url=BASE, cookies={"momus": world.keys["annotator"]}, headers=headers)
    answer = browser.post(f"/api/v1/projects/{SLUG}/queue/write/claim")
    assert answer.status_code == expected and browser.get("/api/v1/auth/me").status_code == 200


def test_a_host_of_another_name_is_refused(world: World) -> None:
    browser = TestClient(world.app, base_url="http://rebound.example", cookies={"momus": world.keys["annotator"]})
    assert browser.get("/api/v1/auth/me").status_code == 421
    for name in ("http://127.0.0.1:8321", "http://[::1]:8321", "http://localhost:1"):
        assert TestClient(world.app, base_url=name).get("/healthz").status_code == 200


def test_answers_carry_the_headers_that_keep_pages_safe(world: World) -> None:
    headers = world.at("").get("/healthz").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_guessing_passwords_is_slowed_down(world: World) -> None:
    body = {"email": "annotator@example.org", "password": "guess"}
    answers = [world.at("").post("/api/v1/auth/login", json=body) for _ in range(11)]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_bucket_fills_again_with_time_and_a_clock_that_goes_back_takes_nothing() -> None:
    now = [100.0]
    limiter = RateLimiter(lambda: now[0])
    for _ in range(3):
        limiter.take("login", "me", 3)
    with pytest.raises(Problem) as refused:
        limiter.take("login", "me", 3)
    assert refused.value.more["retry_after"] == 20
    limiter.take("login", "you", 3)
    now[0] += 20
    limiter.take("login", "me", 3)
    now[0] -= 1000
    with pytest.raises(Problem):
        limiter.take("login", "me", 3)


def test_the_desk_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    DeskSettings().check_bind()
    assert is_loopback("::1") and is_loopback("127.3.4.5") and not is_loopback("example.org")
    with pytest.raises(MomusError, match="--https"):
        DeskSettings(host="0.0.0.0").check_bind()
    DeskSettings(host="0.0.0.0", https=True).check_bind()
    assert DeskSettings(https=True).cookie == "__Host-momus"


def test_one_setting_alone_takes_no_isolation_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOMUS_DESK_SANDBOX", "unsafe-local")
    monkeypatch.setenv("MOMUS_DESK_DB", str(tmp_path / "desk.db"))
    with pytest.raises(MomusError, match="--accept-unsafe-local"):
        create_app(DeskSettings())
    assert DeskSettings(sandbox="auto").check_sandbox() is None
    said = DeskSettings(accept_unsafe_local=True).check_sandbox()
    assert said is not None and "WITHOUT isolation" in said
    create_app(DeskSettings(accept_unsafe_local=True), worker=False)


def test_the_first_admin_comes_in_by_a_key_from_the_command_line(world: World) -> None:
    with world.store.write() as session:
        key, _ = auth.invite(session, world.clock(), timedelta(days=1), admin=True)
    browser = accept(world, key, "boss@example.org")
    assert browser.get("/api/v1/auth/me").json()["admin"] is True
    made = browser.post("/api/v1/projects", json={"slug": "next", "name": "Next"})
    assert made.status_code == 201 and "manage" in made.json()["may"]
    assert browser.post("/api/v1/projects", json={"slug": "next", "name": "Next"}).status_code == 409


def test_pseudonyms_tell_nothing(world: World) -> None:
    with world.store.read() as session:
        for user in session.query(User):
            assert user.name not in user.pseudonym and str(user.email) not in user.pseudonym
