"""Steps follow from the seed alone, are shared out whole, hold little padding, and keep a tamper by its twin."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from momus.errors import MomusError
from momus.train.batches import Batch, collate, epochs
from momus.train.examples import Example, ExampleFile


def make(path: Path, lengths: list[int]) -> ExampleFile:
    """Examples that can be told apart: example n is made of the token n + 1."""

    def example(n: int, length: int) -> Example:
        ids = np.full(length, n + 1, np.uint16)
        return Example(ids, ids, np.ones(length, np.uint8), np.ones(length, np.uint8))

    ExampleFile.write(path, (example(n, length) for n, length in enumerate(lengths)))
    return ExampleFile(path)


@pytest.fixture
def data(tmp_path: Path) -> ExampleFile:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 400, 300)
    # pairs of nearly one length, as tampers and their twins are
    return make(tmp_path / "data.npz", [int(size + n) for size in sizes for n in (0, 1)])


def rows(step: list[Batch]) -> list[int]:
    return [int(row[0]) - 1 for batch in step for row in batch.ids]


def take(data: ExampleFile, count: int, seed: int = 1, rank: int = 0, world: int = 1, **more: int) -> list[list[Batch]]:
    return list(itertools.islice(epochs(data, 8192, 2048, seed, rank, world, 2, **more), count))


def test_the_same_seed_gives_the_same_steps_and_another_does_not(data: ExampleFile) -> None:
    first = [rows(step) for step in take(data, 20)]
    assert first == [rows(step) for step in take(data, 20)]
    assert first != [rows(step) for step in take(data, 20, seed=2)]


def test_skipping_goes_on_where_a_run_had_come_to(data: ExampleFile) -> None:
    whole = [rows(step) for step in take(data, 45)]  # into the third epoch
    for skip in (0, 1, 17, 40):
        assert [rows(step) for step in take(data, 5, skip=skip)] == whole[skip : skip + 5]


@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_a_step_without_overlap_and_leave_nothing(data: ExampleFile, world: int) -> None:
    alone = take(data, 10)
    shares = [take(data, 10, rank=rank, world=world) for rank in range(world)]
    for n, step in enumerate(alone):
        parts = [rows(share[n]) for share in shares]
        assert sorted(row for part in parts for row in part) == sorted(rows(step))
        assert sum(len(set(part)) for part in parts) == len(set(rows(step)))
        assert len({len(share[n]) for share in shares}) == 1  # nobody waits


def test_an_epoch_shows_nearly_everything_once_and_in_a_new_order(data: ExampleFile) -> None:
    steps = take(data, 32)
    seen: list[int] = []
    epoch = 0
    for step in steps:
        if set(rows(step)) & set(seen):
            assert len(seen) > 0.9 * len(data)
            epoch += 1
            seen = []
        seen += rows(step)
    assert epoch >= 1


def test_little_of_a_batch_is_padding_and_none_is_too_large(data: ExampleFile) -> None:
    batches = [batch for step in take(data, 14) for batch in step]
    assert all(batch.ids.numel() <= 2048 for batch in batches)
    cells = sum(batch.ids.numel() for batch in batches)
    tokens = sum(int((batch.ids != 0).sum()) for batch in batches)
    assert tokens / cells > 0.9


def test_twins_mostly_share_a_batch(data: ExampleFile) -> None:
    batches = [rows([batch]) for step in take(data, 14) for batch in step]
    together = sum(row ^ 1 in batch for batch in batches for row in batch)
    assert together / sum(map(len, batches)) > 0.75


def test_padding_is_marked_by_kind_zero(data: ExampleFile) -> None:
    batch = collate(data, np.array([0, 2, 5]))
    assert batch.ids.shape == batch.kinds.shape == batch.targets.shape == (3, int(data.lengths[[0, 2, 5]].max()))
    for r, row in enumerate((0, 2, 5)):
        size = int(data.lengths[row])
        assert (
            (batch.kinds[r, :size] == 1).all()
            and (batch.kinds[r, size:] == 0).all()
            and (batch.verdicts[r, size:] == 0).all()
        )
        assert (batch.ids[r, :size] == row + 1).all() and (batch.ids[r, size:] == 0).all()


def test_less_data_than_a_step_takes_is_seen_more_than_once(tmp_path: Path) -> None:
    few = make(tmp_path / "few.npz", [30, 31, 32])
    for rank in range(2):
        steps = take(few, 3, rank=rank, world=2)
        assert all(len(step) == 2 and set(rows(step)) == {0, 1, 2} for step in steps)


def test_an_example_longer_than_a_batch_has_one_to_itself(tmp_path: Path) -> None:
    data = make(tmp_path / "long.npz", [5000, 40, 41, 42])
    steps = [rows([batch]) for step in take(data, 4) for batch in step]
    assert [0] in steps


def test_no_examples_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="no examples to train on"):
        next(epochs(make(tmp_path / "none.npz", []), 100, 100, 0, 0, 1))
