"""GGUF files made on the spot with gguf's own writer: tiny random models of the three families."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

Family = Literal["llama", "qwen2", "qwen3"]

END = "<|im_end|>"
SPECIAL = ["<|endoftext|>", "<|im_start|>", END]
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEXT = [
    "def last(xs, n):\n    return xs[len(xs) - n :]\n",
    "for item in items:\n        total += item.price * 12\n    return total\n",
    "class Reader:\n    def __init__(self, path):\n        self.path = path\n",
] * 3
PRE = {"llama": "llama-bpe", "qwen2": "qwen2", "qwen3": "qwen2"}
# Of the types that gguf reads but does not write: where the 16-bit scales of a block stand, in bytes.
SCALES = {
    "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,),
    "IQ1_S": (0,), "IQ2_XXS": (0,), "IQ2_XS": (0,), "IQ2_S": (0,), "IQ3_XXS": (0,), "IQ3_S": (0,),
    "IQ4_NL": (0,), "IQ4_XS": (0,),
}  # fmt: skip


def vocabulary() -> tuple[list[str], list[str]]:
    """Tokens by id, and merges, of a byte-level BPE: the bytes, what was merged, the control tokens at the end."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=317, initial_alphabet=alphabet, show_progress=False))
    model = json.loads(bpe.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return tokens + SPECIAL, [" ".join(merge) for merge in model["merges"]]


def write_tiny_gguf(
    path: Path,
    family: Family = "qwen3",
    *,
    kind: str = "F32",
    seed: int = 0,
    hidden: int = 64,
    ffn: int = 128,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    head_dim: int = 16,
    tied: bool = True,
    architecture: str | None = None,
    pre: str | None = None,
    tokenizer: str = "gpt2",
    template: str | None = TEMPLATE,
) -> Path:
    """A random model of `family` at `path`; its matrices are stored as `kind`, all else as 32-bit floats.

    `architecture`, `pre` and `tokenizer` stand in the file in place of the true ones, for what has to be refused.
    """
    import gguf

    tokens, merges = vocabulary()
    name = architecture or family
    writer = gguf.GGUFWriter(path, name)
    writer.add_name(f"tiny {family}")
    writer.add_block_count(layers)
    writer.add_context_length(2048)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(1)
    if family == "llama":
        writer.add_rope_dimension_count(head_dim)
    if family == "qwen3":
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    writer.add_tokenizer_model(tokenizer)
    writer.add_tokenizer_pre(pre or PRE[family])
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)

    random = np.random.default_rng(seed)
    for tensor, shape in shapes(family, len(tokens), hidden, ffn, layers, heads, kv_heads, head_dim, tied).items():
        if len(shape) == 1:
            spread = 1.0 + 0.1 * random.standard_normal(shape) if "norm" in tensor else random.standard_normal(shape)
            writer.add_tensor(tensor, spread.astype(np.float32))
        else:
            stored = _stored(random, shape, kind)
            writer.add_tensor(tensor, stored, raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def shapes(
    family: Family, size: int, hidden: int, ffn: int, layers: int, heads: int, kv_heads: int, head_dim: int, tied: bool
) -> dict[str, tuple[int, ...]]:
    """Tensors by their names in a GGUF: [out, in] or [n]."""
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (size, hidden)}
    for n in range(layers):
        at = f"blk.{n}"
        found |= {
            f"{at}.attn_norm.weight": (hidden,),
            f"{at}.attn_q.weight": (heads * head_dim, hidden),
            f"{at}.attn_k.weight": (kv_heads * head_dim, hidden),
            f"{at}.attn_v.weight": (kv_heads * head_dim, hidden),
            f"{at}.attn_output.weight": (hidden, heads * head_dim),
            f"{at}.ffn_norm.weight": (hidden,),
            f"{at}.ffn_gate.weight": (ffn, hidden),
            f"{at}.ffn_up.weight": (ffn, hidden),
            f"{at}.ffn_down.weight": (hidden, ffn),
        }
        if family == "qwen2":
            found |= {
                f"{at}.attn_q.bias": (heads * head_dim,),
                f"{at}.attn_k.bias": (kv_heads * head_dim,),
                f"{at}.attn_v.bias": (kv_heads * head_dim,),
            }
        if family == "qwen3":
            found |= {f"{at}.attn_q_norm.weight": (head_dim,), f"{at}.attn_k_norm.weight": (head_dim,)}
    found["output_norm.weight"] = (hidden,)
    if not tied:
        found["output.weight"] = (size, hidden)
    return found


def _stored(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> Any:
    """A random matrix as `kind` stores it: a block's bytes at random where gguf cannot write the type itself."""
    import gguf

    stored = gguf.GGMLQuantizationType[kind]
    if kind not in SCALES:
        plain = (random.standard_normal(shape) * 0.12).astype(np.float32)
        return gguf.quants.quantize(plain, stored)
    length, size = gguf.GGML_QUANT_SIZES[stored]
    blocks = random.integers(0, 256, (shape[0], shape[1] // length, size), dtype=np.uint8)
    for at in SCALES[kind]:
        blocks[..., at : at + 2] = np.frombuffer(np.float16(0.002).tobytes(), np.uint8)
    flat = blocks.reshape(shape[0], -1)
    spread = float(gguf.quants.dequantize(flat, stored).std())
    for at in SCALES[kind]:
        blocks[..., at : at + 2] = np.frombuffer(np.float16(0.002 * 0.12 / spread).tobytes(), np.uint8)
    return blocks.reshape(shape[0], -1)
