"""What an adapter's training can be told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AdapterConfig(BaseModel):
    """LoRA on the upper layers, AdamW, a warm-up, a constant rate and a linear fall over the last part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    examples: int = Field(default=2000, ge=1, description="how many to see in all")
    batch: int = Field(default=8, ge=1, description="examples of a step")
    max_tokens: int = Field(default=800, ge=16, description="longer examples are left out")
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    first_layer: int = Field(
        default=12, ge=0, description="the lowest layer with an adapter; those below need no gradient"
    )
    lr: float = Field(default=3e-4, gt=0)
    warmup: int = Field(default=10, ge=0, description="steps")
    fall: float = Field(default=0.25, ge=0, le=1, description="share of the steps over which the rate falls")
    final_lr: float = Field(default=0.1, ge=0, le=1, description="of the peak")
    clip: float = Field(default=1.0, gt=0, description="norm of the gradient")
    seed: int = 0


def learning_rate(config: AdapterConfig, step: int) -> float:
    """Of step `step` (0-based) of `examples / batch`; the run can grow until its rate begins to fall."""
    steps = max(1, config.examples // config.batch)
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    start = steps - round(config.fall * steps)
    if step < start:
        return config.lr
    return config.lr * (1 - (1 - config.final_lr) * (step - start + 1) / max(1, steps - start))
