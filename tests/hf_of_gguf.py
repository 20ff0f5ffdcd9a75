"""A GGUF as a model of Hugging Face in 32 bits: read with gguf's own reader, so that nothing of ours checks itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def rewritten(weights: Path, out: Path) -> Path:
    """The file that the graph of `weights` is made of: what conversion writes and throws away."""
    from momus.models.gguf_file import read_gguf
    from momus.models.gguf_rewrite import rewrite, shape_of

    source = read_gguf(weights)
    for _ in rewrite(source, shape_of(source), out):
        pass
    return out


def hf_of_gguf(path: Path) -> Any:
    """The model in float32, for `model(torch.tensor([ids])).logits`."""
    import gguf
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    reader = gguf.GGUFReader(path)
    read = {key: field.contents() for key, field in reader.fields.items()}
    family = read["general.architecture"]
    of = {key.removeprefix(f"{family}."): value for key, value in read.items() if key.startswith(f"{family}.")}
    state: dict[str, torch.Tensor] = {}
    for tensor in reader.tensors:
        shape = tuple(int(n) for n in reversed(tensor.shape))
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)
        stem, _, kind = tensor.name.rpartition(".")
        if stem in WHOLE:
            name = f"{WHOLE[stem]}.{kind}"
        else:
            _, layer, part = stem.split(".")
            name = f"model.layers.{layer}.{NAMES[part]}.{kind}"
            if family == "llama" and part in ("attn_q", "attn_k"):
                values = halves(values, of["attention.head_count" if part == "attn_q" else "attention.head_count_kv"])
        state[name] = torch.from_numpy(np.ascontiguousarray(values))
    size, hidden = state["model.embed_tokens.weight"].shape
    heads = of["attention.head_count"]
    config = AutoConfig.for_model(
        family,
        vocab_size=size,
        hidden_size=hidden,
        intermediate_size=of["feed_forward_length"],
        num_hidden_layers=of["block_count"],
        num_attention_heads=heads,
        num_key_value_heads=of["attention.head_count_kv"],
        head_dim=of.get("attention.key_length", hidden // heads),
        rms_norm_eps=of["attention.layer_norm_rms_epsilon"],
        max_position_embeddings=of["context_length"],
        rope_parameters={"rope_type": "default", "rope_theta": of["rope.freq_base"]},
        tie_word_embeddings="lm_head.weight" not in state,
        attn_implementation="eager",
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert set(missing) <= {"lm_head.weight"} and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model


def halves(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a Llama's q or k, [heads * head_dim, in] or without `in`: from the pairs that a GGUF rotates next to each
    other to the halves that Hugging Face rotates."""
    of_head = rows.reshape(heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:])
    return of_head.swapaxes(1, 2).reshape(rows.shape)
