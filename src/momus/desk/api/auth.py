"""`/auth` and `/tokens`: come in, go out, make keys for programs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, BackgroundTasks, Request, Response
from pydantic import Field
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from momus.desk import auth
from momus.desk.api.deps import Body, BrowserDep, CallerDep, DeskDep, Line, RowId, problems
from momus.desk.context import Desk
from momus.desk.limits import guessing, network_of
from momus.desk.mail import send_reset
from momus.desk.problems import not_found
from momus.desk.roles import Permission
from momus.desk.store.tables import ApiToken, Membership, Project, User

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


class Forgot(Body):
    email: Line


class Forgotten(Body):
    """`mail`: a link is on its way, where the address is known. Else ask an admin for one."""

    mail: bool


class ResetPassword(Body):
    """`key` is the link's, after the `#`."""

    key: Line
    password: Annotated[str, Field(max_length=1000)]


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
async def login(body: LogIn, request: Request, response: Response, desk: DeskDep) -> Me:
    """Log in: the answer sets the session's cookie. Only what fails counts against the limit."""

    def look() -> tuple[str, User]:
        with _guessing(desk, request, body.email):
            return auth.log_in(desk.store, body.email, body.password, desk.clock(), desk.settings.session)

    return await _coming_in(desk, response, look)


@router.post("/auth/accept")
async def accept(body: Accept, request: Request, response: Response, desk: DeskDep) -> Me:
    """Come in by an invite, once, and be logged in."""

    def look() -> tuple[str, User]:
        with _guessing(desk, request, body.email):
            return auth.accept(
                desk.store, body.invite, body.email, body.name, body.password, desk.clock(), desk.settings.session
            )

    return await _coming_in(desk, response, look)


@router.post("/auth/forgot", status_code=202)
def forgot(body: Forgot, request: Request, tasks: BackgroundTasks, desk: DeskDep) -> Forgotten:
    """Have a link for a new password sent, where the desk has a mail server; an admin can make one in any case.

    The answer is the same whoever is known here.
    """
    if desk.settings.smtp_host is None:
        return Forgotten(mail=False)
    desk.limiter.take("forgot", network_of(_address(request)), desk.settings.logins_per_minute)
    tasks.add_task(_send_reset, desk, body.email.strip().lower())
    return Forgotten(mail=True)


@router.post("/auth/reset")
async def reset(body: ResetPassword, request: Request, response: Response, desk: DeskDep) -> Me:
    """Set a new password by a link, once, and be logged in. All other sessions and all API tokens end."""

    def look() -> tuple[str, User]:
        with _guessing(desk, request, "a link"):
            return auth.reset_password(desk.store, body.key, body.password, desk.clock(), desk.settings.session)

    return await _coming_in(desk, response, look)


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
async def password(body: NewPassword, request: Request, who: BrowserDep, desk: DeskDep) -> None:
    """Change one's password; all other sessions and all API tokens end."""

    def change() -> None:
        with _guessing(desk, request, who.email):
            auth.change_password(desk.store, who, body.old, body.new)

    await to_thread.run_sync(change, limiter=desk.hashing)


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


async def _coming_in(desk: Desk, response: Response, look: Callable[[], tuple[str, User]]) -> Me:
    """Passwords are looked at a few at a time, and by threads of their own: nobody's work waits for them."""
    key, user = await to_thread.run_sync(look, limiter=desk.hashing)
    _set_cookie(response, desk, key)
    return await run_in_threadpool(_me, desk, auth.Caller(user.id, user.name, user.email, user.admin))


def _guessing(desk: Desk, request: Request, account: str) -> AbstractContextManager[None]:
    per_minute = desk.settings.logins_per_minute
    return guessing(desk.limiter, account.strip().lower(), _address(request), per_minute)


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _send_reset(desk: Desk, email: str) -> None:
    with desk.store.write() as session:
        user = session.scalar(select(User).where(User.email == email, User.active.is_(True)))
        if user is None:
            return
        key = auth.make_reset(session, user, desk.clock())
    send_reset(desk.settings, email, key)


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
