"""Passwords: looked at outside of transactions, guessed at slowly, forgotten, set anew; and roles that invites keep."""

from __future__ import annotations

import queue
import re
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from desk_world import BASE, SLUG, World, task
from momus.cli.desk import _first_admin, command
from momus.desk import auth
from momus.desk.app import create_app
from momus.desk.limits import network_of
from momus.desk.settings import DeskSettings
from momus.desk.store.tables import Membership, User
from momus.desk.store.types import utc_now

PASSWORD = "correct horse battery"
NEW = "another horse battery"


def give_password(world: World, name: str) -> User:
    hashed = auth.hash_password(PASSWORD)
    with world.store.write() as session:
        user = session.query(User).filter(User.email == f"{name}@example.org").one()
        user.password = hashed
        return user


def from_address(world: World, address: str, forwarded: str = "") -> TestClient:
    headers = {"origin": BASE, **({"x-forwarded-for": forwarded} if forwarded else {})}
    return TestClient(world.app, base_url=BASE, headers=headers, client=(address, 50_000))


def log_in(at: TestClient, name: str, password: str) -> int:
    return at.post("/api/v1/auth/login", json={"email": f"{name}@example.org", "password": password}).status_code


def test_nobody_waits_for_a_password_to_be_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While passwords are hashed the database's one writer is free, and so are the threads that answer requests."""
    give_password(world, "annotator")
    world.load("write", [task()])
    seat = world.claim("annotator", "write")
    assert seat is not None
    hashing, on = threading.Semaphore(0), threading.Event()
    right = auth.is_right

    def slowly(password: str, hashed: str | None) -> bool:
        hashing.release()
        assert on.wait(60)
        return right(password, hashed)

    monkeypatch.setattr(auth, "is_right", slowly)
    codes: list[int] = []
    with TestClient(world.app, base_url=BASE, headers={"origin": BASE}) as at:  # one loop for all, as in a server
        guesses = [threading.Thread(target=lambda: codes.append(log_in(at, "annotator", "guess"))) for _ in range(9)]
        for guess in guesses:
            guess.start()
        assert hashing.acquire(timeout=30)
        url = f"/api/v1/seats/{seat['id']}/heartbeat"
        beat = at.put(url, json={}, headers={"cookie": f"momus={world.keys['annotator']}"})
        assert beat.status_code == 200, "with nine logins under way, none of them done"
        assert not codes
        on.set()
        for guess in guesses:
            guess.join()
    assert codes == [401] * 9


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[World]:
    """A desk that lets two logins a minute fail."""
    made = World.open(f"sqlite:///{tmp_path / 'strict.db'}", logins_per_minute=2)
    yield made
    made.close()


def test_who_guesses_elsewhere_does_not_lock_the_owner_out(strict: World) -> None:
    give_password(strict, "annotator")
    codes = [log_in(from_address(strict, "203.0.113.7"), "annotator", "guess") for _ in range(3)]
    assert codes == [401, 401, 429]
    assert log_in(from_address(strict, "198.51.100.1"), "annotator", PASSWORD) == 200
    for network in range(11):  # many networks at one account
        codes = [log_in(from_address(strict, f"203.0.113.{20 + network}"), "annotator", "guess") for _ in range(2)]
    assert codes == [401, 429], "they are slowed down together"
    assert log_in(from_address(strict, "192.0.2.9"), "annotator", PASSWORD) == 200, "and still not the owner"


def test_thirty_people_behind_one_proxy_come_in_at_once(strict: World) -> None:
    hashed = auth.hash_password(PASSWORD)
    with strict.store.write() as session:
        for n in range(30):
            auth.add_user(session, f"p{n}@example.org", f"p{n}", hashed, strict.clock())
    office = from_address(strict, "203.0.113.7")
    assert [log_in(office, f"p{n}", PASSWORD) for n in range(30)] == [200] * 30
    assert log_in(office, "p0", "mistyped") == 401 and log_in(office, "p0", PASSWORD) == 200


def test_a_network_that_guesses_at_everybody_is_slowed_down(strict: World) -> None:
    codes = [log_in(from_address(strict, "203.0.113.7"), f"nobody{n}", "guess") for n in range(21)]
    assert codes == [401] * 20 + [429]
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2:ffff::") != network_of("2001:db8:1:3::")
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"


@pytest.mark.parametrize("trusted", [("203.0.113.0/24",), ()])
def test_only_a_trusted_proxy_says_where_a_request_comes_from(tmp_path: Path, trusted: tuple[str, ...]) -> None:
    world = World.open(f"sqlite:///{tmp_path / 'proxied.db'}", trusted_proxies=trusted, logins_per_minute=2)
    codes = [log_in(from_address(world, "203.0.113.7", f"192.0.2.{n}"), "annotator", "guess") for n in range(4)]
    assert (429 in codes) is not bool(trusted), "four people, or one who says to be four"
    world.close()


def test_an_invite_never_lowers_a_role(world: World) -> None:
    def invited(name: str, role: str) -> str:
        give_password(world, name)
        key = world.at("manager").post(f"/api/v1/projects/{SLUG}/invites", json={"role": role}).json()["key"]
        body = {"invite": key, "email": f"{name}@example.org", "password": PASSWORD}
        assert world.at("").post("/api/v1/auth/accept", json=body).status_code == 200
        with world.store.read() as session:
            return str(session.get_one(Membership, (world.project.id, world.users[name].id)).role)

    assert invited("manager", "annotator") == "manager"
    assert invited("reviewer", "viewer") == "reviewer"
    assert invited("annotator", "reviewer") == "reviewer"
    assert invited("viewer", "annotator") == "annotator"


