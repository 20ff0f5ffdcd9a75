"""A checkpoint as a bundle: weights in 8 bits, the graph, the tokenizer, the 5-gram, the fitted gate, the card.

With a reward model its weights go beside it, and a dial is fitted.
"""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from safetensors.numpy import load_file

from momus import __version__
from momus.corpus.build import read_manifest, read_split
from momus.corpus.functions import Function
from momus.corpus.tokenizer import Tokenizer
from momus.decode import from_json
from momus.errors import MomusError
from momus.models import graph
from momus.models.arch import Arch
from momus.models.bundled import CHECKED, FILE, FORMAT, REWARD, REWARD_CHECKED, Gate, file_digest, open_bundle
from momus.records import Task
from momus.train.dial import fit_dial
from momus.train.gate import development_tampers, fit, judge
from momus.train.lineage import lineage


def export(
    checkpoint: Path,
    tokenizer: Path,
    ngram: Path,
    corpus: Path,
    out: Path,
    *,
    name: str,
    reward: Path | None = None,
    answers: Sequence[Task] = (),
    bits: Literal[8, 32] = 8,
    pairs: int = 400,
    dial_pairs: int = 600,
    clean_flagged: float = 0.1,
    seed: int = 0,
) -> dict[str, Any]:
    """Write a bundle and return what the gate does on development tampers. Replaces `out` only once all is well.

    With `answers`, correct ones of problems that nothing is measured on, every second development tamper is of one.
    `reward` is the folder of a reward model (`momus train reward`): with one, the dial is fitted on `dial_pairs` more
    tampers and returned too (0: none is fitted). Raises MomusError where the checkpoint, the reward model, tokenizer
    or corpus cannot be read, and where `out` is a folder that holds something else than a bundle.
    """
    out = out.resolve()
    if out.exists() and any(out.iterdir()) and not (out / FILE).is_file():
        raise MomusError(f"{out} holds something else than a bundle; name a new folder")
    arch, tensors = _read(checkpoint, "no checkpoint in {} ({}): finish momus train sft first")
    for needed in (tokenizer, ngram):
        if not needed.is_file():
            raise MomusError(f"{needed} is not there: make it with momus train tokenizer")
    if reward is not None:
        _check_tokenizers(reward, tokenizer)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    about: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "momus": __version__,
        "arch": asdict(arch),
        "gate": asdict(Gate()),
        "weights": graph.write(arch, tensors, partial, bits),
        "training": _training(checkpoint),
    }
    if reward is not None:
        about["reward"] = _write_reward(reward, arch, partial / REWARD, bits)
    shutil.copyfile(tokenizer, partial / "tokenizer.json")
    shutil.copyfile(ngram, partial / "ngram.npz")
    _write_about(partial, about)
    items: Iterable[Function | Task] = read_split(corpus, "dev")
    if answers:
        items = itertools.chain.from_iterable(zip(items, answers, strict=False))
    tampers = development_tampers(items, pairs + (dial_pairs if reward is not None else 0), seed)
    gate, report = fit(list(judge(open_bundle(partial), itertools.islice(tampers, pairs))), clean_flagged)
    about["gate"] = asdict(gate)
    about["fitted_on"] = report = {**report, "answers": bool(answers)}
    _write_about(partial, about)
    if reward is not None and dial_pairs:
        about["dial"] = fit_dial(open_bundle(partial), list(tampers), seed).to_dict()
        _write_about(partial, about)
    (partial / "MODEL_CARD.md").write_text(_card(about, arch, corpus), encoding="utf-8")
    (partial / "__init__.py").write_text("", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    return {**report, "dial": about["dial"]} if "dial" in about else report


def _read(folder: Path, refusal: str) -> tuple[Arch, dict[str, Any]]:
    """The sizes and tensors of a checkpoint. Raises MomusError: the refusal, with folder and reason put in."""
    try:
        config = from_json((folder / "config.json").read_text(encoding="utf-8"))
        if "ForSequenceClassification" in str(config.get("architectures")):
            config["tie_word_embeddings"] = True  # it has no output layer that could be another
        return Arch.from_hf(config), load_file(folder / "model.safetensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise MomusError(refusal.format(folder, error)) from None


def _check_tokenizers(reward: Path, tokenizer: Path) -> None:
    """A reward model must read the policy's tokens. Raises MomusError."""
    try:
        read = Tokenizer.load(reward / "tokenizer.json")
    except (OSError, ValueError, KeyError, TypeError, MomusError) as error:
        raise MomusError(f"no reward model in {reward} ({error}): finish momus train reward first") from None
    if read.token_bytes != Tokenizer.load(tokenizer).token_bytes:
        raise MomusError(
            f"the reward model in {reward} has another tokenizer than {tokenizer}: train it from a checkpoint of the "
            "same tokenizer"
        )


def _write_reward(folder: Path, policy: Arch, out: Path, bits: Literal[8, 32]) -> dict[str, Any]:
    """Write a sequence classifier's weights and graph; return what `bundle.json` says of it."""
    refusal = "no reward model in {} ({}): finish momus train reward first"
    arch, tensors = _read(folder, refusal)
    try:
        scale = from_json((folder / "reward.json").read_text(encoding="utf-8"))
        mean, std = float(scale["mean"]), float(scale["std"])
        head = tensors["score.weight"].reshape(arch.hidden)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(refusal.format(folder, error)) from None
    if arch.vocab != policy.vocab or arch.context < policy.context:
        raise MomusError(f"the reward model in {folder} has another vocabulary or a shorter context than its policy")
    if not (math.isfinite(mean) and 0 < std < math.inf):
        raise MomusError(
            f"the scores of the reward model in {folder} have mean {mean} and deviation {std}: train again"
        )
    return {
        "arch": asdict(arch),
        "weights": graph.write(arch, tensors, out, bits),
        "head": [float(value) for value in head],
        "mean": mean,
        "std": std,
    }


def _write_about(folder: Path, about: dict[str, Any]) -> None:
    files = (*CHECKED, *(REWARD_CHECKED if "reward" in about else ()))
    about["sha256"] = {name: file_digest(folder / name) for name in files}
    (folder / FILE).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _training(checkpoint: Path) -> dict[str, Any]:
    """The stages behind a checkpoint with the tokens of each, the last one's config, and the last line of its metrics.

    Of PPO the critiques are counted, not the tokens.
    """
    metrics = checkpoint / "metrics.jsonl"
    training: dict[str, Any] = {"stages": []}
    for manifest in lineage(checkpoint):
        config = training["config"] = manifest.get("config", {})
        stage = manifest.get("stage")
        if stage == "ppo":
            training["stages"].append({"stage": stage, "critiques": config["steps"] * config["rollouts"]})
        elif stage is not None:
            training["stages"].append({"stage": stage, "tokens": config[stage]["optim"]["tokens"]})
    lines = metrics.read_text(encoding="utf-8").splitlines() if metrics.exists() else []
    if lines:
        last = from_json(lines[-1])
        training["last"] = {k: v for k, v in last.items() if k.startswith("loss_") or k in ("tokens", "step")}
    return training


def _card(about: dict[str, Any], arch: Arch, corpus: Path) -> str:
    manifest = read_manifest(corpus) or {}
    inputs = [tuple(entry) for entry in manifest.get("inputs", [])]
    trained = [entry for entry in inputs if entry[3] == "train"]
    held_out = ", ".join(sorted(entry[0] for entry in inputs if entry[3] == "heldout"))
    licences = ", ".join(f"{licence} ({n})" for licence, n in Counter(e[2] for e in trained).most_common())
    packages = ", ".join(f"{entry[0]} {entry[1]}" for entry in sorted(trained))
    fitted = about["fitted_on"]
    judged = "functions and of answers to stated tasks, by turns," if fitted["answers"] else "functions"
    stages = about["training"]["stages"]
    seen = {
        name: sum(stage["tokens"] for stage in stages if stage["stage"] == name) for name in ("pretrain", "scan", "sft")
    }
    critiques = sum(stage.get("critiques", 0) for stage in stages)
    reinforced = f"\n- Reinforcement (PPO), {critiques:,} critiques: scored by a reward model." if critiques else ""
    return f"""# Model card: {about["name"]}

A critic of Python functions: it reads a question and an answer and writes comments on exact lines of the answer, or
keeps silent. A Qwen3 decoder of {arch.parameters / 1e6:.1f}M parameters ({arch.layers} layers, width {arch.hidden},
context {arch.context}), weights in {about["weights"]["bits"]} bits. Trained from scratch by this project.

## What it is good for, and what not

It is small, and honest about it: a first line of suspicion, not a reviewer. It has learned from bugs that rules put
into library code. Natural bugs of language models are different and mostly harder; the README's tables show both.
Its silence proves nothing. It knows Python only, and sees one function at a time.

## Training

- Code, {seen["pretrain"]:,} tokens: functions of the Python standard library and of {len(trained)} packages, fetched
  by version, near-duplicates removed.
- Which lines are wrong, {seen["scan"]:,} tokens: such functions, and the answers of `--also`, with several rule-made
  bugs in each.
- Critique, {seen["sft"]:,} tokens: rule-made tampers of such functions with their descriptions, each beside its clean
  twin, where silence is the right answer; further tampers and natural bugs of the development data's training split
  (see docs/training.md).{reinforced}
- Never trained on: the held-out packages ({held_out}), the held-out bug operators, the packages whose real bugs serve
  for measuring, HumanEval problems 82 and up, QuixBugs.
- Licences of the packages: {licences}; the standard library: PSF-2.0.

Packages: {packages}.

## The gate

Fitted on {fitted["pairs"]} tampers of development {judged} and their clean twins. At its threshold it speaks of
{fitted["clean_flagged"]:.1%} of the clean answers and {fitted["tampered_flagged"]:.1%} of the tampered ones; its first
line is the bug's in {fitted["first_line_right"]:.1%} of the tampered answers, gate aside. A comment's confidence is
the fitted probability that its line is a bug's when half of the answers are tampered.

Command: `momus train export`. Measured results: `benchmarks/results/`.
"""
