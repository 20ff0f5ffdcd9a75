"""The tables. A *seat* is one place of an assignment; a *hold* is one person's stay on it, with the draft.

Seats are made with their assignment, so that more people than `overlap` can't be let in. Submissions are only ever
added: an amended one is superseded, one taken back is marked undone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from momus.desk.store.types import Utc

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
Json = dict[str, Any]


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {datetime: Utc(), Json: JSON(none_as_null=True), list[Any]: JSON(none_as_null=True)}


class User(Base):
    """Whoever may come in. `pseudonym` stands for them in every export. Without a password nobody can log in."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    pseudonym: Mapped[str] = mapped_column(String(40), unique=True)
    password: Mapped[str | None] = mapped_column(String(400))
    active: Mapped[bool] = mapped_column(default=True)
    admin: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]


class Login(Base):
    """A browser's session: the cookie holds the key, this the key's hash."""

    __tablename__ = "logins"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created: Mapped[datetime]
    expires: Mapped[datetime]
    revoked: Mapped[bool] = mapped_column(default=False)


class ApiToken(Base):
    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[list[Any]]
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    revoked: Mapped[bool] = mapped_column(default=False)


class Invite(Base):
    """A way in for one person, once. The first admin's is made on the command line."""

    __tablename__ = "invites"
    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(320))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), index=True)
    role: Mapped[str | None] = mapped_column(String(20))
    admin: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]
    expires: Mapped[datetime]
    used: Mapped[datetime | None]


class Reset(Base):
    """A way to a new password for one person, once."""

    __tablename__ = "resets"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created: Mapped[datetime]
    expires: Mapped[datetime]
    used: Mapped[bool] = mapped_column(default=False)


class Project(Base):
    """`secret` keys the slot names of this project; it never leaves the database. `mapped`: by kind, which column of
    an imported file was chosen for which field."""

    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    secret: Mapped[str] = mapped_column(String(64))
    design: Mapped[Json]
    mapped: Mapped[Json | None]
    created: Mapped[datetime]


class Membership(Base):
    __tablename__ = "memberships"
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(20))


