"""A desk with a project and people in it, spoken to over its API. Its clock stands still until it is moved."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from momus.critics.trivial import Everything
from momus.critique import Comment, Critique, Span
from momus.desk import auth
from momus.desk.api.projects import new_project
from momus.desk.app import create_app
from momus.desk.design import Design
from momus.desk.settings import DeskSettings
from momus.desk.store import Store, open_store
from momus.desk.store.tables import Membership, Project, User
from momus.records import Bug, Comparison, Pair, Prefilled, Record, Sampled, Tamper, Task, dump_line

BASE = "http://localhost"
SLUG = "first"
KEYS = (f"key-{i:08}" for i in itertools.count())

TWIN = "def total(xs):\n    s = 0\n    for x in xs:\n        s += x\n    return s\n"
ANSWER = "def total(xs):\n    s = 1\n    for x in xs:\n        s += x\n    return s\n"
TESTS = "assert total([1, 2]) == 3\nassert total([]) == 0\n"
PLACE = {"start": ANSWER.index("s = 1"), "end": ANSWER.index("s = 1") + 5}


@dataclass
class Clock:
    now: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return self.now.timestamp()

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class World:
    app: FastAPI
    store: Store
    clock: Clock
    project: Project
    users: dict[str, User] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, db: str, **settings: Any) -> World:
        clock = Clock()
        store = open_store(db)
        told = DeskSettings(db=db, log=False, **settings)
        app = create_app(told, store=store, clock=clock, ticks=clock.ticks, open_critic=Everything, worker=False)
        with store.write() as session:
            project = new_project(SLUG, "First", Design(), clock())
            session.add(project)
            session.flush()
            session.expunge(project)
        world = cls(app, store, clock, project)
        for role in ("manager", "reviewer", "annotator", "viewer"):
            world.add(role, role)
        world.add("second", "annotator")
        world.add("stranger", None)
        world.add("admin", None, admin=True)
        return world

    def add(self, name: str, role: str | None, *, admin: bool = False) -> User:
        with self.store.write() as session:
            user = auth.add_user(session, f"{name}@example.org", name, None, self.clock(), admin=admin)
            self.keys[name] = auth.start_session(session, user, self.clock(), timedelta(days=90))
            if role is not None:
                session.add(Membership(project_id=self.project.id, user_id=user.id, role=role))
        self.users[name] = user
        return user

    def design(self, **changes: Any) -> None:
        with self.store.write() as session:
            project = session.get_one(Project, self.project.id)
            project.design = Design(**changes).model_dump(mode="json")

    def at(self, name: str) -> TestClient:
        """A browser of somebody's; nobody's for an empty name."""
        cookies = {"momus": self.keys[name]} if name else {}
        return TestClient(
            self.app, base_url=BASE, cookies=cookies, headers={"origin": BASE}, raise_server_exceptions=True
        )

    def load(self, kind: str, items: Iterable[Record | dict[str, Any]], **params: Any) -> dict[str, Any]:
        lines = "".join(
            i if isinstance(i, str) else dump_line(i) if isinstance(i, Record) else json.dumps(i) + "\n" for i in items
        )
        answer = self.at("manager").post(
            f"/api/v1/projects/{SLUG}/imports", params={"kind": kind, **params}, content=lines.encode()
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def claim(self, name: str, kind: str) -> dict[str, Any] | None:
        answer = self.at(name).post(f"/api/v1/projects/{SLUG}/queue/{kind}/claim")
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.status_code == 200 else None

    def submit(
        self, name: str, seat: str, form: dict[str, Any], *, key: str = "", expect: int = 201, **more: Any
    ) -> Any:
        answer = self.at(name).post(
            f"/api/v1/seats/{seat}/submit",
            json={"form": form, **more},
            headers={"Idempotency-Key": key or next(KEYS)},
        )
        assert answer.status_code == expect, answer.text
        return answer.json()

    def close(self) -> None:
        self.store.close()


def task(n: int = 0, answer: str = TWIN, **more: Any) -> Task:
    return Task(id=f"secret-task-{n}", question=f"Write total, variant {n}.", answer=answer, tests=TESTS, **more)


def bug(**more: Any) -> Bug:
    said = {"description": "The sum begins at one, not at nought.", "suggestion": "s = 0", "severity": "high", **more}
    return Bug(spans=(Span(PLACE["start"], PLACE["end"]),), category="wrong-initialisation", **said)


def tamper(n: int = 0) -> Tamper:
    return Tamper(task=task(n, ANSWER), twin=TWIN, bugs=(bug(),), proof="tests", author="secret-author")


def sampled(critic: str, text: str, *, start: int = PLACE["start"], **more: Any) -> Sampled:
    comment = Comment(Span(start, start + 5), text, confidence=0.61803, witness="secret-witness", **more)
    return Sampled(task_id="secret-task", critic=critic, critique=Critique((comment,)), score=0.27182, logprob=-0.57721)


def without_ids(text: str, *ids: str) -> str:
    """A text without its seats' ids and its nonces: they are random, and now and then one spells a secret."""
    for each in ids:
        text = text.replace(each, "")
    return re.sub(r"nonce-[\w-]{22}", "nonce-", text)


def comparison(n: int = 0, bugs: bool = True) -> Comparison:
    made = (
        sampled("server:secret-gpt-4@http://secret.example", "As GPT-4o, I think the sum begins wrongly."),
        sampled("gold", "The sum begins at one.", category="wrong-initialisation"),
        sampled("bundled", "The loop is slow.", start=30),
        Sampled(task_id="secret-task", critic="empty"),
    )
    return Comparison(
        id=f"secret-comparison-{n}",
        task=task(n, ANSWER, source="secret-source", group=f"secret-group-{n}"),
        critiques=made,
        bugs=(bug(),) if bugs else (),
        twin=TWIN if bugs else None,
    )


def prefilled(n: int = 0) -> Prefilled:
    both = (
        sampled("bundled", "The sum begins at one.").critique.comments
        + sampled("bundled", "Slow.", start=30).critique.comments
    )
    return Prefilled(
        task=task(n, ANSWER), critique=Sampled(task_id="secret-task", critic="bundled", critique=Critique(both))
    )


def pair(n: int = 0, **more: Any) -> Pair:
    critiques = (sampled("bundled", "It begins at one."), Sampled(task_id="x", critic="bundled"))
    return Pair(
        id=f"secret-pair-{n}",
        question=f"Which total, variant {n}?",
        answers=(ANSWER, TWIN),
        makers=("secret-a", "secret-b"),
        critiques=critiques,
        **more,
    )


def scores(view: dict[str, Any], bugs: int = 0, **overall: int) -> dict[str, Any]:
    """A form of `rate` that scores the slots as they are shown, the first best."""
    slots = [critique["slot"] for critique in view["critiques"]]
    return {
        "critiques": {
            slot: {
                "comprehensiveness": 4,
                "nitpick": 1,
                "fake_problem": None,
                "conciseness": 5,
                "overall": overall.get(slot, 7 - i),
                "cbi": [6 - i] * bugs,
                "rationale": "so",
            }
            for i, slot in enumerate(slots)
        },
        "order": [[slot] for slot in slots],
        "rationale": "because",
    }
