"""`/users` and `/projects`: people, roles, invites, guidelines, a project's design."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import func, select

from momus.desk import auth
from momus.desk.api.deps import (
    SLUG,
    Access,
    AdminDep,
    Body,
    CallerDep,
    DeskDep,
    Line,
    Long,
    ManageDep,
    ReadDep,
    RowId,
    Slug,
    problems,
)
from momus.desk.context import Desk
from momus.desk.design import Design, design_of
from momus.desk.problems import conflict, not_found
from momus.desk.roles import Role, granted
from momus.desk.store.tables import Guideline, Invite, Membership, Project, User
from momus.errors import MomusError

router = APIRouter(prefix="/api/v1", responses=problems(409))


class Person(Body):
    id: int
    email: str
    name: str
    pseudonym: str
    active: bool
    admin: bool


class ChangePerson(Body):
    active: bool | None = None
    admin: bool | None = None


class ResetView(Body):
    """The link is `/reset#KEY`."""

    key: str


class NewProject(Body):
    slug: Slug
    name: Line
    design: Design = Design()


class ChangeProject(Body):
    name: Line | None = None
    design: Design | None = None


class ProjectView(Body):
    """`may` is what the caller may do here. `design` is there for those who manage."""

    slug: str
    name: str
    may: list[str]
    guideline: int | None
    design: Design | None


class Member(Body):
    id: int
    name: str
    email: str
    pseudonym: str
    role: str


class ChangeMember(Body):
    role: Role


class NewInvite(Body):
    """With an `email` only that address may use it."""

    email: Line | None = None
    role: Role


class InviteView(Body):
    """`key` is there only when the invite has just been made."""

    id: int
    email: str | None
    role: str | None
    expires: datetime
    key: str | None = None


class NewGuideline(Body):
    text: Annotated[Long, Field(min_length=1)]


class GuidelineView(Body):
    version: int
    text: str
    created: datetime


@router.get("/users", tags=["people"])
def users(who: AdminDep, desk: DeskDep) -> list[Person]:
    with desk.store.read() as session:
        return [_person(user) for user in session.scalars(select(User).order_by(User.id))]


@router.patch("/users/{user}", tags=["people"])
def change_user(user: RowId, body: ChangePerson, who: AdminDep, desk: DeskDep) -> Person:
    """Switch somebody off (all sessions end at once), or make somebody an admin. Not oneself."""
    with desk.store.write() as session:
        found = session.get(User, user)
        if found is None:
            raise not_found("user")
        if found.id == who.user_id:
            raise conflict("oneself", "Another admin does this to you.")
        found.active = found.active if body.active is None else body.active
        found.admin = found.admin if body.admin is None else body.admin
        if not found.active:
            auth.end_sessions(session, found.id)
        return _person(found)


@router.post("/users/{user}/reset", status_code=201, tags=["people"])
def reset_link(user: RowId, who: AdminDep, desk: DeskDep) -> ResetView:
    """A key for a new password, to be handed to the person; shown this once. All keys made before end."""
    with desk.store.write() as session:
        found = session.get(User, user)
        if found is None or not found.active:
            raise not_found("user")
        return ResetView(key=auth.make_reset(session, found, desk.clock()))


@router.get("/projects", tags=["projects"])
def projects(who: CallerDep, desk: DeskDep) -> list[ProjectView]:
    """The projects one is in; an admin sees all."""
    with desk.store.read() as session:
        roles = dict(
            session.execute(
                select(Membership.project_id, Membership.role).where(Membership.user_id == who.user_id)
            ).all()
        )
        found = list(session.scalars(select(Project).order_by(Project.id)))
    return [
        _project(desk, project, granted(roles.get(project.id), admin=who.admin, scopes=who.scopes))
        for project in found
        if who.admin or project.id in roles
    ]


@router.post("/projects", status_code=201, tags=["projects"])
def make_project(body: NewProject, who: AdminDep, desk: DeskDep) -> ProjectView:
    with desk.store.write() as session:
        if session.scalar(select(Project.id).where(Project.slug == body.slug)) is not None:
            raise conflict("slug-taken", "There is a project of this name.")
        made = new_project(body.slug, body.name, body.design, desk.clock())
        session.add(made)
        session.flush()
    return _project(desk, made, granted(None, admin=True, scopes=who.scopes))


@router.get("/projects/{project}", tags=["projects"])
def project(access: ReadDep, desk: DeskDep) -> ProjectView:
    return _project(desk, access.project, access.may)


@router.patch("/projects/{project}", tags=["projects"])
def change_project(body: ChangeProject, access: ManageDep, desk: DeskDep) -> ProjectView:
    """Seats that are there keep their arms; a new design holds for what comes."""
    with desk.store.write() as session:
        found = session.get_one(Project, access.project.id)
        found.name = body.name if body.name is not None else found.name
        found.design = body.design.model_dump(mode="json") if body.design is not None else found.design
    return _project(desk, found, access.may)


@router.get("/projects/{project}/members", tags=["projects"])
def members(access: ManageDep, desk: DeskDep) -> list[Member]:
    with desk.store.read() as session:
        found = session.execute(
            select(User, Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.project_id == access.project.id)
            .order_by(User.id)
        )
        return [Member(id=u.id, name=u.name, email=u.email, pseudonym=u.pseudonym, role=role) for u, role in found]


@router.put("/projects/{project}/members/{user}", tags=["projects"])
def change_member(user: RowId, body: ChangeMember, access: ManageDep, desk: DeskDep) -> Member:
    """Give a member another role. Who is not in the project is invited."""
    with desk.store.write() as session:
        found, person = session.get(Membership, (access.project.id, user)), session.get(User, user)
        if found is None or person is None:
            raise not_found("member")
        _not_oneself(access, user)
        found.role = body.role
        return Member(id=person.id, name=person.name, email=person.email, pseudonym=person.pseudonym, role=found.role)


@router.delete("/projects/{project}/members/{user}", status_code=204, tags=["projects"])
def remove_member(user: RowId, access: ManageDep, desk: DeskDep) -> None:
    """What the person did stays."""
    with desk.store.write() as session:
        found = session.get(Membership, (access.project.id, user))
        if found is None:
            raise not_found("member")
        _not_oneself(access, user)
        session.delete(found)


@router.get("/projects/{project}/invites", tags=["projects"])
def invites(access: ManageDep, desk: DeskDep) -> list[InviteView]:
    """Invites that are still open."""
    with desk.store.read() as session:
        found = select(Invite).where(
            Invite.project_id == access.project.id, Invite.used.is_(None), Invite.expires > desk.clock()
        )
        return [_invite(invite) for invite in session.scalars(found.order_by(Invite.id))]


@router.post("/projects/{project}/invites", status_code=201, tags=["projects"])
def make_invite(body: NewInvite, access: ManageDep, desk: DeskDep) -> InviteView:
    """A key for one person to come in with. It is shown this once: nothing is sent by mail."""
    with desk.store.write() as session:
        key, made = auth.invite(
            session,
            desk.clock(),
            _days(desk.settings.invite_days),
            email=body.email,
            project_id=access.project.id,
            role=body.role,
        )
        return _invite(made, key)


@router.delete("/projects/{project}/invites/{invite}", status_code=204, tags=["projects"])
def withdraw_invite(invite: RowId, access: ManageDep, desk: DeskDep) -> None:
    with desk.store.write() as session:
        found = session.get(Invite, invite)
        if found is None or found.project_id != access.project.id or found.used is not None:
            raise not_found("invite")
        session.delete(found)


@router.get("/projects/{project}/guidelines", tags=["projects"])
def guidelines(access: ReadDep, desk: DeskDep) -> list[GuidelineView]:
    """All versions, the latest first. A submission keeps the number of the one in force."""
    with desk.store.read() as session:
        found = select(Guideline).where(Guideline.project_id == access.project.id)
        return [_guideline(g) for g in session.scalars(found.order_by(Guideline.version.desc()))]


@router.post("/projects/{project}/guidelines", status_code=201, tags=["projects"])
def add_guideline(body: NewGuideline, access: ManageDep, desk: DeskDep) -> GuidelineView:
    """A new version; earlier ones stay as they are."""
    with desk.store.write() as session:
        session.scalar(select(Project.id).where(Project.id == access.project.id).with_for_update())
        last = session.scalar(select(func.max(Guideline.version)).where(Guideline.project_id == access.project.id))
        made = Guideline(project_id=access.project.id, version=(last or 0) + 1, text=body.text, created=desk.clock())
        session.add(made)
        session.flush()
        return _guideline(made)


def _not_oneself(access: Access, user: int) -> None:
    """A project is not left without anybody who manages it by a slip of the hand."""
    if user == access.user_id and not access.who.admin:
        raise conflict("oneself", "Another manager, or an admin, does this to you.")


def new_project(slug: str, name: str, design: Design, now: datetime) -> Project:
    """Raises MomusError on a short name that no address could hold."""
    if not re.fullmatch(SLUG, slug):
        raise MomusError(f"{slug!r} is no short name of a project: small letters, digits and hyphens, 60 at most")
    return Project(
        slug=slug, name=name, secret=secrets.token_hex(32), design=design.model_dump(mode="json"), created=now
    )


def _days(days: int) -> timedelta:
    return timedelta(days=days)


def _person(user: User) -> Person:
    return Person(
        id=user.id,
        email=user.email,
        name=user.name,
        pseudonym=user.pseudonym,
        active=user.active,
        admin=user.admin,
    )


def _project(desk: Desk, project: Project, may: frozenset[str]) -> ProjectView:
    with desk.store.read() as session:
        version = session.scalar(select(func.max(Guideline.version)).where(Guideline.project_id == project.id))
    return ProjectView(
        slug=project.slug,
        name=project.name,
        may=sorted(may),
        guideline=version,
        design=design_of(project) if "manage" in may else None,
    )


def _invite(invite: Invite, key: str | None = None) -> InviteView:
    return InviteView(id=invite.id, email=invite.email, role=invite.role, expires=invite.expires, key=key)


def _guideline(guideline: Guideline) -> GuidelineView:
    return GuidelineView(version=guideline.version, text=guideline.text, created=guideline.created)