class Guideline(Base):
    __tablename__ = "guidelines"
    __table_args__ = (UniqueConstraint("project_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]


class TaskRow(Base):
    """`data` is a `records.Task`; `sha256` is of its question and answer."""

    __tablename__ = "tasks"
    __table_args__ = (UniqueConstraint("project_id", "sha256"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    data: Mapped[Json]
    created: Mapped[datetime]


class Assignment(Base):
    """A piece of work of one kind. `payload` is the kind's item; `gold` what is known to be right; a canary is a known
    bug slipped in among the rest."""

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("project_id", "kind", "sha256"),
        CheckConstraint("overlap >= 1", name="overlap"),
        Index("ix_assignments_of_kind", "project_id", "kind", "state", "canary"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    overlap: Mapped[int]
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(20), default="open")  # open, done, withdrawn
    payload: Mapped[Json]
    gold: Mapped[Json | None]
    canary: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]


class Code(Base):
    """A code that an assignment is about: `shown` to whoever works on it, or known as the twin of one that is."""

    __tablename__ = "codes"
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    shown: Mapped[bool]


class Barred(Base):
    """Who may not work on an assignment: nobody rates their own tamper or critique, or looks for a bug they know."""

    __tablename__ = "barred"
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)


class Seat(Base):
    """`arm` is the side of an experiment, drawn when the seat was made. Some columns repeat the assignment's, so that
    a claim is one look into one index."""

    __tablename__ = "seats"
    __table_args__ = (
        UniqueConstraint("assignment_id", "no"),
        UniqueConstraint("assignment_id", "user_id"),
        CheckConstraint("(state IN ('leased', 'submitted')) = (user_id IS NOT NULL)", name="held"),
        CheckConstraint("state IN ('free', 'leased', 'submitted', 'void')", name="state"),
        Index("ix_seats_claim", "project_id", "kind", "canary", "state", "rank", "id"),
        Index("ix_seats_lease", "project_id", "kind", "state", "lease_until"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    no: Mapped[int]
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    kind: Mapped[str] = mapped_column(String(20))
    canary: Mapped[bool] = mapped_column(default=False)
    rank: Mapped[int]  # the priority, negated: the lowest goes first
    arm: Mapped[str] = mapped_column(String(20), default="")
    state: Mapped[str] = mapped_column(String(20), default="free")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    lease_until: Mapped[datetime | None]


class Hold(Base):
    """One person at one assignment, from the first claim on; it outlives the lease, as the draft does. Its id is what
    the person's browser knows, and nobody else's. `findings`: what the critic missed, by the hash of an answer."""

    __tablename__ = "holds"
    __table_args__ = (UniqueConstraint("assignment_id", "user_id"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    seat_id: Mapped[int] = mapped_column(ForeignKey("seats.id"), index=True)
    arm: Mapped[str] = mapped_column(String(20), default="")
    claimed: Mapped[datetime]
    active_ms: Mapped[int] = mapped_column(default=0)
    first_pass: Mapped[Json | None]
    draft: Mapped[Json | None]
    draft_rev: Mapped[int] = mapped_column(default=0)
    draft_saved: Mapped[datetime | None]
    skips: Mapped[int] = mapped_column(default=0)
    declined: Mapped[bool] = mapped_column(default=False)
    done: Mapped[bool] = mapped_column(default=False)
    findings: Mapped[Json | None]


class Skip(Base):
    """Why somebody put work back (`skip`), or will not do it (`decline`)."""

    __tablename__ = "skips"
    id: Mapped[int] = mapped_column(primary_key=True)
    hold_id: Mapped[str] = mapped_column(ForeignKey("holds.id"), index=True)
    what: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]


class Submission(Base):
    """`late`: the seat was no longer this person's; the work is kept. `used`: something was made of it, no undo.
    `makes` is the hash of the task that it makes (a tamper's)."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_submissions_of_kind", "project_id", "kind", "id"),
        Index("ix_submissions_of_user", "user_id", "project_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    kind: Mapped[str] = mapped_column(String(20))
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id"), index=True)
    hold_id: Mapped[str] = mapped_column(ForeignKey("holds.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(String(200))
    body_sha256: Mapped[str] = mapped_column(String(64))
    guideline_version: Mapped[int | None]
    schema_version: Mapped[int] = mapped_column(default=1)
    arm: Mapped[str] = mapped_column(String(20), default="")
    payload: Mapped[Json]
    makes: Mapped[str | None] = mapped_column(String(64), index=True)
    active_ms: Mapped[int]
    supersedes: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    superseded: Mapped[bool] = mapped_column(default=False)
    late: Mapped[bool] = mapped_column(default=False)
    over_time: Mapped[bool] = mapped_column(default=False)
    undone: Mapped[bool] = mapped_column(default=False)
    used: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]


class CritiqueRow(Base):
    """`data` is a `records.Sampled`. A team's critique has the one that it began from as its parent."""

    __tablename__ = "critiques"
    __table_args__ = (
        UniqueConstraint("task_id", "sha256"),
        CheckConstraint("maker IN ('human', 'model', 'team')", name="maker"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    maker: Mapped[str] = mapped_column(String(10))
    critic: Mapped[str] = mapped_column(String(200))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"), index=True)
    data: Mapped[Json]
    created: Mapped[datetime]


class ProgramRun(Base):
    """How an answer did when its task's tests ran on it in the sandbox."""

    __tablename__ = "program_runs"
    __table_args__ = (UniqueConstraint("task_id", "sha256"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    data: Mapped[Json]
    created: Mapped[datetime]


class Event(Base):
    """What happened, for the page that follows along. It holds no names of people and no text of theirs."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_of_project", "project_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    what: Mapped[str] = mapped_column(String(40))
    data: Mapped[Json]
    created: Mapped[datetime]


class Job(Base):
    """Work that takes longer than a request. A worker's lease runs out if it dies; then another takes it, but not for
    ever. `size` is that of its code, in characters; `started` when it was taken last."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state", "state", "created"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    what: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))  # waiting, running, done, failed, cancelled
    size: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    started: Mapped[datetime | None]
    params: Mapped[Json]
    result: Mapped[Json | None]
    error: Mapped[str | None] = mapped_column(Text)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime]
    lease_until: Mapped[datetime | None]


class Review(Base):
    """Code that somebody had reviewed, and what they said of each comment: `labels` by the comment's index."""

    __tablename__ = "reviews"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    task: Mapped[Json]
    critique: Mapped[Json | None]
    labels: Mapped[Json]
    created: Mapped[datetime]
