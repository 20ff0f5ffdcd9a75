"""What a kind of work is: what is imported for it, what a person sees of it, and what a person may hand in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from momus.critique import CATEGORIES, Comment, Critique, Severity, Span, TextMap
from momus.desk.blinding import Blind, Eye, Place
from momus.desk.problems import Wrong, wrong
from momus.records import Record, Task

KindName = Literal["tamper", "rate", "write", "team", "compare", "judge", "grade", "recheck"]
Json = dict[str, Any]
TEXT = 20_000  # the most characters of a text that a person writes
CODE = 100_000  # and of code: it is parsed in the server, where a tree takes 100 times the memory of its text


class Form(BaseModel):
    """What a person hands in. Unknown fields are refused, so that a misspelled one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_version: Literal[1] = 1


class TaskView(Blind):
    """The question and answer under review. `runnable`: the task has tests, which the sandbox can run."""

    question: str
    answer: str
    language: str
    runnable: bool = False


class CommentForm(BaseModel):
    """A comment as a person writes it. `origin` is the index of the critic's comment that it was made from (team)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    highlight: Place
    text: str = Field(max_length=TEXT)
    category: str = "other"
    severity: Severity = "medium"
    suggestion: str | None = Field(default=None, max_length=TEXT)
    origin: int | None = Field(default=None, ge=0)


@dataclass(frozen=True, slots=True)
class Known:
    """What the desk found out before a form came in: by the hash of an answer, how its tests ran and what the critic
    missed."""

    runs: dict[str, Json] = field(default_factory=dict)
    missed: Json | None = None


class Refused(Exception):
    """The form is not accepted; a draft of it is kept."""

    def __init__(self, *errors: Wrong) -> None:
        super().__init__(errors[0].detail)
        self.errors = list(errors)


class Kind:
    """One kind of work. `item` is what is imported, `form` what is handed in.

    What is stored is canonical: parts by their index in the item, never by anybody's slots.
    """

    name: ClassVar[KindName]
    item: ClassVar[type[Record]]
    form: ClassVar[type[Form]]
    passes: ClassVar[int] = 1
    arms: ClassVar[tuple[str, ...]] = ()

    def task(self, item: Any) -> Task:
        """The task that an item is about."""
        raise NotImplementedError

    def parts(self, item: Any) -> int:
        """How many parts are shown in an order of the person's own."""
        return 0

    def critics(self, item: Any) -> set[str]:
        """Whose names texts are freed of."""
        return set()

    def view(self, item: Any, eye: Eye, first: Json | None) -> Blind:
        """What the person sees; `first` is the stored first pass, once it is made."""
        raise NotImplementedError

    def store(self, form: Any, item: Any, eye: Eye, known: Known, first: Json | None) -> Json:
        """A form made canonical. Raises Refused."""
        raise NotImplementedError

    def show(self, stored: Json, item: Any, eye: Eye) -> Json:
        """What was stored, as a form for this eye."""
        raise NotImplementedError

    def first(self, form: Any, item: Any, eye: Eye) -> Json:
        """The first pass of a form made canonical. Raises Refused; only of kinds with two passes."""
        raise NotImplementedError


def task_view(task: Task, eye: Eye) -> TaskView:
    return TaskView(
        question=eye.asked(task.question), answer=eye.code(task.answer, task.language), language=task.language
    )


def check_span(place: Place, answer: str, pointer: str) -> Span:
    if not 0 <= place.start < place.end <= len(answer):
        raise Refused(
            wrong(pointer, "place", f"A highlight lies within the answer's {len(answer)} characters and is not empty.")
        )
    return Span(place.start, place.end)


def check_category(category: str, pointer: str) -> str:
    if category not in CATEGORIES:
        raise Refused(wrong(pointer, "category", f"There is no category {category!r}."))
    return category


def critique_of(comments: list[CommentForm], answer: str, pointer: str = "/comments") -> Critique:
    """Comments as a person wrote them, as a critique. Raises Refused on a place or a text that is none."""
    made = []
    for i, comment in enumerate(comments):
        span = check_span(comment.highlight, answer, f"{pointer}/{i}/highlight")
        if not comment.text.strip():
            raise Refused(wrong(f"{pointer}/{i}/text", "empty", "A comment says what is wrong there."))
        category = check_category(comment.category, f"{pointer}/{i}/category")
        made.append(Comment(span, comment.text, category, comment.severity, comment.suggestion))
    return Critique(tuple(made))


def dump_critique(critique: Critique) -> list[Json]:
    """As JSON; `Comment`'s metadata is left out, as people have none."""
    return [
        {
            "highlight": {"start": c.highlight.start, "end": c.highlight.end},
            "text": c.text,
            "category": c.category,
            "severity": c.severity,
            "suggestion": c.suggestion,
        }
        for c in critique
    ]


def lines_of(span: Span, text: TextMap) -> set[int]:
    return set(text.lines(span))
