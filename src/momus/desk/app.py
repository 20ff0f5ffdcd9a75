"""`create_app`: the desk as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from momus import __version__
from momus.critics.protocol import Critic
from momus.desk import adversary, comparing, reviewing
from momus.desk.api import auth, health, imports, jobs, manage, projects, reviews, seats, submissions, tasks
from momus.desk.api.deps import sound_body
from momus.desk.context import Desk
from momus.desk.guard import Guard
from momus.desk.jobs import Work, Worker
from momus.desk.kinds import KINDS
from momus.desk.limits import RateLimiter
from momus.desk.observe import Metrics, Observed, log
from momus.desk.pages import add_pages
from momus.desk.problems import MEDIA_TYPE, Problem, ProblemDetails, invalid, wrong
from momus.desk.settings import DeskSettings
from momus.desk.store import Store, open_store
from momus.desk.store.engine import UNREACHABLE
from momus.desk.store.migrate import upgrade
from momus.desk.store.types import utc_now
from momus.desk.texts import SoundJson

WORKS: dict[str, Work] = {
    "adversary": adversary.adversary,
    "comparisons": comparing.comparisons,
    "review": reviewing.review,
}
ROUTERS = tuple(
    part.router for part in (auth, projects, imports, tasks, seats, submissions, manage, reviews, jobs, health)
)
_AGAIN_S = 5


def create_app(
    settings: DeskSettings,
    *,
    store: Store | None = None,
    clock: Callable[[], datetime] = utc_now,
    ticks: Callable[[], float] = time.monotonic,
    open_critic: Callable[[], Critic] | None = None,
    worker: bool = True,
) -> FastAPI:
    """The desk. The database is brought up to date at once; `worker` runs jobs in this process;
    `ticks` are the seconds that rate limits go by.

    `app.state.desk` is the `Desk`, `app.state.worker` the worker. Raises MomusError where the database is of a newer
    version, or programs would run without isolation and nobody has accepted that.
    """
    settings.check_sandbox()
    store = store or open_store(settings.db)
    upgrade(store)
    desk = Desk(
        settings=settings,
        store=store,
        clock=clock,
        limiter=RateLimiter(ticks),
        metrics=Metrics(),
        open_critic=open_critic or (lambda: _open_critic(settings.critic)),
    )
    at_work = Worker(desk, WORKS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if worker:
            at_work.start()
        yield
        if worker:
            at_work.stop()
        store.close()

    app = FastAPI(
        title="Momus desk",
        version=__version__,
        summary="Tamper, rate, write, team up and compare.",
        lifespan=lifespan,
        default_response_class=SoundJson,
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
        generate_unique_id_function=lambda route: f"{route.endpoint.__module__.rpartition('.')[2]}_{route.name}",
    )
    app.state.desk, app.state.worker = desk, at_work
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(sound_body)])
    add_pages(app)
    _handlers(app)
    _describe(app)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Observed, metrics=desk.metrics, log=settings.log)
    if settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.proxies))
    return app


def _describe(app: FastAPI) -> None:
    """Name what errors and forms look like in the description: routes speak of them, and FastAPI sees no model."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            whole = made()
            schemas = whole["components"]["schemas"]
            models: list[type[BaseModel]] = [ProblemDetails, *(kind.form for kind in KINDS.values())]
            for model in models:
                told = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(told.pop("$defs", {}))
                schemas[model.__name__] = told
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign]


def _open_critic(name: str) -> Critic:
    from momus.critics import open_critic

    return open_critic(name)


def _handlers(app: FastAPI) -> None:
    def answer(problem: Problem) -> Response:
        headers = {}
        if "retry_after" in problem.more:
            headers["Retry-After"] = str(problem.more["retry_after"])
        return SoundJson(problem.body(), problem.status, headers, MEDIA_TYPE)

    @app.exception_handler(Problem)
    def problem(_: Request, error: Problem) -> Response:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        said = [e for e in error.errors() if e["type"] != "json_invalid"]
        if not said:
            return answer(Problem(400, "no-json", "The body is no JSON"))
        return answer(invalid(*(wrong(_pointer(e), e["type"].replace("_", "-"), e["msg"]) for e in said)))

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> Response:
        code = {404: "not-found", 405: "method", 413: "too-large"}.get(error.status_code, "http")
        response = answer(Problem(error.status_code, code, str(error.detail)))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(IntegrityError)
    def collided(_: Request, error: IntegrityError) -> Response:
        return answer(Problem(409, "collision", "Conflict", "Somebody did the same at the same moment: try again."))

    def database(_: Request, error: Exception) -> Response:
        log("database", state="away", error=type(error).__name__)
        return answer(
            Problem(
                503,
                "database",
                "The database can't be reached",
                "What was handed in is safe, and nothing was stored of this request. It will be tried again.",
                retry_after=_AGAIN_S,
            )
        )

    for away in UNREACHABLE:
        app.add_exception_handler(away, database)

    @app.exception_handler(Exception)
    def failed(_: Request, error: Exception) -> Response:
        log("failed", error=type(error).__name__)
        return answer(Problem(500, "defect", "This is a defect of the desk"))


def _pointer(error: Any) -> str:
    place = [str(part) for part in error["loc"]]
    return "/" + "/".join(place[1:] if place and place[0] == "body" else place)
