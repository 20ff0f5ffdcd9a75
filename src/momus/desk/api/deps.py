"""What the routes have in common: who is asking, for which project, and whether they may."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from sqlalchemy import select

from momus.decode import TooDeep
from momus.desk.auth import Caller, by_cookie, by_token
from momus.desk.context import Desk
from momus.desk.problems import Problem, forbidden, not_found
from momus.desk.roles import Permission, granted
from momus.desk.store.tables import Assignment, Hold, Membership, Project, Submission
from momus.desk.texts import NotJson, SoundJson, read_json, suspect

MOST_ID = 2**31 - 1


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text has no NUL in it")
    return text


Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(_no_nul)]
Long = Annotated[str, StringConstraints(max_length=200_000), AfterValidator(_no_nul)]
SLUG = r"^[a-z0-9][a-z0-9-]{0,59}$"
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
SlugPath = Annotated[str, Path(pattern=SLUG)]
RowId = Annotated[int, Path(ge=1, le=MOST_ID)]
HoldId = Annotated[str, Path(pattern=r"^[\w-]{8,32}$")]
After = Annotated[int, Query(ge=0, le=MOST_ID, description="Go on after this id.")]
Most = Annotated[int, Query(ge=1, le=500, description="The most rows in a page.")]


async def sound_body(request: Request) -> None:
    """Raises Problem 422 on a body of JSON with texts that nobody could store, or nested too deep to be handled."""
    if request.headers.get("content-type", "").partition(";")[0].strip().endswith("json"):
        raw = await request.body()
        if suspect(raw):
            with contextlib.suppress(NotJson, TooDeep):  # the route says so itself
                read_json(raw)


class Body(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def sent(view: Body, status: int = 200) -> Response:
    """An answer as bytes. Made before a transaction ends, it can't fail after that was committed."""
    return SoundJson(view.model_dump(mode="json"), status)


def problems(*more: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for OpenAPI."""
    said = {
        400: "The body is no JSON",
        401: "Not logged in",
        403: "Not allowed",
        404: "Not there, or not yours to see",
        409: "In conflict with what is stored",
        413: "Too large",
        421: "Called by another host's name",
        422: "The input is not accepted",
        429: "Too often",
        503: "The database, the critic or the sandbox can't be reached",
    }
    codes = {400, 401, 403, 404, 413, 421, 422, 429, 503, *more}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {code: {"description": said[code], "content": content} for code in sorted(codes)}


def desk_of(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


DeskDep = Annotated[Desk, Depends(desk_of)]


def caller_or_none(request: Request, desk: DeskDep) -> Caller | None:
    """By `Authorization: Bearer`, or else by the session's cookie."""
    header = request.headers.get("authorization")
    now = desk.clock()
    found = None
    if header is not None:
        scheme, _, key = header.partition(" ")
        if scheme.lower() == "bearer" and key:
            with desk.store.read() as session:
                found = by_token(session, key.strip(), now)
    elif (cookie := request.cookies.get(desk.settings.cookie)) is not None:
        with desk.store.read() as session:
            found = by_cookie(session, cookie, now)
    if found is not None:
        request.state.user_id = found.user_id
    return found


def caller(found: Annotated[Caller | None, Depends(caller_or_none)]) -> Caller:
    if found is None:
        raise Problem(401, "not-logged-in", "Not logged in", "Log in, or send an API token.")
    return found


CallerDep = Annotated[Caller, Depends(caller)]


def browser(who: CallerDep) -> Caller:
    """A person at a browser: what makes new keys can't be done with a key."""
    if who.scopes is not None:
        raise forbidden("This is done in the browser, not with an API token.")
    return who


def admin(who: CallerDep) -> Caller:
    if "admin" not in granted(None, admin=who.admin, scopes=who.scopes):
        raise forbidden("This is for admins.")
    return who


BrowserDep = Annotated[Caller, Depends(browser)]
AdminDep = Annotated[Caller, Depends(admin)]


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody in a project, and what they may do there."""

    who: Caller
    project: Project
    may: frozenset[str]

    @property
    def user_id(self) -> int:
        return self.who.user_id


@dataclass(frozen=True, slots=True)
class HoldAccess:
    """Somebody at their own hold."""

    access: Access
    hold_id: str


def enter(desk: Desk, who: Caller, permission: Permission, where: Any) -> Access:
    """Raises Problem 404 for a project one is not in, 403 for what one may not do there."""
    with desk.store.read() as session:
        project = session.scalar(select(Project).where(where))
        member = session.get(Membership, (project.id, who.user_id)) if project is not None else None
    may = granted(member.role if member else None, admin=who.admin, scopes=who.scopes)
    if project is None or not (member or who.admin):
        raise not_found("project")
    if permission not in may:
        raise forbidden("Your role in this project, or your token's scopes, do not go that far.")
    return Access(who, project, may)


def needs(permission: Permission) -> Callable[..., Access]:
    """A dependency on the path's `project`."""

    def dependency(project: SlugPath, who: CallerDep, desk: DeskDep) -> Access:
        return enter(desk, who, permission, Project.slug == project)

    return dependency


def own_hold(seat: HoldId, who: CallerDep, desk: DeskDep) -> HoldAccess:
    """One's own seat; anybody else's is not there."""
    with desk.store.read() as session:
        found = session.execute(
            select(Hold.user_id, Assignment.project_id, Assignment.kind)
            .join(Assignment, Assignment.id == Hold.assignment_id)
            .where(Hold.id == seat)
        ).first()
    if found is None or found.user_id != who.user_id:
        raise not_found("seat")
    permission: Permission = "recheck" if found.kind == "recheck" else "work"
    return HoldAccess(enter(desk, who, permission, Project.id == found.project_id), seat)


def own_submission(submission: RowId, who: CallerDep, desk: DeskDep) -> tuple[Access, int]:
    """One's own submission; anybody else's is not there."""
    with desk.store.read() as session:
        found = session.get(Submission, submission)
    if found is None or found.user_id != who.user_id:
        raise not_found("submission")
    permission: Permission = "recheck" if found.kind == "recheck" else "work"
    return enter(desk, who, permission, Project.id == found.project_id), submission


ReadDep = Annotated[Access, Depends(needs("read"))]
WorkDep = Annotated[Access, Depends(needs("work"))]
StatsDep = Annotated[Access, Depends(needs("stats"))]
ManageDep = Annotated[Access, Depends(needs("manage"))]
HoldDep = Annotated[HoldAccess, Depends(own_hold)]
OwnDep = Annotated[tuple[Access, int], Depends(own_submission)]
