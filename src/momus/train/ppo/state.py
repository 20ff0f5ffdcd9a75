"""The checkpoint that a run goes on from: all that the next step depends on, under a temporary name and renamed.

Batches, luck and orders are functions of seed, step and process, so that the step is the position of every sampler.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from momus.errors import MomusError
from momus.train.policy import Policy, save_tokenizer
from momus.train.ppo.policy_value import PolicyValue

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run is about; going on with another one would be another run."""

    config: dict[str, Any]
    seed: int
    world: int
    reference: str  # hash of the starting weights
    requests: str  # hash of the requests


@dataclass(frozen=True, slots=True)
class State:
    """Steps done, the trained weights, the optimiser's state and the KL coefficient."""

    step: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]
    coefficient: float


def save_state(path: Path, state: State, identity: Identity) -> None:
    """Replace the checkpoint. Raises MomusError where it cannot be written; the one before it then stands."""
    partial = path.with_name(path.name + ".partial")
    content = {
        "format": FORMAT,
        "step": state.step,
        "weights": state.weights,
        "optimizer": state.optimizer,
        "coefficient": state.coefficient,
        "identity": asdict(identity),
    }
    try:
        with partial.open("wb") as out:
            torch.save(content, out)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch says RuntimeError of a disk that is full
        partial.unlink(missing_ok=True)
        stands = "the checkpoint before it stands" if path.exists() else "there is none before it"
        raise MomusError(
            f"cannot save step {state.step} to {path} ({_reason(error)}); {stands}: free some space and run again"
        ) from None


def load_state(path: Path, identity: Identity) -> State | None:
    """Open the checkpoint of a run; None where it has not begun. Raises MomusError on another's, or a damaged one."""
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']}, not {FORMAT}")
        before = content["identity"]
        state = State(content["step"], content["weights"], content["optimizer"], content["coefficient"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, UnpicklingError) as error:
        raise MomusError(
            f"{path} is no checkpoint of PPO ({_reason(error)}); name a new --out, or remove it to begin again"
        ) from None
    now = asdict(identity)
    told = {
        "reference": "policy to begin with",
        "requests": "set of tasks",
        "world": "number of processes",
        "seed": "seed",
    }
    changed = [told[name] for name in told if before.get(name) != now[name]]
    settings = before.get("config", {})
    changed += [f"setting {name}" for name in now["config"] if settings.get(name) != now["config"][name]]
    if changed:
        raise MomusError(f"{path.parent} was begun with another {changed[0]}; go on with that one, or name a new --out")
    return state


def write_checkpoint(policy: Policy, trained: PolicyValue, out: Path) -> None:
    """Leave the trained policy in `out` as the other stages do, the value apart; `config.json` comes last.

    Adapters are merged into the weights, so that this comes after the last step. Raises MomusError where it cannot be
    written.
    """
    partial = out / "checkpoint.partial"
    model = trained.adapted.merge_and_unload() if trained.adapted is not None else trained.lm
    kept = [n for n, _ in trained.named_parameters() if n.startswith(("value_head.", "value_trunk."))]
    tensors = dict(trained.named_parameters())
    try:
        partial.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(partial)
        save_tokenizer(policy, partial)
        if kept:
            save_file({n: tensors[n].detach().cpu().contiguous() for n in kept}, partial / "value.safetensors")
        for path in sorted(partial.iterdir(), key=lambda path: path.name == "config.json"):
            path.replace(out / path.name)
        partial.rmdir()
    except (OSError, RuntimeError, SafetensorError) as error:
        raise MomusError(
            f"cannot write the trained policy to {out} ({_reason(error)}); free some space and run again"
        ) from None


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).split("\n")[0][:200]
