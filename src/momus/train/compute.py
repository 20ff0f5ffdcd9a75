"""What training costs, in floating-point operations (FLOPs), counted as Kaplan et al. (2020, section 2.1) count them.

A token costs `2 N + 2 layers * context * heads * head_dim` forward, and twice that again backward: 6 N and a little
more. N are the parameters without the embedding, which is the output layer too and is counted by neither; so what the
logits cost is left out. `context` is how many tokens a token stands among, in the mean over tokens: attention is
causal, so that half of it is seen.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from momus.decode import from_json
from momus.errors import MomusError
from momus.train.config import ModelConfig, TrainConfig
from momus.train.examples import ExampleFile


@dataclass(frozen=True, slots=True)
class Compute:
    """The cost of one stage: `parameters` are those without the embedding, `tokens` those that were seen."""

    parameters: int
    tokens: int
    context: float
    flops: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def non_embedding(model: ModelConfig) -> int:
    """How many parameters a decoder of these sizes has, but for its embedding."""
    attention = model.hidden * model.head_dim * 2 * (model.heads + model.kv_heads)  # queries and output, keys, values
    norms = 2 * model.hidden + 2 * model.head_dim
    return model.layers * (attention + 3 * model.hidden * model.ffn + norms) + model.hidden


def training(model: ModelConfig, tokens: int, context: float) -> Compute:
    """The cost of training on `tokens`, each of which stands among `context` tokens."""
    parameters = non_embedding(model)
    a_token = 2 * parameters + 2 * model.layers * context * model.heads * model.head_dim
    return Compute(parameters, tokens, context, 3.0 * a_token * tokens)


def compute_of(folder: Path) -> Compute:
    """The cost of the finished stage (pretrain, scan or SFT) in `folder`, by what it kept of its config and examples.

    Raises MomusError where the folder holds no such stage.
    """
    try:
        manifest = from_json((folder / "manifest.json").read_text(encoding="utf-8"))
        model = TrainConfig.model_validate(manifest["config"]).model
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        tokens = int(from_json(lines[-1])["tokens"])
        lengths = ExampleFile(folder / "examples.npz").lengths.astype(float)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise MomusError(f"cannot tell what training in {folder} has cost ({error}): run its stage again") from None
    return training(model, tokens, float((lengths**2).sum() / lengths.sum()))
