"""What is trained on may not judge: one problem or answer in two splits is refused."""

from __future__ import annotations

from collections.abc import Iterable

from momus.corpus.dedupe import fingerprint
from momus.errors import MomusError
from momus.records import Task


def refuse_shared(tasks: Iterable[Task]) -> None:
    """Raises MomusError where two splits share a group, or an answer but for layout, comments and names.

    Tasks without a split are in none. A group whose tasks bear no split at all is not looked at.
    """
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for task in tasks:
        if task.split is None:
            continue
        keys = [("answer", fingerprint(task.answer))]
        if task.group is not None:
            keys.append(("group", task.group))
        for kind, key in keys:
            split, name = seen.setdefault((kind, key), (task.split, task.id))
            if split != task.split:
                raise MomusError(
                    f"the tasks {name} ({split}) and {task.id} ({task.split}) have the same {kind}: "
                    "take one of them out, or no figure on them means anything"
                )
