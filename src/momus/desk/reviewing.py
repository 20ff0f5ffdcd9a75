"""The reviewer's page: code in, the critic's comments beside it, each accepted or dismissed."""

from __future__ import annotations

from contextlib import suppress

from momus.desk.assign import dump
from momus.desk.context import Desk
from momus.desk.jobs import Json, Report
from momus.desk.store.tables import Project, Review
from momus.errors import MomusError
from momus.evidence.running import Limits
from momus.evidence.witness import Prover
from momus.records import Task


def review(desk: Desk, project: Project, user_id: int, params: Json, report: Report) -> Json:
    """Have the critic look at a review's code, and run what its comments suggest where inputs are cheap.

    Its comments keep their confidences: the page has a dial.
    """
    with desk.store.read() as session:
        task = Task.model_validate(session.get_one(Review, params["review"]).task)
    (sampled,) = desk.critic().critique([task], n=1, seed=0)
    if sampled.error is not None:
        raise MomusError(f"the critic could not take this code in: {sampled.error}")
    with suppress(MomusError):  # without a sandbox there is no evidence
        sampled = Prover(limits=Limits(mode=desk.settings.sandbox)).proved(task, sampled)
    with desk.store.write() as session:
        session.get_one(Review, params["review"]).critique = dump(sampled)
    report(1, 1)
    return {"comments": len(sampled.critique)}
