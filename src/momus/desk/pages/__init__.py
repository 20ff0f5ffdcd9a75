"""The desk's pages: one template, filled by a script of its own. What they show comes over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Scope

from momus.critique import CATEGORIES
from momus.desk.api.deps import DeskDep, HoldId, RowId, SlugPath, caller_or_none
from momus.desk.kinds import KindName
from momus.desk.store.engine import UNREACHABLE

_HERE = Path(__file__).parent.parent
_TEMPLATES = Jinja2Templates(directory=_HERE / "templates")

router = APIRouter(include_in_schema=False)


def _come_in(request: Request, desk: DeskDep) -> bool:
    """Whether somebody is logged in. While the database is away nobody can tell, and the page itself says so."""
    try:
        return caller_or_none(request, desk) is not None
    except UNREACHABLE:
        return True


CameIn = Annotated[bool, Depends(_come_in)]


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"  # asked for again by its ETag: a new version is used at once
        return response


def add_pages(app: FastAPI) -> None:
    """Serve the pages, and what they load from `/static`. They load nothing from anywhere else."""
    app.mount("/static", _Static(directory=_HERE / "static"), name="static")
    app.include_router(router)


def _page(request: Request, script: str, title: str, **data: str) -> Response:
    told = {"script": script, "title": title, "data": data, "nonce": request.state.csp_nonce}
    return _TEMPLATES.TemplateResponse(request, "page.html", {**told, "categories": ",".join(CATEGORIES)})


def _closed(request: Request, came_in: bool, script: str, title: str, **data: str) -> Response:
    """A page for those who are logged in. Whether they may see what it shows, the API says."""
    if not came_in:
        return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
    return _page(request, script, title, **data)


@router.get("/login")
def login(request: Request) -> Response:
    return _page(request, "login", "Log in")


@router.get("/join")
def join(request: Request) -> Response:
    """The key of an invite stands after the `#`, which browsers keep to themselves: it is in no log."""
    return _page(request, "join", "Join")


@router.get("/forgot")
def forgot(request: Request) -> Response:
    return _page(request, "forgot", "Forgotten password")


@router.get("/reset")
def reset(request: Request) -> Response:
    """The key of a link for a new password stands after the `#`, as an invite's does."""
    return _page(request, "reset", "New password")


@router.get("/")
def projects(request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "projects", "Projects")


@router.get("/account")
def account(request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "account", "Account")


@router.get("/p/{project}")
def queue(project: SlugPath, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "queue", "Work", project=project)


@router.get("/p/{project}/work/{kind}")
def claim(project: SlugPath, kind: KindName, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "work", kind.capitalize(), project=project, kind=kind)


@router.get("/p/{project}/seat/{seat}")
def seat(project: SlugPath, seat: HoldId, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "work", "Work", project=project, seat=seat)


@router.get("/p/{project}/amend/{submission}")
def amend(project: SlugPath, submission: RowId, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "work", "Amend", project=project, amend=str(submission))


@router.get("/p/{project}/history")
def history(project: SlugPath, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "history", "History", project=project)


@router.get("/p/{project}/guidelines")
def guidelines(project: SlugPath, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "guidelines", "Guidelines", project=project)


@router.get("/p/{project}/review")
def review(project: SlugPath, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "review", "Review", project=project)


@router.get("/p/{project}/dashboard")
def dashboard(project: SlugPath, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "dashboard", "Dashboard", project=project)


@router.get("/p/{project}/import")
def import_(project: SlugPath, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "import", "Import work", project=project)


@router.get("/p/{project}/manage")
def manage(project: SlugPath, request: Request, came_in: CameIn) -> Response:
    return _closed(request, came_in, "manage", "Manage", project=project)
