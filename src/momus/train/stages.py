"""The three stages of the bundled critic: learn code, learn to see which lines are wrong, learn to criticise."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from transformers import Qwen3ForCausalLM

from momus.corpus.build import read_split
from momus.corpus.functions import Function
from momus.corpus.tokenizer import Tokenizer
from momus.decode import from_json
from momus.errors import MomusError
from momus.models.dialect import Dialect
from momus.records import Tamper, Task
from momus.train.config import StageConfig, TrainConfig
from momus.train.examples import ExampleFile
from momus.train.lineage import lineage, manifest_in, unreadable
from momus.train.model import load_model, new_model, save_model
from momus.train.prepare import Builder, Item, build, pretrain_examples, scan_examples, sft_examples
from momus.train.trainer import Workers, train

Stage = Literal["pretrain", "scan", "sft"]


def pretrain(
    config: TrainConfig, corpus: Path, tokenizer: Path, out: Path, *, jobs: int, minutes: float | None = None
) -> bool:
    """Train fresh weights on the corpus' code. True once the checkpoint stands in `out`."""
    workers = Workers.join()
    items = read_split(corpus, "train")
    data = _examples(config, "pretrain", corpus, items, pretrain_examples, tokenizer, None, out, jobs, workers)
    dialect = Dialect(Tokenizer.load(tokenizer))
    model = new_model(config.model, dialect.tokenizer.size, dialect.pad, dialect.end, config.seed)
    return _learn(model, data, config.pretrain, dialect, tokenizer, out, config.seed, 1, minutes, workers)


def scan(
    config: TrainConfig,
    corpus: Path,
    tokenizer: Path,
    start: Path,
    out: Path,
    *,
    more: Iterable[Task | Tamper] = (),
    jobs: int,
    minutes: float | None = None,
) -> bool:
    """Train the checkpoint in `start` to tell wrong lines from right ones, on answers with many bugs.

    `more` adds tasks to tamper. True once the checkpoint stands in `out`.
    """
    items: Iterable[Item] = chain((item for item in more if isinstance(item, Task)), _drawn(config, "scan", corpus))
    return _continue(config, "scan", corpus, items, scan_examples, tokenizer, start, out, 2, jobs, minutes)


def sft(
    config: TrainConfig,
    corpus: Path,
    tokenizer: Path,
    start: Path,
    out: Path,
    *,
    more: Iterable[Task | Tamper] = (),
    jobs: int,
    minutes: float | None = None,
) -> bool:
    """Train the checkpoint in `start` on tampers and their twins. `more` adds tasks to tamper, or ready bugs.

    True once the checkpoint stands in `out`.
    """
    items: Iterable[Item] = chain(more, _drawn(config, "sft", corpus))
    return _continue(config, "sft", corpus, items, sft_examples, tokenizer, start, out, 2, jobs, minutes)


def drawn_by(folders: Iterable[Path], corpus: Path) -> set[str]:
    """The ids of the functions that the scan and SFT stages behind `folders` have put bugs into, by their manifests.

    They are of the corpus that a manifest names, else of `corpus`. A folder without a manifest of such a stage has
    none. Raises MomusError on a manifest that cannot be read, and where its corpus is gone.
    """
    draws: dict[Path, dict[int, list[int | None]]] = {}  # counts by corpus, which is large and read once, and by seed
    for folder in folders:
        for manifest in lineage(folder):
            try:
                if (stage := manifest["stage"]) not in ("scan", "sft"):
                    continue
                config = TrainConfig.model_validate(manifest["config"])
            except (KeyError, ValueError) as error:
                raise unreadable(folder, error) from None
            seeds = draws.setdefault(Path(manifest.get("corpus", corpus)), {})
            seeds.setdefault(config.seed, []).append(_count(config, stage))
    found: set[str] = set()
    for where, seeds in draws.items():
        functions = list(read_split(where, "train"))
        for seed, counts in seeds.items():
            most = None if None in counts else max(count for count in counts if count is not None)
            found.update(function.id for function in _draw(functions, seed, most))
    return found


