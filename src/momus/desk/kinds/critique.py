"""Write a critique alone, or as a team with the critic, whose comments are there to begin with (Fig. 4)."""

from __future__ import annotations

from pydantic import Field

from momus.critique import Critique
from momus.desk.blinding import Blind, Eye, ShownComment
from momus.desk.kinds.base import (
    TEXT,
    CommentForm,
    Form,
    Json,
    Kind,
    Known,
    Refused,
    TaskView,
    critique_of,
    dump_critique,
    task_view,
)
from momus.desk.names import names_in
from momus.desk.problems import wrong
from momus.records import Prefilled, Task


class CritiqueForm(Form):
    """`no_problems` says that the answer is right: no comment at all is never taken for that. `notes` are the
    person's own."""

    comments: list[CommentForm] = Field(max_length=200)
    no_problems: bool = False
    notes: str = Field(default="", max_length=TEXT)


class WriteView(Blind):
    task: TaskView


class TeamView(Blind):
    """`prefilled` are the critic's comments, in its order; a form's `origin` is an index into them."""

    task: TaskView
    prefilled: list[ShownComment]


class Write(Kind):
    name = "write"
    item = Task
    form = CritiqueForm

    def task(self, item: Task) -> Task:
        return item

    def view(self, item: Task, eye: Eye, first: Json | None) -> WriteView:
        return WriteView(task=task_view(item, eye))

    def store(self, form: CritiqueForm, item: Task, eye: Eye, known: Known, first: Json | None) -> Json:
        for i, comment in enumerate(form.comments):
            if comment.origin is not None:
                raise Refused(wrong(f"/comments/{i}/origin", "origin", "There are no comments of a critic here."))
        return _store(form, item.answer)

    def show(self, stored: Json, item: Task, eye: Eye) -> Json:
        return _show(stored)


class Team(Kind):
    name = "team"
    item = Prefilled
    form = CritiqueForm

    def task(self, item: Prefilled) -> Task:
        return item.task

    def critics(self, item: Prefilled) -> set[str]:
        return names_in([item.critique.critic])

    def view(self, item: Prefilled, eye: Eye, first: Json | None) -> TeamView:
        return TeamView(task=task_view(item.task, eye), prefilled=eye.comments(item.critique.critique))

    def store(self, form: CritiqueForm, item: Prefilled, eye: Eye, known: Known, first: Json | None) -> Json:
        given = eye.comments(item.critique.critique)
        origins = [comment.origin for comment in form.comments]
        for i, origin in enumerate(origins):
            if origin is not None and (origin >= len(given) or origin in origins[:i]):
                raise Refused(wrong(f"/comments/{i}/origin", "origin", "Each of the critic's comments, once at most."))
        stored = _store(form, item.task.answer)
        did = ["dropped"] * len(given)
        for comment, origin in zip(form.comments, origins, strict=True):
            if origin is not None:
                did[origin] = "kept" if _same(comment, given[origin]) else "edited"
        # A comment that was kept is the critic's own, to the letter: its names were hidden from the person only.
        for made, origin in zip(stored["comments"], origins, strict=True):
            if origin is not None and did[origin] == "kept":
                own = item.critique.critique.comments[origin]
                made["text"], made["suggestion"] = own.text, own.suggestion
        return {**stored, "origins": origins, "did": did, "added": sum(origin is None for origin in origins)}

    def show(self, stored: Json, item: Prefilled, eye: Eye) -> Json:
        shown = _show(stored)
        for comment, origin in zip(shown["comments"], stored["origins"], strict=True):
            comment["origin"] = origin
            comment["text"] = eye.scrub(comment["text"])
            comment["suggestion"] = None if comment["suggestion"] is None else eye.code(comment["suggestion"])
        return shown


def _store(form: CritiqueForm, answer: str) -> Json:
    critique: Critique = critique_of(form.comments, answer)
    if not critique.comments and not form.no_problems:
        raise Refused(wrong("/no_problems", "empty", "Write a comment, or say that there are no problems."))
    if critique.comments and form.no_problems:
        raise Refused(
            wrong("/no_problems", "contradiction", "There are comments, and yet no problems: one or the other.")
        )
    return {"comments": dump_critique(critique), "no_problems": form.no_problems, "notes": form.notes.strip()}


def _show(stored: Json) -> Json:
    return {
        "comments": [{**comment, "origin": None} for comment in stored["comments"]],
        "no_problems": stored["no_problems"],
        "notes": stored["notes"],
    }


def _same(comment: CommentForm, given: ShownComment) -> bool:
    return (
        comment.highlight == given.highlight
        and comment.text.strip() == given.text.strip()
        and (comment.category, comment.severity, comment.suggestion)
        == (given.category, given.severity, given.suggestion)
    )
