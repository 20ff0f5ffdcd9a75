"""An adapter's training: it learns, goes on exactly where it stopped, says what is wrong, and a review can use it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
import torch

from momus.errors import MomusError
from momus.models.adapters import WEIGHTS
from momus.models.convert import converted
from momus.models.local import open_local
from momus.records import Task
from momus.train.adapter.base import open_base
from momus.train.adapter.config import AdapterConfig, learning_rate
from momus.train.adapter.examples import correction
from momus.train.adapter.loop import ADAPTER, LOG, STATE, Run, train
from tiny_local import TinyLocal

CONFIG = AdapterConfig(examples=12, batch=2, rank=4, alpha=8, first_layer=1, lr=3e-3, warmup=1, max_tokens=500)
WRONG, RIGHT = "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"


@pytest.fixture
def run(tiny_local: TinyLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tiny_local.folder / "cache"))
    return new_run(tiny_local.gguf("qwen2"), tmp_path / "out")


def new_run(gguf: Path, out: Path, config: AdapterConfig = CONFIG) -> Run:
    base = converted(gguf)
    task = Task(id="t", question="Add two numbers.", answer=WRONG)
    made = [correction("written", task, RIGHT, base.tokens), correction("written", task, WRONG, base.tokens)]
    return Run(open_base(gguf, config, torch.device("cpu")), base.digest, made[:1] * 4, config, out)


def values(out: Path) -> list[torch.Tensor]:
    return list(torch.load(out / STATE, weights_only=True)["masters"])


def same(a: Path, b: Path) -> bool:
    return all(torch.equal(x, y) for x, y in zip(values(a), values(b), strict=True))


def test_it_learns_the_correction_and_a_model_reads_with_it(run: Run, tiny_local: TinyLocal) -> None:
    assert train(run)
    lines = [json.loads(line) for line in (run.out / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[-1]["changed"] < lines[0]["changed"]
    ids, first = list(run.examples[0].ids), run.examples[0].first
    model = open_local(str(tiny_local.gguf("qwen2")), mode="exact", threads=1, adapters=True)
    plain, digest = model.read(ids, first).logprobs.mean(), model.digest
    model.use(run.out / ADAPTER)
    assert model.read(ids, first).logprobs.mean() > plain + 0.01
    assert model.digest != digest  # what was read with an adapter is never taken for what was read without
    model.use(None)
    assert model.digest == digest
    assert (run.out / ADAPTER / WEIGHTS).stat().st_size < 100_000


def test_stopped_it_goes_on_to_the_same_values(run: Run, tiny_local: TinyLocal, tmp_path: Path) -> None:
    assert train(run)
    parts = tmp_path / "parts"
    for _ in range(6):
        done = train(new_run(tiny_local.gguf("qwen2"), parts), minutes=0)
    assert done and same(run.out, parts)
    assert not train(new_run(tiny_local.gguf("qwen2"), tmp_path / "new"), minutes=0)


def test_killed_it_goes_on_to_the_same_values(run: Run, tiny_local: TinyLocal, tmp_path: Path) -> None:
    script = tmp_path / "again.py"
    script.write_text(
        "import sys; sys.path[:0] = sys.argv[3:]\n"
        "from pathlib import Path\n"
        "import test_adapter_training as t\n"
        "from momus.train.adapter import loop\n"
        "loop.SAVE_EVERY = 0\n"
        "loop.train(t.new_run(Path(sys.argv[1]), Path(sys.argv[2])))\n"
    )
    out = tmp_path / "killed"
    here = Path(__file__).resolve()
    command = [
        sys.executable,
        str(script),
        str(tiny_local.gguf("qwen2")),
        str(out),
        str(here.parent),
        str(here.parents[2]),
    ]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        until = time.monotonic() + 120
        while not (out / STATE).is_file() and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait()
    assert (out / STATE).is_file()
    assert train(new_run(tiny_local.gguf("qwen2"), out)) and train(run)
    assert same(run.out, out)


def test_a_loss_that_is_no_number_is_said_and_the_checkpoint_stays(run: Run) -> None:
    train(run, minutes=0)
    before = (run.out / STATE).read_bytes()
    with torch.no_grad():
        run.model.get_base_model().lm_head.weight.fill_(float("nan"))
    with pytest.raises(MomusError, match="the loss is no number; lower lr"):
        train(run)
    assert (run.out / STATE).read_bytes() == before


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file can grow beyond 10 kB, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_checkpoint_that_cannot_be_written_is_said(run: Run, small_files: None) -> None:
    with pytest.raises(MomusError, match=r"the checkpoint can't be written to .*make room"):
        train(run, minutes=0)
    assert not (run.out / STATE).exists() and not list(run.out.glob(f".{STATE}*"))


@pytest.mark.parametrize("change", [{"rank": 8, "alpha": 8}, {"seed": 5}, {"batch": 1}])
def test_a_checkpoint_of_another_run_is_refused(run: Run, tiny_local: TinyLocal, change: dict[str, Any]) -> None:
    train(run, minutes=0)
    other = new_run(tiny_local.gguf("qwen2"), run.out, CONFIG.model_copy(update=change))
    with pytest.raises(MomusError, match=r"is of another config.*: name another --out"):
        train(other)


def test_a_checkpoint_of_another_base_is_refused_and_a_damaged_one_too(run: Run, tiny_local: TinyLocal) -> None:
    train(run, minutes=0)
    other = new_run(tiny_local.gguf("llama"), run.out)
    with pytest.raises(MomusError, match="is of another base"):
        train(other)
    (run.out / STATE).write_bytes((run.out / STATE).read_bytes()[:500])
    with pytest.raises(MomusError, match=r"can't be read .*remove it to begin anew"):
        train(run)


def test_a_base_with_too_few_layers_is_refused(tiny_local: TinyLocal) -> None:
    with pytest.raises(MomusError, match=r"first_layer is 12, and qwen2\.gguf has 2 layers"):
        open_base(tiny_local.gguf("qwen2"), AdapterConfig(), torch.device("cpu"))


def test_weights_that_transformers_reads_otherwise_are_refused(tiny_local: TinyLocal) -> None:
    with pytest.raises(MomusError, match=r"can't be trained on .*name a GGUF"):  # heads of 16 values
        open_base(tiny_local.gguf("qwen3"), CONFIG, torch.device("cpu"))


def test_the_rate_warms_up_stays_and_falls() -> None:
    config = AdapterConfig(examples=80, batch=8, warmup=2, fall=0.5, final_lr=0.1, lr=1.0)
    rates = [round(learning_rate(config, step), 3) for step in range(10)]
    assert rates == [0.5, 1, 1, 1, 1, 0.82, 0.64, 0.46, 0.28, 0.1]
    assert [learning_rate(config.model_copy(update={"examples": 160}), s) for s in range(5)] == [0.5, 1, 1, 1, 1]
