"""A model with random weights, for figures about the runtime and not about a model."""

from __future__ import annotations

import numpy as np

from momus.models.arch import Arch
from momus.models.weights import Array

# the configuration that the decoding figures are about: 44 million weights
ARCH_44M = Arch(vocab=12_288, hidden=512, layers=12, heads=8, kv_heads=4, head_dim=64, ffn=1536, context=1024)


def tensors(arch: Arch, seed: int = 0, scale: float = 0.04) -> dict[str, Array]:
    """Float32 tensors with the names of a Hugging Face Qwen3, normal with deviation `scale`; norms lie around 1."""
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> Array:
        return (rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(scale)).astype(np.float32)

    def norm(size: int) -> Array:
        return (1 + 0.1 * rng.standard_normal(size, dtype=np.float32)).astype(np.float32)

    width, kv_width = arch.heads * arch.head_dim, arch.kv_heads * arch.head_dim
    made = {"model.embed_tokens.weight": matrix(arch.vocab, arch.hidden)}
    for i in range(arch.layers):
        layer = f"model.layers.{i}."
        made[layer + "input_layernorm.weight"] = norm(arch.hidden)
        made[layer + "self_attn.q_proj.weight"] = matrix(width, arch.hidden)
        made[layer + "self_attn.k_proj.weight"] = matrix(kv_width, arch.hidden)
        made[layer + "self_attn.v_proj.weight"] = matrix(kv_width, arch.hidden)
        made[layer + "self_attn.o_proj.weight"] = matrix(arch.hidden, width)
        made[layer + "self_attn.q_norm.weight"] = norm(arch.head_dim)
        made[layer + "self_attn.k_norm.weight"] = norm(arch.head_dim)
        made[layer + "post_attention_layernorm.weight"] = norm(arch.hidden)
        made[layer + "mlp.gate_proj.weight"] = matrix(arch.ffn, arch.hidden)
        made[layer + "mlp.up_proj.weight"] = matrix(arch.ffn, arch.hidden)
        made[layer + "mlp.down_proj.weight"] = matrix(arch.hidden, arch.ffn)
    made["model.norm.weight"] = norm(arch.hidden)
    return made
