"""What goes wrong in a request, as RFC 9457 tells it: a type, a title, a sentence, and where in the input it lies."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class Wrong(BaseModel):
    """One thing wrong with the input: `pointer` is a JSON pointer into the body, `code` stays the same."""

    pointer: str
    code: str
    detail: str


class ProblemDetails(BaseModel):
    """RFC 9457. `type` is `/problems/` and a word that stays the same; further members depend on it."""

    model_config = ConfigDict(extra="allow")
    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[Wrong] = Field(default_factory=list)


class Problem(Exception):
    """Ends a request with a problem."""

    def __init__(
        self, status: int, code: str, title: str, detail: str = "", *, errors: list[Wrong] | None = None, **more: Any
    ) -> None:
        super().__init__(title)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.errors, self.more = errors or [], more

    def body(self) -> dict[str, Any]:
        return {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "errors": [wrong.model_dump() for wrong in self.errors],
            **self.more,
        }


def not_found(what: str = "this") -> Problem:
    """The same for what is not there and for what is not yours: nobody learns which."""
    return Problem(404, "not-found", "Not found", f"There is no {what} here, or it is not yours to see.")


def forbidden(detail: str) -> Problem:
    return Problem(403, "forbidden", "Not allowed", detail)


def conflict(code: str, detail: str, **more: Any) -> Problem:
    return Problem(409, code, "Conflict", detail, **more)


def invalid(*wrong: Wrong) -> Problem:
    return Problem(422, "invalid", "The input is not accepted", wrong[0].detail if wrong else "", errors=list(wrong))


def wrong(pointer: str, code: str, detail: str) -> Wrong:
    return Wrong(pointer=pointer, code=code, detail=detail)
