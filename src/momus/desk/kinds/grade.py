"""Grade bugs: how severe they are and how hard to find, without knowing which were put in (Fig. 10)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from momus.desk.blinding import Blind, Eye
from momus.desk.kinds.base import TEXT, Form, Json, Kind, Known, Refused, TaskView, task_view
from momus.desk.kinds.rate import ShownBug, shown_bugs
from momus.desk.problems import wrong
from momus.records import Tamper, Task


class BugGrade(BaseModel):
    """`severity` 1 (does not matter) to 7 (the answer is useless); `difficulty` 1 (plain) to 7 (hardly to be found).

    `real` is false where it is no bug at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    severity: int = Field(ge=1, le=7)
    difficulty: int = Field(ge=1, le=7)
    real: bool = True


class GradeForm(Form):
    bugs: list[BugGrade] = Field(max_length=50)
    notes: str = Field(default="", max_length=TEXT)


class GradeView(Blind):
    task: TaskView
    bugs: list[ShownBug]


class Grade(Kind):
    name = "grade"
    item = Tamper
    form = GradeForm

    def task(self, item: Tamper) -> Task:
        return item.task

    def view(self, item: Tamper, eye: Eye, first: Json | None) -> GradeView:
        return GradeView(task=task_view(item.task, eye), bugs=shown_bugs(item.bugs, eye))

    def store(self, form: GradeForm, item: Tamper, eye: Eye, known: Known, first: Json | None) -> Json:
        if len(form.bugs) != len(item.bugs):
            raise Refused(wrong("/bugs", "bugs", f"Grade each of the {len(item.bugs)} bugs."))
        return form.model_dump(exclude={"schema_version"})

    def show(self, stored: Json, item: Tamper, eye: Eye) -> Json:
        return dict(stored)
