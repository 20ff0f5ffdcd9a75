"""The one model architecture, from training to bundle: Qwen3 (RMS norm, q/k norm per head, rotary, SwiGLU, tied)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from momus.errors import MomusError


@dataclass(frozen=True, slots=True)
class Arch:
    """Sizes of a decoder. Embeddings are tied and nothing has a bias. Raises ValueError on sizes that do not fit."""

    vocab: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-6
    context: int = 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"{field.name} must be above 0, not {getattr(self, field.name)}")
        if self.heads % self.kv_heads:
            raise ValueError(f"{self.heads} heads cannot share {self.kv_heads} key/value heads evenly")
        if self.head_dim % 2:
            raise ValueError(f"rotary positions need an even head_dim, not {self.head_dim}")

    @property
    def repeat(self) -> int:
        """Query heads per key/value head."""
        return self.heads // self.kv_heads

    @property
    def parameters(self) -> int:
        """How many weights there are; the tied embedding counts once."""
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads) + 2 * self.head_dim
        layer = attention + 3 * self.hidden * self.ffn + 2 * self.hidden
        return self.vocab * self.hidden + self.layers * layer + self.hidden

    def to_hf(self) -> dict[str, Any]:
        """The keyword arguments of `transformers.Qwen3Config`."""
        return {
            "vocab_size": self.vocab,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "intermediate_size": self.ffn,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_theta},
            "rms_norm_eps": self.norm_eps,
            "max_position_embeddings": self.context,
            "hidden_act": "silu",
            "tie_word_embeddings": True,
            "attention_bias": False,
            "use_sliding_window": False,
        }

    @classmethod
    def from_hf(cls, config: Mapping[str, Any]) -> Arch:
        """Read a Qwen3 configuration (`config.json`, `Qwen3Config.to_dict()`). MomusError if it is another model."""
        odd = [
            what
            for what, is_odd in {
                "it is no Qwen3 model": config.get("model_type", "qwen3") != "qwen3",
                "its embeddings are not tied": not config.get("tie_word_embeddings", False),
                "its attention has biases": bool(config.get("attention_bias", False)),
                "its attention slides": bool(config.get("use_sliding_window", False)),
                "its activation is not silu": config.get("hidden_act", "silu") != "silu",
            }.items()
            if is_odd
        ]
        rope = config.get("rope_parameters") or {}
        if rope.get("rope_type", "default") != "default":
            odd.append("its rotary positions are scaled")
        if odd:
            raise MomusError(f"this model cannot be bundled: {'; '.join(odd)}; train one with `momus train pretrain`")
        return cls(
            vocab=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            kv_heads=config["num_key_value_heads"],
            head_dim=config["head_dim"],
            ffn=config["intermediate_size"],
            rope_theta=float(rope.get("rope_theta", config.get("rope_theta", 10_000.0))),
            norm_eps=float(config["rms_norm_eps"]),
            context=config["max_position_embeddings"],
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, sizes: Mapping[str, Any]) -> Arch:
        """Read what `to_dict` wrote. Raises MomusError on missing, unknown or impossible sizes."""
        try:
            return cls(**sizes)
        except (TypeError, ValueError) as error:
            raise MomusError(
                f"a model's sizes cannot be read ({error}); reinstall or export the bundle again"
            ) from error
