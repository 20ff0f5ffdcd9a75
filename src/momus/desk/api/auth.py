"""`/auth` and `/tokens`: come in, go out, make keys for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy import select

from momus.desk import auth
from momus.desk.api.deps import Body, BrowserDep, CallerDep, DeskDep, Line, RowId, problems
from momus.desk.context import Desk
from momus.desk.problems import not_found
from momus.desk.roles import Permission
from momus.desk.store.tables import ApiToken, Membership, Project

router = APIRouter(prefix="/api/v1", tags=["people"], responses=problems())


class LogIn(Body):
    email: Line
    password: Annotated[str, Field(max_length=1000)]


class Accept(Body):
    """`invite` is the key that came with the invitation; `momus desk admin-token` makes the first one."""

    invite: Line
    email: Line
    name: Line = ""
    password: Annotated[str, Field(max_length=1000)]


class NewPassword(Body):
    old: Annotated[str, Field(max_length=1000)]
    new: Annotated[str, Field(max_length=1000)]


class MemberOf(Body):
    project: str
    name: str
    role: str


class Me(Body):
    """Who one is, and the projects one is in. An admin may do everything in every project."""

    name: str
    email: str
    admin: bool
    projects: list[MemberOf]


class NewToken(Body):
    name: Line
    scopes: list[Permission] = Field(min_length=1, max_length=10)
    days: int | None = Field(default=90, ge=1, le=3650)


class Token(Body):
    """`key` is there only when the token has just been made."""

    id: int
    name: str
    scopes: list[str]
    created: datetime
    expires: datetime | None
    key: str | None = None


@router.post("/auth/login")
def login(body: LogIn, request: Request, response: Response, desk: DeskDep) -> Me:
    """Log in: the answer sets the session's cookie."""
    address = request.client.host if request.client else "?"
    desk.limiter.take("login", address, desk.settings.logins_per_minute)
    desk.limiter.take("login", body.email.strip().lower(), desk.settings.logins_per_minute)
    with desk.store.write() as session:
        key, user = auth.log_in(session, body.email, body.password, desk.clock(), desk.settings.session)
        caller = auth.Caller(user.id, user.name, user.email, user.admin)
    _set_cookie(response, desk, key)
    return _me(desk, caller)


@router.post("/auth/accept")
def accept(body: Accept, request: Request, response: Response, desk: DeskDep) -> Me:
    """Come in by an invite, once, and be logged in."""
    address = request.client.host if request.client else "?"
    desk.limiter.take("login", address, desk.settings.logins_per_minute)
    now = desk.clock()
    with desk.store.write() as session:
        user = auth.accept(session, body.invite, body.email, body.name, body.password, now)
        key = auth.start_session(session, user, now, desk.settings.session)
        caller = auth.Caller(user.id, user.name, user.email, user.admin)
    _set_cookie(response, desk, key)
    return _me(desk, caller)


@router.post("/auth/logout", status_code=204)
def logout(response: Response, who: BrowserDep, desk: DeskDep) -> None:
    """End this session, on the server too."""
    with desk.store.write() as session:
        auth.end_session(session, who.session or "")
    response.delete_cookie(desk.settings.cookie, path="/", secure=desk.settings.https, httponly=True, samesite="lax")


@router.get("/auth/me")
def me(who: CallerDep, desk: DeskDep) -> Me:
    return _me(desk, who)


@router.post("/auth/password", status_code=204)
def password(body: NewPassword, who: BrowserDep, desk: DeskDep) -> None:
    """Change one's password; all other sessions end."""
    desk.limiter.take("login", who.email, desk.settings.logins_per_minute)
    with desk.store.write() as session:
        auth.change_password(session, who, body.old, body.new)


@router.get("/tokens")
def tokens(who: BrowserDep, desk: DeskDep) -> list[Token]:
    """One's own API tokens that still hold."""
    with desk.store.read() as session:
        found = select(ApiToken).where(ApiToken.user_id == who.user_id, ApiToken.revoked.is_(False))
        return [_token(token) for token in session.scalars(found.order_by(ApiToken.id))]


@router.post("/tokens", status_code=201)
def make_token(body: NewToken, who: BrowserDep, desk: DeskDep) -> Token:
    """A new token, which can do no more than its scopes and its owner's roles. Its key is shown this once."""
    with desk.store.write() as session:
        key, token = auth.make_token(session, who.user_id, body.name, body.scopes, desk.clock(), body.days)
        return _token(token, key)


@router.delete("/tokens/{token}", status_code=204)
def revoke(token: RowId, who: BrowserDep, desk: DeskDep) -> None:
    with desk.store.write() as session:
        found = session.get(ApiToken, token)
        if found is None or found.user_id != who.user_id or found.revoked:
            raise not_found("token")
        found.revoked = True


def _token(token: ApiToken, key: str | None = None) -> Token:
    return Token(
        id=token.id, name=token.name, scopes=token.scopes, created=token.created, expires=token.expires, key=key
    )


def _me(desk: Desk, who: auth.Caller) -> Me:
    with desk.store.read() as session:
        if who.admin:
            roles = [(project, "admin") for project in session.scalars(select(Project).order_by(Project.id))]
        else:
            mine = select(Project, Membership.role).join(Membership, Membership.project_id == Project.id)
            found = session.execute(mine.where(Membership.user_id == who.user_id).order_by(Project.id))
            roles = [(project, role) for project, role in found]
    projects = [MemberOf(project=project.slug, name=project.name, role=role) for project, role in roles]
    return Me(name=who.name, email=who.email, admin=who.admin, projects=projects)


def _set_cookie(response: Response, desk: Desk, key: str) -> None:
    response.set_cookie(
        desk.settings.cookie,
        key,
        max_age=int(desk.settings.session.total_seconds()),
        path="/",
        secure=desk.settings.https,
        httponly=True,
        samesite="lax",
    )
