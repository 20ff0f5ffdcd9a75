"""Critics made of a function, through the same protocol as the real ones; and notebooks to review."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from momus.critique import Comment, Critique, Span
from momus.records import Sampled, Task
from momus.review.config import Config
from momus.review.finding import FileReport, Report
from momus.review.plan import Asked, plan
from momus.review.run import conduct


class Says:
    """Comments where `comments_on` says so. Counts the tasks that it was given."""

    def __init__(
        self,
        comments_on: Callable[[Task], Iterable[Comment]],
        *,
        cut: str = "context",
        version: str = "",
        name: str = "says",
    ) -> None:
        self.name = name
        self.cut = cut
        self.version = version
        self.tasks: list[Task] = []
        self._comments_on = comments_on

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        for task in tasks:
            self.tasks.append(task)
            yield Sampled(task_id=task.id, critic=self.name, critique=Critique(tuple(self._comments_on(task))))


def on_word(word: str, **fields: object) -> Callable[[Task], Iterable[Comment]]:
    """A comment on every occurrence of a word."""

    def comments(task: Task) -> Iterable[Comment]:
        at = task.answer.find(word)
        while at >= 0:
            made = {"text": f"{word} is wrong.", "category": "other", **fields}
            yield Comment(Span(at, at + len(word)), **made)  # type: ignore[arg-type]
            at = task.answer.find(word, at + 1)

    return comments


def review_in(folder: Path, critic: object, *paths: str, options: dict[str, object] | None = None) -> Report:
    """A whole review of a folder, without cache and user settings."""
    config = Config(options={"cache": False, **(options or {})}, environment={"HOME": str(folder / "no-home")})
    jobs = plan(Asked(tuple(map(Path, paths))), config, folder)
    return conduct(jobs, config.near(folder), folder, critic=critic)  # type: ignore[arg-type]


def only(report: Report) -> FileReport:
    """The one file of a report."""
    (file,) = report.files
    return file


def notebook(*cells: str, language: str | None = "python", **extra: object) -> bytes:
    """A notebook of format 4: a heading, then these code cells."""
    metadata = {"language_info": {"name": language}} if language else {}
    body = [{"cell_type": "markdown", "source": "# Title"}]
    body += [
        {"cell_type": "code", "id": f"c{n}", "source": cell.splitlines(keepends=True)} for n, cell in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": body, **extra}).encode()
