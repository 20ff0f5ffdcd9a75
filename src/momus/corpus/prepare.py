"""The two stages behind the corpus: a tokenizer trained on it, and a 5-gram over its tokens."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from momus import __version__
from momus.corpus.build import file_hash, read_manifest, read_split
from momus.corpus.ngram import NGram
from momus.corpus.tokenizer import Tokenizer, sample_texts, train
from momus.decode import from_json
from momus.errors import MomusError

MEASURED_FUNCTIONS = 1000  # held-out ones, for the figures in the manifests
Report = Callable[[str], None]


def prepare_tokenizer(
    corpus_dir: Path,
    out_dir: Path,
    specials: Sequence[str],
    *,
    size: int = 8192,
    seed: int = 0,
    report: Report = lambda line: None,
) -> tuple[Tokenizer, dict[str, Any]]:
    """Train `tokenizer.json` into a folder, with a manifest; return both. Not run again on the same inputs.

    Raises MomusError where the corpus is not built, MissingExtra without the `tokenizers` library.
    """
    path = out_dir / "tokenizer.json"
    inputs = {"corpus": _corpus_hash(corpus_dir), "specials": list(specials), "size": size, "seed": seed}
    finished = _finished(path, inputs)
    if finished is not None:
        report(f"{path} is trained already")
        return Tokenizer.load(path), finished
    report("training the tokenizer")
    trained = train(sample_texts(read_split(corpus_dir, "train"), seed=seed), specials, path, size=size)
    texts = _measured(corpus_dir)
    characters, tokens = sum(map(len, texts)), sum(len(trained.encode(text)) for text in texts)
    told = {"tokens": trained.size, "characters_per_token": characters / max(tokens, 1)}
    return trained, _write_manifest(path, inputs, told)


def prepare_ngram(
    corpus_dir: Path,
    tokenizer: Tokenizer,
    tokenizer_dir: Path,
    out_dir: Path,
    *,
    entries: int = 1_400_000,
    report: Report = lambda line: None,
) -> dict[str, Any]:
    """Train `ngram.npz` into a folder, with a manifest that holds its held-out bits a token; return the manifest.

    Not run again on the same inputs. Raises MomusError where the corpus is not built.
    """
    path = out_dir / "ngram.npz"
    inputs = {
        "corpus": _corpus_hash(corpus_dir),
        "tokenizer": file_hash(tokenizer_dir / "tokenizer.json"),
        "entries": entries,
    }
    finished = _finished(path, inputs)
    if finished is not None:
        report(f"{path} is trained already")
        return finished
    report("training the 5-gram")
    # As arrays: twenty million Python ints would take ten times the memory.
    sequences = [np.array(tokenizer.encode(f.code), np.int32) for f in read_split(corpus_dir, "train")]
    if not sequences:
        raise MomusError(f"the train split of {corpus_dir} is empty: build the corpus with a package to train on")
    NGram.train(sequences, vocabulary=tokenizer.size, entries=entries).save(path)
    saved = NGram.load(path)
    held_out = [tokenizer.encode(text) for text in _measured(corpus_dir)]
    rng = random.Random(0)
    shuffled = [rng.sample(ids, len(ids)) for ids in held_out]
    told = {
        "entries": saved.entries,
        "bytes": path.stat().st_size,
        "bits_per_token": _bits(saved, held_out),
        "bits_per_token_shuffled": _bits(saved, shuffled),
    }
    return _write_manifest(path, inputs, told)


def _measured(corpus_dir: Path) -> list[str]:
    return [function.code for function in islice(read_split(corpus_dir, "heldout"), MEASURED_FUNCTIONS)]


def _bits(ngram: NGram, sequences: Iterable[list[int]]) -> float:
    surprises = [ngram.surprisal(ids) for ids in sequences]
    total = sum(len(surprise) for surprise in surprises)
    return float(sum(surprise.sum() for surprise in surprises) / np.log(2) / total) if total else float("nan")


def _corpus_hash(corpus_dir: Path) -> str:
    manifest = read_manifest(corpus_dir)
    if manifest is None:
        raise MomusError(f"no corpus in {corpus_dir}: build it with 'momus train corpus --out {corpus_dir}'")
    return str(manifest["splits"]["train"]["sha256"])


def _finished(path: Path, inputs: dict[str, Any]) -> dict[str, Any] | None:
    try:
        manifest = from_json((path.parent / "manifest.json").read_text(encoding="utf-8"))
        same = manifest["inputs"] == inputs and manifest["sha256"] == file_hash(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest if same else None


def _write_manifest(path: Path, inputs: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    manifest = {"schema_version": 1, "momus": __version__, "inputs": inputs, "sha256": file_hash(path), **told}
    partial = path.parent / "manifest.json.partial"
    partial.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    partial.replace(path.parent / "manifest.json")
    return manifest
