"""A step of PPO against TRL 1.12.0, the last with a PPOTrainer, on the same weights, prompts and settings.

The model is tiny and its weights are random: the figure is about the trainer. Each contestant runs in a process of its
own, on one thread; the first step is not counted. TRL keeps a whole second network for the value; so does Momus in
one of its entries. Several critiques of one request make the batch, as in the paper; Momus reads the request once for
all of them, and one entry shows what it costs without. Run as a module, it is one contestant, or writes the weights.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from momus.bench import Goal, Outcome, Say
from momus.bench.process import measure
from momus.errors import MissingExtra, MomusError
from momus.models.arch import Arch

ARCH = Arch(vocab=2048, hidden=128, layers=4, heads=4, kv_heads=2, head_dim=32, ffn=320)
WORK = {"vocab": ARCH.vocab, "rollouts": 32, "per_prompt": 4, "max_new": 40, "epochs": 2, "steps": 4}
PROMPT = (150, 250)  # tokens of a request, drawn evenly
TRL = ("trl==1.12.0", "datasets==5.2.0", "pyarrow==26.0.1", "pandas", "multiprocess", "xxhash", "dill", "requests")
MORE = ("python-dateutil", "six", "urllib3", "charset-normalizer", "certifi")  # what those need
PEER = "TRL 1.12.0 PPOTrainer"
OURS = {
    "separate": "Momus, a value net of its own",
    "shared": "Momus, value on the policy's trunk",
    "alone": "Momus, a value net of its own, each critique in a row of its own",
}
EQUAL_GOAL, SHARED_GOAL = 1.1, 1.5
_SELF = [sys.executable, "-m", "momus.bench.ppo"]


def bench(*, seed: int = 0, say: Say = lambda line: None, trl_python: Path | None = None) -> Outcome:
    """Time every contestant. `trl_python` is a Python with TRL 1.12.0; without, it is fetched into a cache once.

    Raises MissingExtra without torch, transformers and accelerate, MomusError where TRL cannot be had.
    """
    for package in ("torch", "transformers", "safetensors", "accelerate"):
        if find_spec(package) is None:
            raise MissingExtra("the bench of PPO", "train")
    with tempfile.TemporaryDirectory(prefix="momus-bench-") as name:
        say("writing random weights")
        measure([*_SELF, "prepare", name, str(seed)])
        found: dict[str, dict[str, Any]] = {}
        for contestant, label in OURS.items():
            say(f"PPO with {label}")
            used = measure([*_SELF, contestant, name, str(seed)])
            found[label] = {**_figures(json.loads(used.stdout.splitlines()[-1])), "peak_mb": round(used.peak_mb, 1)}
        python, env = _trl(trl_python, say)
        say(f"PPO with {PEER}")
        used = measure([python, str(Path(__file__).with_name("ppo_trl.py")), name], env=env)
        found[PEER] = {**_figures(json.loads(used.stdout.splitlines()[-1])), "peak_mb": round(used.peak_mb, 1)}
    peer = found[PEER]["episodes_per_cpu_s"]
    for figures in found.values():
        figures["ratio"] = round(figures["episodes_per_cpu_s"] / peer, 2)
    goals = [
        Goal("PPO, equal architecture, times TRL", found[OURS["separate"]]["ratio"], "at least", EQUAL_GOAL, "x"),
        Goal("PPO, shared trunk, times TRL", found[OURS["shared"]]["ratio"], "at least", SHARED_GOAL, "x"),
    ]
    figures = {
        "work": {**WORK, "prompt_tokens": list(PROMPT)},
        "arch": ARCH.to_dict(),
        "parameters": ARCH.parameters,
        "contestants": found,
    }
    return Outcome("ppo", goals, figures, ("torch", "transformers", "accelerate"))


def contest(kind: str, folder: Path, seed: int) -> dict[str, Any]:
    """CPU-seconds of each step of ours but the first, and of their phases."""
    import time

    import torch
    import transformers

    from momus.train.policy import Policy
    from momus.train.ppo.config import PPOConfig
    from momus.train.ppo.loop import Trainer
    from momus.train.ppo.requests import Request
    from momus.train.ppo.scoring import RewardScores
    from momus.train.reward.model import RewardModel

    torch.set_num_threads(1)
    peer: Any = transformers
    codec: Any = _NoLanguage()
    policy = Policy(peer.Qwen3ForCausalLM.from_pretrained(folder / "policy", dtype=torch.float32), codec, folder)
    model = peer.Qwen3ForSequenceClassification.from_pretrained(folder / "reward", dtype=torch.float32)
    reward = RewardModel(model, codec, 0.0, 1.0, folder)
    work = {name: value for name, value in WORK.items() if name != "vocab"}
    config = PPOConfig.model_validate({**work, "value": "shared" if kind == "shared" else "separate"})
    requests = [Request(tuple(prompt), None) for prompt in json.loads((folder / "prompts.json").read_text())]  # type: ignore[arg-type]
    scores = RewardScores(reward)
    run = Trainer(policy, scores, requests, config, folder / kind, seed=seed)
    if kind == "alone":
        scores.share = run.model.share = False
        assert run.reference is not None
        run.reference.share = False
    steps, phases = [], []
    for _ in range(config.steps):
        began = time.process_time()
        line = run.one_step()
        steps.append(time.process_time() - began)
        phases.append({name[6:]: value for name, value in line.items() if name.startswith("cpu_s_")})
    mean = {name: sum(phase[name] for phase in phases[1:]) / (len(phases) - 1) for name in phases[0]}
    return {"cpu_s": steps[1:], "phases": {name: round(value, 3) for name, value in mean.items()}}


class _NoLanguage:
    """Random weights say nothing: no critique is read from them."""

    pad, end = 0, 1

    def read(self, tokens: Sequence[int], answer: object) -> Any:
        from momus.critique import Critique
        from momus.models.protocol import Written

        return Written(Critique(), 0)

    def forced(self, tokens: Sequence[int], answer: object) -> list[int]:
        return []


def _figures(inside: dict[str, Any]) -> dict[str, Any]:
    steps = inside.pop("cpu_s")
    mean = sum(steps) / len(steps)
    return {
        "cpu_s_per_step": round(mean, 3),
        "steps": [round(step, 3) for step in steps],
        "episodes_per_cpu_s": round(WORK["rollouts"] / mean, 3),
        **inside,
    }


def _prepare(folder: Path, seed: int) -> None:
    import torch
    import transformers

    peer: Any = transformers
    torch.manual_seed(seed)
    config = peer.Qwen3Config(**ARCH.to_hf(), pad_token_id=0, eos_token_id=1, bos_token_id=None)
    peer.Qwen3ForCausalLM(config).save_pretrained(folder / "policy")
    config.num_labels = 1
    peer.Qwen3ForSequenceClassification(config).save_pretrained(folder / "reward")
    rng = np.random.default_rng(seed)
    requests = WORK["rollouts"] // WORK["per_prompt"]
    prompts = [rng.integers(2, ARCH.vocab, rng.integers(*PROMPT)).tolist() for _ in range(requests)]
    (folder / "prompts.json").write_text(json.dumps(prompts))
    (folder / "work.json").write_text(json.dumps(WORK))


def _trl(python: Path | None, say: Say) -> tuple[str, dict[str, str]]:
    """A Python with TRL and what it needs in its environment; torch and Transformers are those of the bench."""
    if python is not None:
        return str(python), {}
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "momus" / "trl-1.12.0"
    if not (cache / "complete").exists():
        say("fetching TRL 1.12.0")
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(cache), *TRL, *MORE]
        try:
            subprocess.run(fetch, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise MomusError("pip cannot fetch TRL 1.12.0; give a Python that has it with --trl-python") from error
        (cache / "complete").touch()
    return sys.executable, {"PYTHONPATH": str(cache)}


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    what, where, seeded = sys.argv[1:]
    if what == "prepare":
        _prepare(Path(where), int(seeded))
    else:
        print(json.dumps(contest(what, Path(where), int(seeded))))
