"""Drafting: 28 drafts of one prompt, against Hugging Face's `generate` on the same weights.

The weights are random, so that the figure is about the runtime. Each contestant runs in a process of its own, on one
thread; loading is timed apart. Run as a module, it is one contestant, or writes the weights.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from momus.bench import Goal, Outcome, Say
from momus.bench.process import measure
from momus.bench.random_weights import ARCH_44M, tensors
from momus.errors import MissingExtra
from momus.models.arch import Arch

PROMPT, DRAFTS, TOKENS = 600, 28, 48
PEER = "Hugging Face generate, float32"
OURS = {"onnx-8": "Momus, ONNX Runtime, int8", "onnx-32": "Momus, ONNX Runtime, float32", "numpy-32": "Momus, numpy"}
SPEED_GOAL = 10.0
_SELF = [sys.executable, "-m", "momus.bench.decode"]


def bench(*, seed: int = 0, say: Say = lambda line: None, arch: Arch = ARCH_44M) -> Outcome:
    """Time every contestant. Raises MissingExtra without torch, transformers, onnx and onnxruntime."""
    for package in ("torch", "transformers", "safetensors", "onnx", "onnxruntime"):
        if find_spec(package) is None:
            raise MissingExtra("the bench of decoding against Hugging Face", "train")
    with tempfile.TemporaryDirectory(prefix="momus-bench-") as name:
        say("writing random weights")
        prepare(arch, Path(name), seed, ("hf", "8", "32"))
        found = {}
        for contestant, label in {**OURS, "hf": PEER}.items():
            say(f"decoding with {label}")
            used = measure([*_SELF, "contest", contestant, name, str(seed)])
            inside = json.loads(used.stdout.splitlines()[-1])
            found[label] = {**inside, "peak_mb": round(used.peak_mb, 1)}
    peer = found[PEER]["cpu_s"]
    for figures in found.values():
        figures["ratio"] = round(peer / figures["cpu_s"], 2)
    goal = Goal("28 drafts, times as fast as Hugging Face", found[OURS["onnx-8"]]["ratio"], "at least", SPEED_GOAL, "x")
    figures = {
        "work": {"prompt_tokens": PROMPT, "drafts": DRAFTS, "tokens_each": TOKENS, "temperature": 1.0},
        "arch": arch.to_dict(),
        "parameters": arch.parameters,
        "contestants": found,
    }
    return Outcome("decode", [goal], figures, ("numpy", "onnxruntime", "torch", "transformers"))


def prepare(arch: Arch, folder: Path, seed: int, kinds: Sequence[str]) -> None:
    """Write the same random weights as bundles of 8 and 32 bits (FOLDER/8, FOLDER/32) and for Hugging Face (FOLDER/hf).

    In a process of its own: a process that is started by a large one is said to have been as large.
    """
    (folder / "arch.json").write_text(json.dumps(arch.to_dict()))
    measure([*_SELF, "prepare", ",".join(kinds), str(folder), str(seed)])


def _prepare(kinds: Sequence[str], folder: Path, seed: int) -> None:
    arch = Arch.from_dict(json.loads((folder / "arch.json").read_text()))
    made = tensors(arch, seed)
    for kind in kinds:
        if kind == "hf":
            from safetensors.numpy import save_file

            (folder / "hf").mkdir()
            save_file(made, folder / "hf" / "model.safetensors", metadata={"format": "pt"})
            config = {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "dtype": "float32", **arch.to_hf()}
            (folder / "hf" / "config.json").write_text(json.dumps(config))
        else:
            from momus.models import graph

            index = graph.write(arch, made, folder / kind, 8 if kind == "8" else 32)
            (folder / kind / "index.json").write_text(json.dumps(index))


class _NoQuotes:
    """Random weights speak no language: nothing is quoted, every token is drawn."""

    open, close = 0, 1

    def quote_line(self, number: int, text: str) -> list[int]:
        return []


def contest(contestant: str, folder: Path, seed: int) -> dict[str, Any]:
    """Load one contestant, warm it up, let it draft; CPU-seconds and tokens per CPU-second."""
    arch = Arch.from_dict(json.loads((folder / "arch.json").read_text()))
    prompt = np.random.default_rng(seed).integers(0, arch.vocab, PROMPT).tolist()
    began, wall = time.process_time(), time.perf_counter()
    draft = _hugging_face(folder, seed) if contestant == "hf" else _momus(contestant, folder, arch, seed)
    load = {"load_cpu_s": time.process_time() - began, "load_wall_s": time.perf_counter() - wall}
    draft(prompt[:8], 2, 2)
    began, wall = time.process_time(), time.perf_counter()
    drawn = draft(prompt, DRAFTS, TOKENS)
    cpu, waited = time.process_time() - began, time.perf_counter() - wall
    if drawn != DRAFTS * TOKENS:
        raise RuntimeError(f"{contestant} drew {drawn} tokens instead of {DRAFTS * TOKENS}")
    figures = {"cpu_s": cpu, "wall_s": waited, "tokens_per_cpu_s": drawn / cpu, **load}
    return {name: round(value, 3) for name, value in figures.items()}


def _momus(contestant: str, folder: Path, arch: Arch, seed: int) -> Callable[[Sequence[int], int, int], int]:
    from momus.models.session import TokenBackend

    kind, _, bits = contestant.partition("-")
    index = json.loads((folder / bits / "index.json").read_text())
    if kind == "onnx":
        from momus.models.onnx_backend import OnnxRuntime

        backend = TokenBackend(OnnxRuntime(folder / bits, arch, index), _NoQuotes())
    else:
        from momus.models.numpy_backend import NumpyRuntime

        backend = TokenBackend(NumpyRuntime(folder / bits, arch, index), _NoQuotes())

    def draft(prompt: Sequence[int], drafts: int, tokens: int) -> int:
        session = backend.open_tokens(prompt)
        branches = session.fork(None, drafts)
        drawn = session.sample(branches, max_tokens=tokens, temperature=1.0, stop=frozenset(), quote=None, seed=seed)
        session.close()
        return sum(len(d.tokens) for d in drawn)

    return draft


def _hugging_face(folder: Path, seed: int) -> Callable[[Sequence[int], int, int], int]:
    import torch
    import transformers

    peer: Any = transformers  # only partly typed
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = peer.Qwen3ForCausalLM.from_pretrained(folder / "hf", dtype=torch.float32).eval()

    def draft(prompt: Sequence[int], drafts: int, tokens: int) -> int:
        config = peer.GenerationConfig(
            max_new_tokens=tokens,
            do_sample=True,
            temperature=1.0,
            top_k=0,  # left unset, it would be 50
            top_p=1.0,
            num_return_sequences=drafts,
            pad_token_id=0,
        )
        ids = torch.tensor([list(prompt)])
        with torch.inference_mode():
            out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
        return int((out.shape[1] - len(prompt)) * out.shape[0])

    return draft


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    task, what, where, seeded = sys.argv[1:]
    if task == "prepare":
        _prepare(what.split(","), Path(where), int(seeded))
    else:
        print(json.dumps(contest(what, Path(where), int(seeded))))
