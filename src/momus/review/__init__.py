"""Code in, findings out: `momus.review.review(["app.py"])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from momus.review.run import review as review

__all__ = ["review"]


def __getattr__(name: str) -> Any:
    """Load the reviewer when it is first asked for: formats and the command's help need none of it."""
    if name == "review":
        from momus.review.run import review

        return review
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
