"""A desk in a process of its own, as `momus desk` starts it, and a browser that watches what its pages do."""

from __future__ import annotations

import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from desk_world import ANSWER, PLACE, SLUG, TWIN, comparison, pair, prefilled, sampled, scores, tamper, task
from momus.desk import auth
from momus.desk.api.projects import new_project
from momus.desk.design import Design
from momus.desk.imports import import_rows
from momus.desk.intake.reading import reading_of
from momus.desk.intake.source import source_of
from momus.desk.store import Store, open_store
from momus.desk.store.migrate import upgrade
from momus.desk.store.tables import Guideline, Membership, Project, Submission, User
from momus.desk.store.types import utc_now
from momus.records import Record
from momus.records import dump_line as dump

SHOTS = Path(__file__).parent / "desk" / "browser" / "shots"
PASSWORD = "correct horse battery staple"


@dataclass
class Served:
    """A running desk. It can be killed and started again on the same port and database."""

    db: str
    port: int
    store: Store
    critic: str = "everything"
    process: subprocess.Popen[bytes] | None = None
    keys: dict[str, str] = field(default_factory=dict)
    projects: int = 0

    @classmethod
    def open(cls, folder: Path, *, db: str = "", critic: str = "everything") -> Served:
        """In SQLite in a folder, or in the database of a URL."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        db = db or f"sqlite:///{folder / 'desk.db'}"
        store = open_store(db)
        upgrade(store)
        made = cls(db, port, store, critic)
        hashed = auth.hash_password(PASSWORD)
        with store.write() as session:
            for name in ("ann", "bob", "eve", "manager"):
                user = auth.add_user(session, f"{name}@example.org", name, hashed, utc_now(), admin=name == "manager")
                made.keys[name] = auth.start_session(session, user, utc_now(), timedelta(days=1))
        made.start()
        return made

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = ["-m", "momus.cli", "desk", "--db", self.db, "--port", str(self.port), "--critic", self.critic]
        quiet = {**os.environ, "MOMUS_DESK_LOG": "false", "MOMUS_DESK_CLAIMS_PER_MINUTE": "10000"}
        self.process = subprocess.Popen([sys.executable, *command], env=quiet, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.base}/readyz", timeout=2):
                    return
            except OSError:
                assert self.process.poll() is None, "the desk ended at once"
                time.sleep(0.1)
        raise AssertionError("the desk did not start within a minute")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
        self.store.close()

    def project(self, **design: Any) -> str:
        """A new project with ann and bob as annotators and eve as a reviewer; its short name."""
        self.projects += 1
        slug = f"{SLUG}-{self.projects}"
        with self.store.write() as session:
            made = new_project(slug, f"Project {self.projects}", Design(**design), utc_now())
            session.add(made)
            session.flush()
            for user in session.query(User):
                role = {"ann": "annotator", "bob": "annotator", "eve": "reviewer"}.get(user.name)
                if role:
                    session.add(Membership(project_id=made.id, user_id=user.id, role=role))
            text = "Say what breaks, and when.\n\nNo remarks on style."
            session.add(Guideline(project_id=made.id, version=1, text=text, created=utc_now()))
        return slug

    def load(self, slug: str, kind: str, items: Iterable[Record], **more: Any) -> None:
        with self.store.read() as session:
            project = session.query(Project).filter(Project.slug == slug).one()
            session.expunge(project)
        lines = io.BytesIO("".join(dump(item) for item in items).encode())
        given = {"overlap": 1, "priority": 0, **more}
        reading = reading_of(kind, source_of(lines, 50_000_000))  # type: ignore[arg-type]
        import_rows(self.store, project, reading, utc_now(), **given)

    def rate(self, who: str, slug: str, say: Callable[[str], dict[str, int]] = lambda text: {}) -> None:
        """Rate the next comparison over the API, with both passes; `say` scores a critique's text in its own way."""
        seat = self.api(who, "POST", f"/projects/{slug}/queue/rate/claim")
        texts = {one["slot"]: " ".join(c["text"] for c in one["comments"]) for one in seat["view"]["critiques"]}
        for step, bugs in (("first-pass", 0), ("submit", 1)):
            form = scores(seat["view"], bugs=bugs)
            for slot, one in form["critiques"].items():
                said = {"fake_problem": 2, **say(texts[slot])}
                one.update({**said, "cbi": [said.get("cbi", one["cbi"][0])] if bugs else []})
            self.api(who, "POST", f"/seats/{seat['id']}/{step}", {"form": form})

    def stored(self, kind: str) -> dict[str, Any]:
        """What was handed in last of a kind."""
        with self.store.read() as session:
            made = session.query(Submission).filter(Submission.kind == kind).order_by(Submission.id.desc()).first()
            assert made is not None, f"nothing of {kind} was handed in"
            return dict(made.payload)

    def api(self, who: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Ask the API as somebody."""
        headers = {
            "Cookie": f"momus={self.keys[who]}",
            "Origin": self.base,
            "Content-Type": "application/json",
            "Idempotency-Key": secrets.token_hex(8),
            **(headers or {}),
        }
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/v1{path}", sent, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())


class Visit:
    """Pages of one test. It fails where a page asked for anything but the desk, or ran into its own policy."""

    def __init__(self, browser: Any, served: Served, name: str) -> None:
        self.browser, self.served, self.name = browser, served, name
        self.contexts: list[Any] = []
        self.outside: list[str] = []
        self.wrong: list[str] = []

    def page(
        self, who: str, *, scheme: str = "light", width: int = 1440, height: int = 900, touch: bool = False
    ) -> Any:
        size = {"width": width, "height": height}
        context = self.browser.new_context(
            viewport=size, color_scheme=scheme, reduced_motion="reduce", has_touch=touch, is_mobile=touch
        )
        if who:
            cookie = {"name": "momus", "value": self.served.keys[who], "url": self.served.base}
            context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        return page

    def open(self, who: str, path: str, **more: Any) -> Any:
        page = self.page(who, **more)
        page.goto(self.served.base + path)
        return page

    def shot(self, page: Any, name: str = "", *, whole: bool = False) -> None:
        """Keep what is seen, or the whole page, for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name or self.name}.png", full_page=whole)

    def shot_all(self, name: str) -> None:
        for i, page in enumerate(page for context in self.contexts for page in context.pages):
            self.shot(page, f"{name}-{i}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        assert not self.outside, f"asked for from elsewhere: {self.outside}"
        assert not self.wrong, "\n".join(self.wrong)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.served.base, "data:", "blob:")):
            self.outside.append(request.url)

    def _said(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


__all__ = [
    "ANSWER", "PASSWORD", "PLACE", "TWIN", "Served", "Visit", "comparison", "dump", "pair", "prefilled", "press",
    "sampled", "scores", "tamper", "task",
]  # fmt: skip


def serious(page: Any, axe: str, *, colours: bool = False) -> list[str]:
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
