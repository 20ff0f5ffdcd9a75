"""What a training run is made of: one TOML file, checked before anything runs."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from momus.errors import MomusError


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelConfig(Section):
    """The size of the decoder. The architecture is Qwen3 with tied embeddings at every size."""

    hidden: int = 256
    layers: int = 8
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    ffn: int = 640
    context: int = 1024
    rope_theta: float = 10_000.0


class DataConfig(Section):
    """How functions become examples."""

    functions: int | None = None  # how many of the corpus to use for tampers, drawn at random; None: all
    max_tokens: int = 512  # a longer example is left out of training
    docstring_in_question: float = 0.5  # share of documented functions whose docstring becomes the question
    scan_bugs: int = 8  # at most so many bugs in one example of the scan stage
    bug_counts: tuple[float, ...] = (0.85, 0.12, 0.03)  # share of tampers with one, two, three bugs
    rounds: int = 1  # tampers per function; each comes with its clean twin
    marker_offset: float = 0.5  # share of examples whose line markers start elsewhere than at 1


class OptimConfig(Section):
    """One stage of optimisation. AdamW, linear warm-up, cosine to `final_lr` of the peak."""

    tokens: int  # how many to see, repeating the data if it must
    batch_tokens: int = 8192  # per step, over all processes
    micro_tokens: int = 4096  # per forward pass
    lr: float = 2e-3
    final_lr: float = Field(default=0.05, ge=0, le=1)
    warmup: float = Field(default=0.03, ge=0, le=1)
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = 1.0


class LossConfig(Section):
    """What each kind of position weighs. Each kind is averaged over its own positions before it is weighed."""

    code: float = 1.0
    code_fraction: float = Field(default=0.5, gt=0, le=1)  # share of the code positions whose loss is computed
    scan: float = 0.0
    decision: float = 0.0
    comment: float = 0.0


class StageConfig(Section):
    optim: OptimConfig
    loss: LossConfig


class TrainConfig(Section):
    """One run: model, data and the three stages."""

    name: str
    seed: int = 0
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    pretrain: StageConfig
    scan: StageConfig
    sft: StageConfig


def load_config(path: Path) -> TrainConfig:
    """Read a run's TOML. Raises MomusError naming the first setting that is wrong."""
    try:
        return TrainConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise MomusError(f"no config at {path}; the ones that ship stand in configs/") from None
    except tomllib.TOMLDecodeError as error:
        raise MomusError(f"{path} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise MomusError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
