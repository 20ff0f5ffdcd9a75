"""A whole training run in miniature: standard library functions in, a bundle out, by the command line's own stages."""

from __future__ import annotations

import json
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from momus.corpus.functions import Function, functions_of
from momus.corpus.ngram import NGram
from momus.corpus.tokenizer import Tokenizer, train
from momus.models.bundled import Bundle, RuntimeName, open_bundle
from momus.models.dialect import SPECIALS, Dialect
from momus.records import write_jsonl

MODULES = {"train": ("textwrap", "shlex", "fnmatch", "calendar", "string"), "dev": ("heapq", "statistics", "difflib")}

CONFIG = """
name = "tiny"
seed = 5

[model]
hidden = 64
layers = 2
heads = 2
kv_heads = 1
head_dim = 32
ffn = 96

[data]
functions = 30
max_tokens = 500
scan_bugs = 3

[pretrain.optim]
tokens = 6_000
batch_tokens = 2048
micro_tokens = 1024

[pretrain.loss]

[scan.optim]
tokens = 6_000
batch_tokens = 2048
micro_tokens = 1024

[scan.loss]
scan = 2.0

[sft.optim]
tokens = 8_000
batch_tokens = 2048
micro_tokens = 1024

[sft.loss]
code = 0.2
scan = 3.0
decision = 1.0
comment = 0.5
"""


@dataclass(frozen=True)
class TinyRun:
    """Where everything of the run stands. `bundle` has 32 bits, `bundle8` 8."""

    folder: Path
    functions: dict[str, list[Function]]
    results: dict[str, Result]

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def bundle8(self) -> Path:
        return self.folder / "bundle8"

    def opened(self, runtime: RuntimeName = "onnx") -> Bundle:
        return open_bundle(self.bundle, runtime=runtime)

    def metrics(self, stage: str) -> list[dict[str, Any]]:
        lines = (self.folder / stage / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def stdlib_functions() -> dict[str, list[Function]]:
    """Functions of a few modules, by split."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found = {}
    for split, modules in MODULES.items():
        files = [(f"{name}.py", (root / f"{name}.py").read_bytes()) for name in modules]
        found[split] = list(
            functions_of(files, package="python", version="3", licence="PSF-2.0", split=split)  # type: ignore[arg-type]
        )
    return found


def make_corpus(folder: Path, functions: dict[str, list[Function]]) -> Path:
    """A built corpus, as `momus train corpus` leaves it, and the tokenizer and 5-gram beside it."""
    for split, part in functions.items():
        write_jsonl(folder / "corpus" / f"functions-{split}.jsonl", part)
    tokenizer = train([f.code for f in functions["train"]], SPECIALS, folder / "tokenizer" / "tokenizer.json", size=600)
    sequences = [tokenizer.encode(f.code) for f in functions["train"]]
    NGram.train(sequences, vocabulary=tokenizer.size, entries=2000).save(folder / "ngram" / "ngram.npz")
    (folder / "tiny.toml").write_text(CONFIG, encoding="utf-8")
    return folder


def dialect_of(folder: Path) -> Dialect:
    return Dialect(Tokenizer.load(folder / "tokenizer" / "tokenizer.json"))


def run_stages(folder: Path, functions: dict[str, list[Function]]) -> TinyRun:
    """Pretrain, scan, sft and both exports, by the command line."""
    from momus.cli.train import command

    where = ["--corpus", str(folder / "corpus"), "--tokenizer", str(folder / "tokenizer")]
    stage = ["--config", str(folder / "tiny.toml"), *where, "--jobs", "1"]
    export = [*where, "--from", str(folder / "sft"), "--ngram", str(folder / "ngram" / "ngram.npz"), "--pairs", "30"]
    calls = {
        "pretrain": ["pretrain", *stage, "--out", str(folder / "pretrain")],
        "scan": ["scan", *stage, "--from", str(folder / "pretrain"), "--out", str(folder / "scan")],
        "sft": ["sft", *stage, "--from", str(folder / "scan"), "--out", str(folder / "sft")],
        "bundle": ["export", *export, "--bits", "32", "--out", str(folder / "bundle"), "--name", "tiny"],
        "bundle8": ["export", *export, "--bits", "8", "--out", str(folder / "bundle8"), "--name", "tiny"],
    }
    results = {
        name: CliRunner().invoke(command, arguments, catch_exceptions=False) for name, arguments in calls.items()
    }
    return TinyRun(folder, functions, results)