def _drawn(config: TrainConfig, stage: Stage, corpus: Path) -> list[Function]:
    return _draw(list(read_split(corpus, "train")), config.seed, _count(config, stage))


def _count(config: TrainConfig, stage: Stage) -> int | None:
    """How many functions a stage draws; None: all."""
    found: int | None = getattr(config, stage).functions or config.data.functions
    return found


def _draw(functions: Sequence[Function], seed: int, count: int | None) -> list[Function]:
    shuffled = list(functions)
    random.Random(seed).shuffle(shuffled)
    return shuffled[:count]


def _continue(
    config: TrainConfig,
    stage: Stage,
    corpus: Path,
    items: Iterable[Item],
    builder: Builder,
    tokenizer: Path,
    start: Path,
    out: Path,
    together: int,
    jobs: int,
    minutes: float | None,
) -> bool:
    workers = Workers.join()
    model = load_model(start)
    dialect = Dialect(Tokenizer.load(tokenizer))
    if model.config.vocab_size != dialect.tokenizer.size:
        raise MomusError(
            f"{tokenizer} has {dialect.tokenizer.size} tokens where the checkpoint in {start} has "
            f"{model.config.vocab_size}; give the tokenizer that it was trained with"
        )
    data = _examples(config, stage, corpus, items, builder, tokenizer, start, out, jobs, workers)
    return _learn(model, data, getattr(config, stage), dialect, tokenizer, out, config.seed, together, minutes, workers)


def _learn(
    model: Qwen3ForCausalLM,
    data: ExampleFile,
    stage: StageConfig,
    dialect: Dialect,
    tokenizer: Path,
    out: Path,
    seed: int,
    together: int,
    minutes: float | None,
    workers: Workers,
) -> bool:
    """Train; once all is seen, leave a checkpoint with its tokenizer beside it, as whoever opens it needs both."""
    finished = train(
        model,
        data,
        stage,
        out,
        seed=seed,
        verdict_tokens=(dialect.ok, dialect.bug),
        together=together,
        minutes=minutes,
        workers=workers,
    )
    if finished and workers.rank == 0:
        save_model(model, out / "state.pt", out)
        shutil.copyfile(tokenizer, out / "tokenizer.json")
    return finished


def _examples(
    config: TrainConfig,
    stage: Stage,
    corpus: Path,
    items: Iterable[Item],
    builder: Builder,
    tokenizer: Path,
    start: Path | None,
    out: Path,
    jobs: int,
    workers: Workers,
) -> ExampleFile:
    """The stage's examples, made once by the first process. Raises MomusError where `out` has those of other data.

    Beside them is written what the checkpoint in `start` has gone through, and what the one in `out` will have.
    """
    path = out / "examples.npz"
    if workers.rank == 0:
        _check_same_data(config, stage, out)
        if not path.exists():
            build(items, builder, tokenizer, config.data, path, seed=config.seed, jobs=jobs)
        manifest = {
            "stage": stage,
            "config": config.model_dump(mode="json"),
            "corpus": str(corpus),
            "tokenizer": str(tokenizer),
            "examples": len(ExampleFile(path)),
            "before": manifest_in(start) if start is not None else None,
        }
        (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    workers.wait()
    return ExampleFile(path)


def _check_same_data(config: TrainConfig, stage: Stage, out: Path) -> None:
    """What was learned in a folder so far was learned from its examples: other ones need another folder."""

    def data(run: dict[str, Any]) -> dict[str, Any]:
        taken = run[stage].get("functions") or run["data"]["functions"]
        return {"seed": run["seed"], **run["data"], "functions": taken}

    try:
        made = data(from_json((out / "manifest.json").read_text(encoding="utf-8"))["config"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    now = data(config.model_dump(mode="json"))
    changed = [name for name in made if now.get(name) != made[name]]
    if changed:
        raise MomusError(f"{out} was begun with another {changed[0]}; go on with that one, or name a new --out")