def test_tokens_end_with_the_password(world: World) -> None:
    give_password(world, "annotator")
    at = world.at("annotator")
    made = at.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}).json()
    program = TestClient(world.app, base_url=BASE, headers={"authorization": f"Bearer {made['key']}"})
    assert program.get("/api/v1/auth/me").status_code == 200
    assert at.post("/api/v1/auth/password", json={"old": PASSWORD, "new": NEW}).status_code == 204
    assert program.get("/api/v1/auth/me").status_code == 401
    assert at.get("/api/v1/tokens").json() == []


@pytest.mark.parametrize("how", ["removed", "off"])
def test_the_stream_of_events_ends_with_the_membership(world: World, how: str) -> None:
    user = world.users["viewer"].id
    lines: list[str] = []
    with world.at("viewer").stream("GET", f"/api/v1/projects/{SLUG}/events", params={"seconds": 20}) as stream:
        for line in stream.iter_lines():
            if not lines:
                if how == "removed":
                    assert world.at("manager").delete(f"/api/v1/projects/{SLUG}/members/{user}").status_code == 204
                else:
                    world.at("admin").patch(f"/api/v1/users/{user}", json={"active": False})
            lines.append(line)
    assert "event: ended" in lines, "long before the twenty seconds were over"


def reset(world: World, key: str, password: str = NEW) -> Any:
    return world.at("").post("/api/v1/auth/reset", json={"key": key, "password": password})


def test_a_link_of_an_admin_sets_a_new_password_once(world: World) -> None:
    give_password(world, "annotator")
    url = f"/api/v1/users/{world.users['annotator'].id}/reset"
    old = world.at("admin").post(url).json()["key"]
    key = world.at("admin").post(url).json()["key"]
    token = world.at("annotator").post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}).json()["key"]
    assert reset(world, old).status_code == 404, "a later link takes its place"
    assert reset(world, key, "short").status_code == 422
    done = reset(world, key)
    assert done.status_code == 200 and done.json()["name"] == "annotator" and "momus" in done.cookies
    assert reset(world, key).status_code == 404, "once"
    assert world.at("annotator").get("/api/v1/auth/me").status_code == 401, "sessions from before have ended"
    program = TestClient(world.app, base_url=BASE, headers={"authorization": f"Bearer {token}"})
    assert program.get("/api/v1/auth/me").status_code == 401
    assert log_in(world.at(""), "annotator", PASSWORD) == 401 and log_in(world.at(""), "annotator", NEW) == 200
    late = world.at("admin").post(url).json()["key"]
    world.clock.move(hours=25)
    assert reset(world, late).status_code == 404


def test_a_link_from_the_command_line(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path / 'desk.db'}"
    world = World.open(db)
    done = CliRunner().invoke(
        command, ["--origin", "https://desk.example.org", "reset-link", "--db", db, "--email", "annotator@example.org"]
    )
    assert done.exit_code == 0, done.output
    found = re.fullmatch(r"https://desk\.example\.org/reset#(\S+)\n", done.output)
    assert found is not None
    world.clock.now = utc_now()
    assert reset(world, found[1]).status_code == 200
    missing = CliRunner().invoke(command, ["reset-link", "--db", db, "--email", "nobody@example.org"])
    assert missing.exit_code != 0 and "nobody@example.org" in str(missing.exception)
    world.close()


class Post(socketserver.StreamRequestHandler):
    """A mail server of its own: it takes a letter and keeps it."""

    def handle(self) -> None:
        say = lambda line: self.wfile.write(f"{line}\r\n".encode())  # noqa: E731
        say("220 here")
        body: list[str] = []
        letter = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if letter:
                if line == ".":
                    letter = False
                    self.server.letters.put("\n".join(body))  # type: ignore[attr-defined]
                    say("250 kept")
                body.append(line)
            elif line.upper().startswith("DATA"):
                letter = True
                say("354 go on")
            elif line.upper().startswith("QUIT"):
                say("221 bye")
                return
            else:
                say("250 well")


@pytest.fixture
def post() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.letters = queue.Queue()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_a_link_comes_by_mail_where_there_is_a_server(tmp_path: Path, post: Any) -> None:
    world = World.open(
        f"sqlite:///{tmp_path / 'mailing.db'}",
        smtp_host="127.0.0.1",
        smtp_port=post.server_address[1],
        smtp_security="none",
        origins=("https://desk.example.org",),
    )
    for email in ("nobody@example.org", "Annotator@Example.org"):
        answer = world.at("").post("/api/v1/auth/forgot", json={"email": email})
        assert (answer.status_code, answer.json()) == (202, {"mail": True}), "the same whoever is known"
    letter = post.letters.get(timeout=30)
    found = re.search(r"https://desk\.example\.org/reset#(\S+)", letter)
    assert found is not None and "To: annotator@example.org" in letter and post.letters.empty()
    assert reset(world, found[1]).status_code == 200
    world.close()


def test_without_a_mail_server_it_says_so(world: World) -> None:
    answer = world.at("").post("/api/v1/auth/forgot", json={"email": "annotator@example.org"})
    assert answer.json() == {"mail": False}


def test_an_empty_desk_tells_its_first_admin_where_to_come_in(tmp_path: Path) -> None:
    settings = DeskSettings(db=f"sqlite:///{tmp_path / 'empty.db'}", log=False, port=4321)
    app = create_app(settings, worker=False)
    link = _first_admin(app, settings)
    assert link is not None and link.startswith("http://127.0.0.1:4321/join#")
    at = TestClient(app, base_url=BASE, headers={"origin": BASE})
    body = {"invite": unquote(link.partition("#")[2]), "email": "boss@example.org", "password": PASSWORD}
    assert at.post("/api/v1/auth/accept", json=body).json()["admin"] is True
    assert _first_admin(app, settings) is None, "somebody is here"
    app.state.desk.store.close()
