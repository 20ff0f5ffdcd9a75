"""The section `[ppo]` of a run's TOML."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from momus.train.section import Section


class KLConfig(Section):
    """How far the policy may go from where it began."""

    estimator: Literal["k1", "k3"] = "k1"
    coefficient: float = Field(default=0.05, ge=0)  # of the KL in the reward; where `adaptive`, to begin with
    controller: Literal["fixed", "adaptive"] = "fixed"
    target: float = Field(default=6.0, gt=0)  # nats an episode that the adaptive controller steers to
    horizon: int = Field(default=10_000, gt=0)  # episodes in which it does so


class LoraConfig(Section):
    """Train low-rank adapters; the reference is the same model with them switched off."""

    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"


class PPOConfig(Section):
    """One run of PPO. A step is `rollouts` critiques over all processes and `epochs` passes over them."""

    steps: int = Field(default=200, gt=0)
    rollouts: int = Field(default=64, gt=0)
    per_prompt: int = Field(default=4, gt=0)  # critiques of each request in a step; they share the request's pass
    max_new: int = Field(default=96, gt=0)  # tokens of a critique; a longer one is cut off
    max_prompt: int = Field(default=512, gt=0)  # a longer request is left out
    temperature: float = Field(default=1.0, gt=0)  # of policy and reference alike
    epochs: int = Field(default=2, gt=0)
    minibatches: int = Field(default=1, gt=0)
    micro_tokens: int = Field(default=8192, gt=0)  # in one pass, padding included

    lr: float = Field(default=1e-5, gt=0)
    value_lr: float = Field(default=1e-3, gt=0)  # of the value's head, on the policy's schedule
    final_lr: float = Field(default=0.1, ge=0, le=1)  # share of lr that a straight line reaches at the last step
    warmup: int = Field(default=0, ge=0)  # steps
    betas: tuple[float, float] = (0.9, 0.95)
    adam_eps: float = Field(default=1e-5, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    bf16: bool = False  # compute in bf16; the weights stay in fp32

    estimator: Literal["gae", "rloo"] = "gae"
    baseline: Literal["none", "group"] = "none"  # taken off a score first: the mean of the request's other critiques
    gamma: float = Field(default=1.0, ge=0, le=1)
    lam: float = Field(default=0.95, ge=0, le=1)
    clip: float = Field(default=0.2, gt=0)
    value: Literal["shared", "separate"] = "shared"  # a head on the policy's trunk, or a net of its own
    value_clip: float | None = Field(default=0.2, gt=0)
    value_weight: float = Field(default=0.1, ge=0)
    entropy_weight: float = Field(default=0.0, ge=0)
    whiten_rewards: bool = False

    missing_end: float = Field(default=1.0, ge=0)  # taken off the score of a critique that was cut off
    unanchored: float = Field(default=1.0, ge=0)  # taken off for each quote that does not stand in the answer
    kl: KLConfig = KLConfig()
    lora: LoraConfig | None = None

    save_every: int = Field(default=20, gt=0)  # steps
    watch_every: int = Field(default=20, gt=0)  # steps between looks at the held-out slice

    @model_validator(mode="after")
    def _shares_are_whole(self) -> Self:
        if self.rollouts % (self.per_prompt * self.minibatches):
            raise ValueError(
                f"rollouts ({self.rollouts}) must be a multiple of per_prompt * minibatches "
                f"({self.per_prompt * self.minibatches})"
            )
        if self.per_prompt < 2 and (self.estimator == "rloo" or self.baseline == "group"):
            raise ValueError("rloo and baseline group compare critiques of one request: per_prompt must be at least 2")
        if self.estimator == "rloo" and self.baseline == "group":
            raise ValueError(
                "rloo takes the mean of the request's other critiques off a score itself: with baseline group it would "
                "be taken off twice, so set baseline to none"
            )
        return self

    def learning_rate(self, step: int) -> float:
        """The rate of a step, counted from 0: warm-up, then a straight line to `final_lr` of it."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - 1 - self.warmup)
        return self.lr * (1 - (1 - self.final_lr) * min(1.0, progress))
