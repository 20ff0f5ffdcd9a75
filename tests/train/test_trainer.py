"""What a step computes does not depend on how it was cut up, and a killed run goes on as if it had not been."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from momus.corpus.functions import Function
from momus.critique import Comment, TextMap
from momus.errors import MomusError
from momus.models.dialect import Dialect, stripped_line
from momus.records import Task
from momus.train.batches import Batch, collate
from momus.train.config import LossConfig, ModelConfig, OptimConfig, StageConfig
from momus.train.examples import ExampleFile, Kind, critique_example, fits
from momus.train.model import load_model, new_model, save_model
from momus.train.trainer import Master, Workers, _accumulate, learning_rate, train

torch.set_num_threads(1)

SIZES = ModelConfig(hidden=32, layers=2, heads=2, kv_heads=1, head_dim=16, ffn=64)
ALONE = Workers(0, 1, torch.device("cpu"))
WEIGHTS = LossConfig(code=0.5, code_fraction=1.0, token=0.3, scan=3.0, decision=1.0, comment=0.7)


@pytest.fixture(scope="module")
def data(
    tmp_path_factory: pytest.TempPathFactory, dialect: Dialect, stdlib_functions: dict[str, list[Function]]
) -> ExampleFile:
    """Critiques of an invented bug on each function's second line, each beside silence."""
    examples = []
    for function in sorted(stdlib_functions["train"], key=lambda f: len(f.code))[:24]:
        task = Task(id=function.id, question=function.doc, answer=function.code)
        span = stripped_line(TextMap(task.answer), TextMap(task.answer).code_lines[1])
        assert span is not None and fits(task)
        examples += [
            critique_example(task, [Comment(span, "It is wrong.", "wrong-call", "low", "pass")], dialect),
            critique_example(task, None, dialect),
        ]
    path = tmp_path_factory.mktemp("data") / "examples.npz"
    ExampleFile.write(path, examples)
    return ExampleFile(path)


def fresh(dialect: Dialect, seed: int = 0) -> torch.nn.Module:
    return new_model(SIZES, dialect.tokenizer.size, dialect.pad, dialect.end, seed)


def stage(steps: int = 6, method: str = "muon", **optim: float) -> StageConfig:
    settings = {"method": method, "tokens": steps * 900, "batch_tokens": 1024, "micro_tokens": 512, "lr": 3e-3, **optim}
    return StageConfig(optim=OptimConfig(**settings), loss=WEIGHTS)  # type: ignore[arg-type]


def accumulate(
    dialect: Dialect, model: torch.nn.Module, batches: Sequence[Batch], weights: LossConfig = WEIGHTS, seed: int = 0
) -> tuple[int, dict[str, float]]:
    rng = torch.Generator().manual_seed(seed)
    return _accumulate(model, batches, weights, ALONE, rng, (dialect.ok, dialect.bug))  # type: ignore[arg-type]


def gradient(dialect: Dialect, batches: Sequence[Batch]) -> tuple[torch.Tensor, dict[str, float], int]:
    model = fresh(dialect)
    tokens, losses = accumulate(dialect, model, batches)
    flat = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
    return flat, losses, tokens


def padded(batch: Batch, by: int) -> Batch:
    parts = (batch.ids, batch.targets, batch.kinds, batch.verdicts)
    return Batch(*(torch.nn.functional.pad(part, (0, by)) for part in parts))


def test_padding_and_the_cut_into_micro_batches_are_not_felt(dialect: Dialect, data: ExampleFile) -> None:
    rows = np.array([0, 3, 8, 11, 20])
    whole, losses, tokens = gradient(dialect, [collate(data, rows)])
    assert set(losses) == {"code", "token", "scan", "decision", "comment"} and tokens == int(data.lengths[rows].sum())
    for batches in (
        [padded(collate(data, rows), 37)],
        [collate(data, rows[[n]]) for n in range(5)],
        [collate(data, rows[:2]), padded(collate(data, rows[2:]), 5)],
    ):
        cut, cut_losses, cut_tokens = gradient(dialect, batches)
        assert cut_tokens == tokens
        assert cut_losses == pytest.approx(losses, rel=1e-5)
        assert torch.allclose(cut, whole, atol=1e-6)


def test_each_kind_is_averaged_over_its_own_positions_before_it_is_weighed(dialect: Dialect, data: ExampleFile) -> None:
    """By hand: the cross entropy of every position, from the plain model's logits."""
    batch = collate(data, np.array([0, 3]))

    def by_hand(model: torch.nn.Module) -> dict[str, torch.Tensor]:
        logits = model(input_ids=batch.ids).logits
        said = -logits.log_softmax(-1).gather(-1, batch.targets[..., None])[..., 0]
        two = logits[..., [dialect.ok, dialect.bug]].log_softmax(-1)
        judged = -two.gather(-1, (batch.verdicts - 1).clamp(min=0)[..., None])[..., 0]
        scan = batch.kinds == Kind.SCAN
        return {
            "code": said[batch.kinds == Kind.CODE].mean(),
            "token": judged[(batch.verdicts > 0) & ~scan].mean(),
            "scan": judged[scan].mean(),
            "decision": said[batch.kinds == Kind.DECISION].mean(),
            "comment": said[batch.kinds == Kind.COMMENT].mean(),
        }

    with torch.no_grad():
        expected = {name: float(loss) for name, loss in by_hand(fresh(dialect)).items()}
    flat, losses, _ = gradient(dialect, [batch])
    assert losses == pytest.approx(expected, rel=1e-4)
    model = fresh(dialect)
    sum(getattr(WEIGHTS, name) * loss for name, loss in by_hand(model).items()).backward()  # type: ignore[union-attr]
    assert torch.allclose(torch.cat([p.grad.reshape(-1) for p in model.parameters()]), flat, atol=1e-6)


