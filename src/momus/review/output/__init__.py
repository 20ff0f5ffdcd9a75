"""A review as text, as a page, or as what another tool reads: one small module per format, imported when it is used.

`FORMATS` maps a format's name to `render(report, options) -> str`. What they return ends with a newline, can always be
written as UTF-8 and, where people read it, holds no control or invisible character of the reviewed code or of what a
critic wrote: those are spelled out, as `<U+202E>`.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from momus.review.finding import Report


@dataclass(frozen=True, slots=True)
class Options:
    """How to show a review. The defaults are those of a pipe; `for_stream` asks the stream and the environment."""

    colour: bool = False
    width: int = 100  # terminal cells that text is wrapped to
    ascii: bool = False  # draw with ASCII only; the code itself is shown as it is
    workspace: str = ""  # the checkout that a CI service names files from; "": the root of the report
    step_summary: Path | None = None  # where GitHub wants the summary of a step; written by the `github` format only

    @classmethod
    def for_stream(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Options:
        """The options that suit a stream: colours on a terminal only, and none where NO_COLOR is set and not empty."""
        terminal = stream.isatty()
        colour = terminal and environment.get("TERM") != "dumb"
        if forced := environment.get("FORCE_COLOR"):
            colour = forced.lower() not in ("0", "false", "no")
        if environment.get("NO_COLOR"):
            colour = False
        summary = environment.get("GITHUB_STEP_SUMMARY")
        return cls(
            colour=colour,
            width=shutil.get_terminal_size((100, 24)).columns if terminal else 100,
            ascii=not _can_draw(stream),
            workspace=environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR") or "",
            step_summary=Path(summary) if summary else None,
        )


Format = Callable[["Report", Options], str]


def _lazy(module: str, function: str = "render") -> Format:
    def render(report: Report, options: Options) -> str:
        written: Format = getattr(importlib.import_module(f"{__name__}.{module}"), function)
        return written(report, options)

    return render


FORMATS: dict[str, Format] = {
    "text": _lazy("text"),
    "concise": _lazy("concise"),
    "json": _lazy("full_json", "render_json"),
    "jsonl": _lazy("full_json", "render_jsonl"),
    "sarif": _lazy("sarif"),
    "github": _lazy("github"),
    "gitlab": _lazy("gitlab"),
    "rdjson": _lazy("rdjson"),
    "junit": _lazy("junit"),
    "markdown": _lazy("markdown"),
    "html": _lazy("page"),
}


def _can_draw(stream: TextIO) -> bool:
    try:
        "│·⋮…".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
