"""Stages run once and in order, go on where they were killed, and are refused where they are of another study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.errors import MomusError
from momus.study.graph import Job, Stage, in_order, manifest_of, read_manifest, run


class Steps:
    """Stages that add up numbers in files, and a list of those that ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.crash: str | None = None

    def stage(self, name: str, *inputs: str, add: int = 1, given: Path | None = None) -> Stage:
        def work(job: Job) -> bool:
            self.ran.append(name)
            if self.crash == name:
                (job.folder / "half").write_text("half done")
                raise KeyboardInterrupt
            total = add + sum(int((job.inputs[i] / "sum").read_text()) for i in inputs)
            (job.folder / "sum").write_text(str(total))
            return True

        return Stage(name, work, ("sum",), inputs, {"add": add, "list": (1, 2)}, given)


def test_a_stage_runs_behind_what_it_needs_and_only_once(tmp_path: Path) -> None:
    steps = Steps()
    stages = in_order([steps.stage("c", "a", "b"), steps.stage("b", "a", add=5), steps.stage("a")])
    assert [stage.name for stage in stages] == ["a", "b", "c"]
    assert run(stages, tmp_path) and run(stages, tmp_path)
    assert steps.ran == ["a", "b", "c"] and (tmp_path / "c" / "sum").read_text() == "8"
    manifest = read_manifest(tmp_path, "c")
    assert manifest is not None and manifest["settings"] == {"add": 1, "list": [1, 2]}
    assert manifest["inputs"].keys() == {"a", "b"} and manifest["versions"]["momus"]
    assert manifest["inputs"]["a"] == json.loads(manifest_of(tmp_path, "a").read_text())["results"]


def test_a_stage_that_leaves_out_a_declared_result_has_not_finished(tmp_path: Path) -> None:
    def half(job: Job) -> bool:
        (job.folder / "one").write_text("1")
        return True

    stage = Stage("a", half, ("one", "two"), (), {})
    with pytest.raises(MomusError, match="lacks two though the stage a came to its end"):
        run([stage], tmp_path)
    manifest = read_manifest(tmp_path, "a")
    assert manifest is not None and manifest["results"] is None
    # A run from before this was refused has such a stage as finished.
    old = json.loads(manifest_of(tmp_path, "a").read_text()) | {"results": {"one": "x", "two": None}}
    manifest_of(tmp_path, "a").write_text(json.dumps(old))
    with pytest.raises(MomusError, match="lacks two: add --redo"):
        run([stage], tmp_path)


def test_only_keeps_what_a_stage_needs_and_a_kind_stands_for_all_of_it() -> None:
    steps = Steps()
    stages = [steps.stage("a"), steps.stage("sft-1", "a"), steps.stage("sft-2", "a"), steps.stage("z", "sft-1")]
    assert [s.name for s in in_order(stages, "sft-2")] == ["a", "sft-2"]
    assert [s.name for s in in_order(stages, "sft")] == ["a", "sft-1", "sft-2"]
    with pytest.raises(MomusError, match="no stage ppo: its stages are a, sft-1, sft-2, z"):
        in_order(stages, "ppo")
    with pytest.raises(ValueError, match="x -> y -> x"):
        in_order([steps.stage("x", "y"), steps.stage("y", "x")])