def test_what_weighs_nothing_is_not_computed(dialect: Dialect, data: ExampleFile) -> None:
    batch = [collate(data, np.array([0, 3]))]
    _, losses = accumulate(dialect, fresh(dialect), batch, WEIGHTS.model_copy(update={"token": 0.0, "comment": 0.0}))
    assert set(losses) == {"code", "scan", "decision"}


def test_only_a_share_of_the_code_is_computed_and_its_mean_stays_true(dialect: Dialect, data: ExampleFile) -> None:
    batch = [collate(data, np.arange(0, 40, 2))]
    some = WEIGHTS.model_copy(update={"code_fraction": 0.3})
    _, losses = accumulate(dialect, fresh(dialect), batch, some, 1)
    whole = gradient(dialect, batch)[1]
    assert losses["code"] == pytest.approx(whole["code"], rel=0.02) and losses["code"] != whole["code"]
    assert losses["scan"] == pytest.approx(whole["scan"], rel=1e-5)


def test_the_learning_rate_by_hand() -> None:
    made = stage(tokens=1000, lr=2.0, warmup=0.1, final_lr=0.25)
    assert learning_rate(made, 0) == pytest.approx(2.0 * 0.01)
    assert learning_rate(made, 50) == pytest.approx(2.0 * 0.51)
    assert learning_rate(made, 100) == pytest.approx(2.0)
    assert learning_rate(made, 550) == pytest.approx((2.0 + 0.5) / 2)
    assert learning_rate(made, 1000) == learning_rate(made, 9999) == pytest.approx(0.5)
    rates = [learning_rate(made, seen) for seen in range(100, 1001, 10)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("warmup", [0.0, 0.0005, 0.01, 1.0])
def test_no_warm_up_overshoots_the_peak(warmup: float) -> None:
    made = stage(tokens=100_000, lr=1.0, warmup=warmup)
    assert max(learning_rate(made, seen) for seen in range(0, 100_000, 7)) <= 1.0 + 1e-12


def learn(
    dialect: Dialect, model: torch.nn.Module, data: ExampleFile, made: StageConfig, out: Path, **more: object
) -> bool:
    tokens = dialect.ok, dialect.bug
    return train(
        model,
        data,
        made,
        out,
        seed=0,
        verdict_tokens=tokens,
        together=2,
        workers=ALONE,
        **more,  # type: ignore[arg-type]
    )


def test_a_little_training_learns(dialect: Dialect, data: ExampleFile, tmp_path: Path) -> None:
    assert learn(dialect, fresh(dialect), data, stage(40), tmp_path)
    first, last = (
        json.loads(line) for line in np.array((tmp_path / "metrics.jsonl").read_text().splitlines())[[0, -1]]
    )
    assert first["step"] == 20
    for kind in ("code", "token", "scan", "decision", "comment"):
        assert last[f"loss_{kind}"] < first[f"loss_{kind}"]
    assert last["loss_comment"] < 0.8 * first["loss_comment"]


def final(folder: Path) -> dict[str, torch.Tensor]:
    saved = torch.load(folder / "state.pt", weights_only=True)
    flat = {
        f"{which}.{n}.{name}": value
        for which, optimizer in enumerate(saved["optimizers"])
        for n, state in optimizer["state"].items()
        for name, value in state.items()
    }
    return {**saved["weights"], **flat, "at": torch.tensor([saved["step"], saved["seen"]])}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_stopped_and_a_killed_run_end_as_an_unbroken_one_bit_for_bit(
    dialect: Dialect, data: ExampleFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    assert learn(dialect, fresh(dialect), data, stage(), unbroken)
    # stopped by its time, twice; other fresh weights do not matter, as the checkpoint's are taken
    for n in range(2):
        assert not learn(dialect, fresh(dialect, seed=n), data, stage(), broken, minutes=0)
    # killed in the middle of its second step from there, of which nothing was saved
    steps = itertools.count()
    real = Master.step

    def killed(self: Master, *arguments: object) -> float:
        if next(steps) == 1:
            raise KeyboardInterrupt
        return real(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Master, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            learn(dialect, fresh(dialect), data, stage(), broken)
    assert not same(final(unbroken), final(broken))
    assert learn(dialect, fresh(dialect, seed=9), data, stage(), broken)
    assert same(final(unbroken), final(broken))
    measured = [json.loads(line)["step"] for line in (broken / "metrics.jsonl").read_text().splitlines()]
    assert measured == sorted(set(measured)) and measured[:2] == [1, 2]


def test_what_was_measured_after_the_checkpoint_is_forgotten(
    dialect: Dialect, data: ExampleFile, tmp_path: Path
) -> None:
    learn(dialect, fresh(dialect), data, stage(), tmp_path, minutes=0)
    with (tmp_path / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"step": 20, "tokens": 1}\n{"step": 40, "tok')  # of a run that was killed while it wrote
    learn(dialect, fresh(dialect), data, stage(), tmp_path, minutes=0)
    assert [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()] == [1, 2]


def test_a_state_of_another_model_or_a_damaged_one_is_one_sentence(
    dialect: Dialect, data: ExampleFile, tmp_path: Path
) -> None:
    learn(dialect, fresh(dialect), data, stage(), tmp_path, minutes=0)
    wider = new_model(SIZES.model_copy(update={"hidden": 64}), dialect.tokenizer.size, 0, 1, 0)
    state = tmp_path / "state.pt"
    with pytest.raises(MomusError, match="is not a checkpoint of this model") as error:
        learn(dialect, wider, data, stage(), tmp_path)
    assert "\n" not in str(error.value)
    for raw in (state.read_bytes()[:5000], b"", b"no checkpoint"):
        state.write_bytes(raw)
        with pytest.raises(MomusError, match="is not a checkpoint of this model"):
            learn(dialect, fresh(dialect), data, stage(), tmp_path)


def test_a_run_that_blows_up_says_so_and_keeps_its_checkpoint(
    dialect: Dialect, data: ExampleFile, tmp_path: Path
) -> None:
    learn(dialect, fresh(dialect), data, stage(), tmp_path, minutes=0)
    before = final(tmp_path)
    with pytest.raises(MomusError, match="lower lr"):
        learn(dialect, fresh(dialect), data, stage(lr=1e38, clip=1e38), tmp_path)
    assert same(final(tmp_path), before)


def test_a_finished_stage_is_saved_as_a_checkpoint_that_opens(
    dialect: Dialect, data: ExampleFile, tmp_path: Path
) -> None:
    model = fresh(dialect)
    learn(dialect, model, data, stage(1), tmp_path)
    save_model(model, tmp_path / "state.pt", tmp_path)
    opened = load_model(tmp_path)
    saved = torch.load(tmp_path / "state.pt", weights_only=True)["weights"]
    assert {name: p.dtype for name, p in opened.named_parameters()} == dict.fromkeys(saved, torch.float32)
    assert all(torch.equal(p, saved[name]) for name, p in opened.named_parameters())


WORKER = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from momus.train.config import ModelConfig, StageConfig
from momus.train.examples import ExampleFile
from momus.train.model import new_model
from momus.train.trainer import Workers, train

out, data, vocab, stage = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
workers = Workers.join()
model = new_model(ModelConfig.model_validate_json(sys.argv[5]), vocab, 0, 1, 0)
stage, tokens = StageConfig.model_validate_json(stage), (int(sys.argv[6]), int(sys.argv[7]))
assert train(model, ExampleFile(data), stage, out, seed=0, verdict_tokens=tokens, together=2, workers=workers)
torch.save({name: p.detach() for name, p in model.named_parameters()}, out / f"rank{workers.rank}.pt")
workers.wait()
"""


def test_two_processes_end_with_the_same_weights_and_the_loss_of_one(
    dialect: Dialect, data: ExampleFile, tmp_path: Path
) -> None:
    ExampleFile.write(tmp_path / "examples.npz", (data[n] for n in range(len(data))))
    (tmp_path / "worker.py").write_text(WORKER)
    made = stage(2)
    two, one = tmp_path / "two", tmp_path / "one"
    two.mkdir()
    arguments = [
        two,
        tmp_path / "examples.npz",
        dialect.tokenizer.size,
        made.model_dump_json(),
        SIZES.model_dump_json(),
        dialect.ok,
        dialect.bug,
    ]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
            *map(str, (tmp_path / "worker.py", *arguments)),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(two / f"rank{rank}.pt", weights_only=True) for rank in range(2))
    assert same(first, second)
    assert learn(dialect, fresh(dialect), data, made, one)
    alone, both = (json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1]) for folder in (one, two))
    assert alone["step"] == both["step"] and alone["tokens"] == both["tokens"]
    for kind in ("code", "scan", "decision", "comment"):
        assert both[f"loss_{kind}"] == pytest.approx(alone[f"loss_{kind}"], rel=0.01)
    a, b = final(one), final(two)
    moved = torch.cat([(a[name] - p.detach()).reshape(-1) for name, p in fresh(dialect).named_parameters()])
    apart = torch.cat([(a[name] - b[name]).reshape(-1) for name, _ in fresh(dialect).named_parameters()])
    assert apart.norm() < 0.2 * moved.norm()  # what is left is bf16's rounding of the sum
