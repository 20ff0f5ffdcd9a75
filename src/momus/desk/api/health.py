"""`/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from momus.desk.api.deps import AdminDep, Body, DeskDep, problems
from momus.desk.problems import Problem
from momus.desk.store.engine import why_unreachable

router = APIRouter(tags=["health"], responses=problems())


class State(Body):
    state: str


@router.get("/healthz")
def healthz() -> State:
    """The process is alive."""
    return State(state="alive")


@router.get("/readyz")
def readyz(desk: DeskDep) -> State:
    """The database can be reached."""
    if why_unreachable(desk.store) is not None:
        raise Problem(503, "database", "The database can't be reached", "Nothing is lost; try again.", retry_after=5)
    return State(state="ready")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(who: AdminDep, desk: DeskDep) -> Response:
    """For Prometheus, with an admin's API token."""
    return Response(desk.metrics.text(), media_type=CONTENT_TYPE_LATEST)
