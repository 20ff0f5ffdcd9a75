"""`reviews`: the reviewer's page. A review is its maker's own; the labels are the project's."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from momus.desk import jobs
from momus.desk.api.deps import Access, Body, DeskDep, Line, Long, WorkDep, problems
from momus.desk.kinds.base import CODE
from momus.desk.problems import conflict, not_found
from momus.desk.store.tables import Review
from momus.records import Sampled, Task

router = APIRouter(prefix="/api/v1/projects/{project}/reviews", tags=["reviews"], responses=problems(409))

ReviewId = Annotated[str, Path(pattern=r"^[\w-]{8,32}$")]


class NewReview(Body):
    name: Line = ""
    question: str = Field(default="", max_length=CODE)
    code: str = Field(min_length=1, max_length=CODE)
    language: Annotated[Line, Field(max_length=40)] = "python"


class SaidOf(Body):
    verdict: Literal["accept", "dismiss"]
    reason: Annotated[Long, Field(max_length=2000)] = ""


class ReviewView(Body):
    """`comments` is null until the critic is done; each has its `confidence` (0..1), or null where there is none.

    `labels` are what was said of comments, by their index.
    """

    id: str
    name: str
    question: str
    code: str
    language: str
    comments: list[dict[str, Any]] | None
    labels: dict[str, SaidOf]
    job: str | None = None


@router.post("", status_code=202)
def make(body: NewReview, access: WorkDep, desk: DeskDep) -> ReviewView:
    """Have code reviewed by the critic; follow the job, then look again."""
    desk.limiter.take("critic", str(access.user_id), desk.settings.runs_per_minute)
    now = desk.clock()
    with desk.store.write() as session:
        made = Review(
            id=secrets.token_urlsafe(16),
            project_id=access.project.id,
            user_id=access.user_id,
            name=body.name,
            task=Task(id="review", question=body.question, answer=body.code, language=body.language).model_dump(
                mode="json", exclude_defaults=True
            ),
            labels={},
            created=now,
        )
        session.add(made)
        session.flush()
        job = jobs.start(
            session, access.project, access.user_id, "review", {"review": made.id}, now, size=len(body.code)
        )
    desk.woken()
    return _shown(made, job.id)


@router.get("")
def own(access: WorkDep, desk: DeskDep) -> list[ReviewView]:
    """One's own, the latest first, a hundred at most."""
    with desk.store.read() as session:
        found = select(Review).where(Review.project_id == access.project.id, Review.user_id == access.user_id)
        return [_shown(review) for review in session.scalars(found.order_by(Review.created.desc()).limit(100))]


@router.get("/{review}")
def one(review: ReviewId, access: WorkDep, desk: DeskDep) -> ReviewView:
    with desk.store.read() as session:
        return _shown(_mine(session, review, access))


@router.put("/{review}/comments/{comment}")
def label(
    review: ReviewId, comment: Annotated[int, Path(ge=0, le=10_000)], body: SaidOf, access: WorkDep, desk: DeskDep
) -> ReviewView:
    """Accept a comment, or dismiss it, with a reason; said again, it is said anew."""
    with desk.store.write() as session:
        found = _mine(session, review, access)
        if found.critique is None:
            raise conflict("not-ready", "The critic is not done with it.")
        if comment >= len(Sampled.model_validate(found.critique).critique):
            raise not_found("comment")
        found.labels = {**found.labels, str(comment): body.model_dump()}
        return _shown(found)


def _mine(session: Session, which: str, access: Access) -> Review:
    found = session.get(Review, which)
    if found is None or found.user_id != access.user_id or found.project_id != access.project.id:
        raise not_found("review")
    return found


def _shown(review: Review, job: str | None = None) -> ReviewView:
    task = Task.model_validate(review.task)
    comments = None
    if review.critique is not None:
        sampled = Sampled.model_validate(review.critique)
        comments = sampled.model_dump(mode="json")["critique"]["comments"]
        for comment, said in zip(comments, sampled.critique, strict=True):
            evidence = said.evidence
            comment["evidence"] = evidence and {"badge": evidence.badge, "text": evidence.text}
    return ReviewView(
        id=review.id,
        name=review.name,
        question=task.question,
        code=task.answer,
        language=task.language,
        comments=comments,
        labels={i: SaidOf(**said) for i, said in review.labels.items()},
        job=job,
    )
