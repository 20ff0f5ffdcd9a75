"""The adversary of a tamper: three critiques of it by the current critic (section 2.2.1)."""

from __future__ import annotations

from momus.critique import Span, TextMap
from momus.desk.blinding import eye_of
from momus.desk.context import Desk
from momus.desk.jobs import Json, Report
from momus.desk.kinds.tamper import answer_hash
from momus.desk.names import names_in
from momus.desk.store.tables import Assignment, Hold, Project, TaskRow
from momus.errors import MomusError
from momus.match import same_place
from momus.records import Task

CRITIQUES = 3


def adversary(desk: Desk, project: Project, user_id: int, params: Json, report: Report) -> Json:
    """For each critique its comments, and which bugs no comment of it touches; for each bug whether it was missed
    at least once. Kept with the hold, and written into the tamper when it is handed in."""
    with desk.store.read() as session:
        hold = session.get_one(Hold, params["hold"])
        assignment = session.get_one(Assignment, hold.assignment_id)
        task = Task.model_validate(session.get_one(TaskRow, assignment.task_id).data)
    answer = params["answer"]
    spans = [[Span(place["start"], place["end"]) for place in bug["spans"]] for bug in params["bugs"]]
    text = TextMap(answer)
    critic = desk.critic()
    # The id says nothing, so that no critic can find the clean answer by it.
    asked = task.model_copy(update={"id": answer_hash(answer)[:16], "answer": answer})
    eye = eye_of(project.secret, assignment.id, user_id, 0, names=names_in([critic.name]))
    shown: list[Json] = []
    for sampled in critic.critique([asked], n=CRITIQUES, seed=0):
        missed = [not any(same_place(c.highlight, bug, text) for c in sampled.critique) for bug in spans]
        shown.append(
            {
                "comments": [comment.model_dump(mode="json") for comment in eye.comments(sampled.critique)],
                "missed": missed,
                "failed": sampled.error is not None,
            }
        )
        report(len(shown), CRITIQUES)
    held = [critique for critique in shown if not critique["failed"]]
    if not held:
        raise MomusError("the critic failed on this code: try again, or hand it in without")
    missed_once = [any(critique["missed"][i] for critique in held) for i in range(len(spans))]
    counts = [sum(critique["missed"][i] for critique in held) for i in range(len(spans))]
    found = {"missed": counts, "of": len(held), "critic": critic.name}
    with desk.store.write() as session:
        row = session.get_one(Hold, hold.id)
        row.findings = {**(row.findings or {}), answer_hash(answer): found}
    return {"critiques": shown, "missed_once": missed_once}
