"""Attention as plain products is what the fused kernel computes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from momus.train.attention import NAME, causal_attention
from momus.train.config import ModelConfig
from momus.train.model import load_model, new_model


@pytest.mark.parametrize(("heads", "kv_heads"), [(3, 1), (4, 2), (2, 2)])
def test_a_model_and_its_gradients_are_the_same_with_it(heads: int, kv_heads: int, tmp_path: Path) -> None:
    config = ModelConfig(hidden=32, layers=2, heads=heads, kv_heads=kv_heads, head_dim=16, ffn=48)
    model = new_model(config, vocab=50, pad=0, end=1, seed=3)
    ids = torch.randint(2, 50, (3, 17), generator=torch.Generator().manual_seed(1))
    ids[1, 9:] = 0  # a shorter row, padded on the right
    kept = ids != 0
    found = []
    for implementation in ("sdpa", NAME):
        model.set_attn_implementation(implementation)
        model.zero_grad()
        logits = model(input_ids=ids, use_cache=False).logits[kept]
        logits.square().mean().backward()
        grads = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        found.append((logits.detach(), grads))
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-6)
    model.save_pretrained(tmp_path)  # a checkpoint is any Qwen3's, whatever it was trained with
    assert NAME not in (tmp_path / "config.json").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["model_type"] == "qwen3"
    assert load_model(tmp_path).config._attn_implementation == "sdpa"


def test_what_it_does_not_do_is_refused() -> None:
    query, key = torch.zeros(1, 2, 4, 8), torch.zeros(1, 2, 4, 8)
    module = torch.nn.Module()
    for options in ({"attention_mask": torch.zeros(1, 1, 4, 4)}, {"attention_mask": None, "dropout": 0.1}):
        with pytest.raises(ValueError, match="no mask, no dropout, no cache"):
            causal_attention(module, query, key, key, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no cache"):
        causal_attention(module, query[:, :, -1:], key, key, attention_mask=None)
