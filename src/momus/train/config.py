"""What a training run is made of: one TOML file, checked before anything runs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from momus.decode import TooDeep, from_toml
from momus.errors import MomusError
from momus.train.ppo.config import PPOConfig
from momus.train.section import Section


class ModelConfig(Section):
    """The size of the decoder. The architecture is Qwen3 with tied embeddings at every size."""

    hidden: int = Field(default=256, gt=0)
    layers: int = Field(default=8, gt=0)
    heads: int = Field(default=4, gt=0)
    kv_heads: int = Field(default=2, gt=0)
    head_dim: int = Field(default=64, gt=0, multiple_of=2)
    ffn: int = Field(default=640, gt=0)
    context: int = Field(default=1024, gt=0)
    rope_theta: float = Field(default=10_000.0, gt=0)

    @model_validator(mode="after")
    def _heads_share_evenly(self) -> Self:
        if self.heads % self.kv_heads:
            raise ValueError(f"{self.heads} heads cannot share {self.kv_heads} key/value heads evenly")
        return self


class DataConfig(Section):
    """How functions become examples."""

    functions: int | None = None  # how many of the corpus to use for tampers, drawn at random; None: all
    max_tokens: int = Field(default=512, gt=0)  # a longer example is left out of training
    docstring_in_question: float = Field(default=0.5, ge=0, le=1)  # share of functions asked for by their docstring
    scan_bugs: int = Field(default=8, ge=1)  # at most so many bugs in one example of the scan stage
    bug_counts: tuple[float, ...] = Field(default=(0.85, 0.12, 0.03), min_length=1)  # shares with one, two, three bugs
    rounds: int = Field(default=1, ge=1)  # tampers per function; each comes with its clean twin
    marker_offset: float = Field(default=0.5, ge=0, le=1)  # share whose line markers start elsewhere than at 1


class OptimConfig(Section):
    """One stage of optimisation: linear warm-up, cosine to `final_lr` of the peak.

    `muon` orthogonalises the updates of the matrices of the layers (Jordan et al. 2024), scaled so that a learning rate
    means what it means to AdamW, which moves the embedding and the norms in either case.
    """

    method: Literal["muon", "adamw"] = "muon"

    tokens: int = Field(gt=0)  # how many to see, repeating the data if it must
    batch_tokens: int = Field(default=8192, gt=0)  # per step, over all processes
    micro_tokens: int = Field(default=4096, gt=0)  # per forward pass
    lr: float = Field(default=2e-3, gt=0)
    final_lr: float = Field(default=0.05, ge=0, le=1)
    warmup: float = Field(default=0.03, ge=0, le=1)
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = Field(default=1.0, gt=0)


class LossConfig(Section):
    """What each kind of question weighs. Each is averaged over its own positions before it is weighed."""

    code: float = 1.0
    code_fraction: float = Field(default=0.5, gt=0, le=1)  # share of the code positions whose loss is computed
    token: float = 0.0  # is this token a bug's, as far as the answer was read?
    scan: float = 0.0  # is this line, all of the answer being known?
    decision: float = 0.0
    comment: float = 0.0


class StageConfig(Section):
    """One stage. `functions`: how many of the corpus become its tampers; as many as `[data]` says, where missing."""

    functions: int | None = Field(default=None, ge=1)
    optim: OptimConfig
    loss: LossConfig


class FitConfig(Section):
    """A sequence classifier: AdamW from a checkpoint, linear warm-up, cosine to `final_lr` of the peak."""

    epochs: int = Field(default=1, ge=1)
    batch_comparisons: int = Field(default=16, ge=1)  # per step, over all processes; all pairs of one stay together
    micro_tokens: int = Field(default=4096, gt=0)  # per forward pass
    lr: float = Field(default=3e-4, gt=0)
    head_lr: float = Field(default=1e-2, gt=0)  # of the head, on the same schedule
    final_lr: float = Field(default=0.1, ge=0, le=1)
    warmup: float = Field(default=0.05, ge=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = Field(default=1e-5, gt=0)
    clip: float = Field(default=1.0, gt=0)
    max_tokens: int | None = Field(default=None, gt=0)  # longer ones are left out; None: the model's context
    held_out: float = Field(default=0.1, ge=0, lt=1)  # share of the task groups that is only ever measured on


class RewardConfig(FitConfig):
    """The reward model."""

    also_share: float = Field(default=0.2, ge=0, lt=1)  # share of general preference pairs among what trains


class DiscriminatorConfig(FitConfig):
    """The discriminator, tampered or not; a pair of twins is a comparison of two."""


class TrainConfig(Section):
    """One run: model, data and the three stages."""

    name: str
    seed: int = 0
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    pretrain: StageConfig
    scan: StageConfig
    sft: StageConfig
    reward: RewardConfig = RewardConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    ppo: PPOConfig = PPOConfig()


class PPORun(Section):
    """A run of PPO alone, from a model that was trained elsewhere."""

    name: str
    seed: int = 0
    ppo: PPOConfig = PPOConfig()


def load_config(path: Path) -> TrainConfig:
    """Read a run's TOML. Raises MomusError naming the first setting that is wrong."""
    config = _load(path, alone=False)
    assert isinstance(config, TrainConfig)
    return config


def load_ppo_config(path: Path) -> TrainConfig | PPORun:
    """Read the TOML of a whole run, or one with `name`, `seed` and `[ppo]` alone. Raises as `load_config` does."""
    return _load(path, alone=True)


def _load(path: Path, *, alone: bool) -> TrainConfig | PPORun:
    try:
        content = from_toml(path.read_text(encoding="utf-8"))
        return (PPORun if alone and "pretrain" not in content else TrainConfig).model_validate(content)
    except FileNotFoundError:
        raise MomusError(f"no config at {path}; the ones that ship stand in configs/") from None
    except OSError as error:
        raise MomusError(f"cannot read the config {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TooDeep) as error:
        raise MomusError(f"{path} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise MomusError(f"{path}: there is no setting {where}; remove it, or mend its name") from None
        raise MomusError(f"{path}: {where}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
