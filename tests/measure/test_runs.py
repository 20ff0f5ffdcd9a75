"""Critiques are kept as they come: a killed run goes on where it was, and failures are tried again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from planted import Planted, make_tamper, oracle

from momus.errors import MomusError
from momus.measure import measure
from momus.measure.item import Item, versioned
from momus.measure.runs import gather
from momus.records import Sampled, Task

TASKS = [versioned(Task(id=str(i), question="q", answer=f"x = {i}\n")) for i in range(4)]


class Dying(Planted):
    """Does two tasks and dies."""

    error: BaseException = KeyboardInterrupt()

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        yield from list(super().critique(list(tasks)[:2], n=n, seed=seed))
        raise self.error


def silent() -> Planted:
    from momus.critique import Critique

    return Planted("c", lambda task: Critique())


def test_an_interrupted_run_keeps_what_was_done_and_goes_on_from_there(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        gather(Dying("c", silent().write), TASKS, seed=0, folder=tmp_path)
    critic = silent()
    assert sorted(gather(critic, TASKS, seed=0, folder=tmp_path)) == sorted(task.id for task in TASKS)
    assert len(critic.asked) == 2
    again = silent()
    gather(again, TASKS, seed=0, folder=tmp_path)
    assert again.asked == []


def test_a_line_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    gather(silent(), TASKS, seed=0, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-9])
    critic = silent()
    assert len(gather(critic, TASKS, seed=0, folder=tmp_path)) == 4
    assert len(critic.asked) == 1
    assert len(path.read_text().splitlines()) == 4


def test_another_seed_version_or_answer_is_another_critique(tmp_path: Path) -> None:
    gather(silent(), TASKS, seed=0, folder=tmp_path)
    other_seed, other_version = silent(), silent()
    other_version.version = "2"  # type: ignore[attr-defined]
    gather(other_seed, TASKS, seed=1, folder=tmp_path)
    gather(other_version, TASKS, seed=0, folder=tmp_path)
    assert len(other_seed.asked) == len(other_version.asked) == 4
    edited = silent()
    gather(edited, [versioned(Task(id="0", question="q", answer="x = 9\n")), TASKS[1]], seed=0, folder=tmp_path)
    assert len(edited.asked) == 1


def test_failures_are_kept_and_tried_again(tmp_path: Path) -> None:
    def broken(task: Task):  # type: ignore[no-untyped-def]
        raise ValueError("not today")

    first = gather(Planted("c", broken), TASKS, seed=0, folder=tmp_path)
    assert {sampled.error for sampled in first.values()} == {"not today"}
    critic = silent()
    second = gather(critic, TASKS, seed=0, folder=tmp_path)
    assert len(critic.asked) == 4 and not any(sampled.error for sampled in second.values())


def test_a_critic_that_dies_has_failed_on_the_rest_only() -> None:
    critic = Dying("c", silent().write)
    critic.error = RuntimeError("out of memory")
    found = gather(critic, TASKS, seed=0)
    assert sorted(found[task.id].error or "" for task in TASKS) == ["", "", "out of memory", "out of memory"]


def test_a_critic_that_can_not_start_says_so_to_the_user() -> None:
    class Unable(Planted):
        def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
            raise MomusError("the bundle is broken: install momus again")
            yield  # pragma: no cover

    with pytest.raises(MomusError, match="install momus again"):
        gather(Unable("c", oracle), TASKS, seed=0)


def test_passing_over_a_task_is_a_failure() -> None:
    class Lazy(Planted):
        def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
            return super().critique(list(tasks)[1:], n=n, seed=seed)

    found = gather(Lazy("c", silent().write), TASKS, seed=0)
    assert [f.error for f in found.values() if f.error] == ["the critic said nothing of this task"]


def test_the_answer_and_its_twin_are_never_taken_for_one_another() -> None:
    item = Item.of(make_tamper())
    assert item.task.id != item.twin.id
    assert item.task.id.rpartition("@")[0] == item.twin.id.rpartition("@")[0] == "t0"


def test_a_kept_run_gives_the_same_results(tmp_path: Path) -> None:
    tampers = [make_tamper(i) for i in range(3)]
    fresh = measure([Planted("oracle", oracle)], tampers, runs=tmp_path).to_json()
    critic = Planted("oracle", oracle)
    assert measure([critic], tampers, runs=tmp_path).to_json() == fresh
    assert critic.asked == []