@given(st.lists(st.sets(st.integers(0, 9)), min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_every_order_is_topological(needs: list[set[int]], rng: Any) -> None:
    steps = Steps()
    stages = [steps.stage(f"s{i}", *(f"s{j}" for j in sorted(those) if j < i)) for i, those in enumerate(needs)]
    rng.shuffle(stages)
    ordered = [stage.name for stage in in_order(stages)]
    assert sorted(ordered) == sorted(stage.name for stage in stages)
    for stage in stages:
        assert all(ordered.index(name) < ordered.index(stage.name) for name in stage.inputs)


def test_a_stage_that_was_killed_goes_on(tmp_path: Path) -> None:
    steps = Steps()
    stages = [steps.stage("a"), steps.stage("b", "a")]
    steps.crash = "b"
    with pytest.raises(KeyboardInterrupt):
        run(stages, tmp_path)
    steps.crash = None
    assert run(stages, tmp_path) and steps.ran == ["a", "b", "b"]
    assert (tmp_path / "b" / "half").exists(), "what was done so far is kept"


def test_a_changed_stage_is_refused_or_begun_again_with_all_that_builds_on_it(tmp_path: Path) -> None:
    steps = Steps()
    run([steps.stage("a"), steps.stage("b", "a"), steps.stage("c")], tmp_path)
    changed = [steps.stage("a", add=2), steps.stage("b", "a"), steps.stage("c")]
    with pytest.raises(MomusError, match=r"a was begun with another add: add --redo .* or name another --out"):
        run(changed, tmp_path)
    (tmp_path / "a" / "old").write_text("of the other study")
    assert run(changed, tmp_path, redo=True)
    assert steps.ran == ["a", "b", "c", "a", "b"] and not (tmp_path / "a" / "old").exists()
    assert (tmp_path / "b" / "sum").read_text() == "3"


def test_what_is_refused_is_found_before_anything_runs(tmp_path: Path) -> None:
    steps = Steps()
    run([steps.stage("a"), steps.stage("z")], tmp_path)
    with pytest.raises(MomusError, match="z was begun with another add"):
        run([steps.stage("a"), steps.stage("b"), steps.stage("z", add=9)], tmp_path)
    assert steps.ran == ["a", "z"]


def test_a_finished_stage_that_was_changed_or_removed_is_seen(tmp_path: Path) -> None:
    steps = Steps()
    stages = [steps.stage("a"), steps.stage("b", "a")]
    run(stages, tmp_path)
    (tmp_path / "b" / "sum").write_text("77")
    with pytest.raises(MomusError, match="b was changed after it was finished"):
        run(stages, tmp_path)
    run(stages, tmp_path, redo=True)
    assert (tmp_path / "b" / "sum").read_text() == "2" and steps.ran == ["a", "b", "b"]
    for file in (tmp_path / "a").iterdir():
        file.unlink()
    (tmp_path / "a").rmdir()
    assert run(stages, tmp_path) and steps.ran == ["a", "b", "b", "a"], "made again, to the same: b stands"


def test_a_stage_made_from_other_inputs_than_those_beside_it_is_refused(tmp_path: Path) -> None:
    steps = Steps()
    stages = [steps.stage("a"), steps.stage("b", "a")]
    run(stages, tmp_path)
    (tmp_path / "a" / "sum").write_text("5")
    manifest = read_manifest(tmp_path, "a")
    assert manifest is not None
    from momus.corpus.build import file_hash

    manifest_of(tmp_path, "a").write_text(
        json.dumps({**manifest, "results": {"sum": file_hash(tmp_path / "a" / "sum")}}), encoding="utf-8"
    )
    with pytest.raises(MomusError, match="b was made from other inputs"):
        run(stages, tmp_path)


def test_a_given_folder_is_used_as_it_is_and_its_contents_count(tmp_path: Path) -> None:
    steps = Steps()
    there = tmp_path / "there"
    with pytest.raises(MomusError, match=r"no sum in .*there, which the section \[start\] names for a"):
        run([steps.stage("a", given=there)], tmp_path / "out")
    there.mkdir()
    (there / "sum").write_text("40")
    stages = [steps.stage("a", given=there), steps.stage("b", "a", add=2)]
    assert run(stages, tmp_path / "out") and steps.ran == ["b"]
    assert (tmp_path / "out" / "b" / "sum").read_text() == "42" and not (tmp_path / "out" / "a").exists()
    (there / "sum").write_text("41")
    with pytest.raises(MomusError, match="b was begun by another version of momus, or builds on a stage that has"):
        run(stages, tmp_path / "out")


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    def again(job: Job) -> bool:
        with pytest.raises(MomusError, match="another run is at work"):
            run([Steps().stage("a")], tmp_path)
        (job.folder / "sum").write_text("1")
        return True

    assert run([Stage("a", again, ("sum",))], tmp_path)
    assert run([Stage("a", again, ("sum",))], tmp_path), "the lock is gone with the run"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "letter").write_text("dear")
    with pytest.raises(MomusError, match="holds something that no study began"):
        run([Steps().stage("a")], tmp_path)
    with pytest.raises(MomusError, match="can't write to"):
        run([Steps().stage("a")], tmp_path / "a" / "letter")


def test_no_stage_begins_once_the_minutes_are_up(tmp_path: Path) -> None:
    steps = Steps()
    assert not run([steps.stage("a")], tmp_path, minutes=0)
    assert steps.ran == []


def test_a_stage_that_stops_for_its_minutes_is_not_finished(tmp_path: Path) -> None:
    asked: list[float | None] = []

    def half(job: Job) -> bool:
        asked.append(job.minutes)
        (job.folder / "sum").write_text(str(len(asked)))
        return len(asked) > 1

    said: list[str] = []
    assert not run([Stage("a", half, ("sum",))], tmp_path, minutes=5, say=said.append)
    assert said[-1] == "a: stopped; run again to go on" and asked[0] is not None and 4.9 < asked[0] <= 5
    manifest = read_manifest(tmp_path, "a")
    assert manifest is not None and manifest["results"] is None
    assert run([Stage("a", half, ("sum",))], tmp_path) and asked[1] is None


def test_a_manifest_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    manifest_of(tmp_path, "a").write_text("{")
    with pytest.raises(MomusError, match=r"cannot read .*a\.manifest\.json .*: remove it and the folder beside it"):
        run([Steps().stage("a")], tmp_path)
