"""The decoder under training: a standard Hugging Face Qwen3, so that checkpoints open anywhere."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import Qwen3Config, Qwen3ForCausalLM
from transformers.utils import logging

from momus.errors import MomusError
from momus.train.config import ModelConfig


def new_model(config: ModelConfig, vocab: int, pad: int, end: int, seed: int) -> Qwen3ForCausalLM:
    """Fresh weights. The embedding starts small, as it is the output layer too."""
    torch.manual_seed(seed)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocab,
            hidden_size=config.hidden,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            head_dim=config.head_dim,
            intermediate_size=config.ffn,
            max_position_embeddings=config.context,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            tie_word_embeddings=True,
            pad_token_id=pad,
            eos_token_id=end,
            bos_token_id=None,
        )
    )


def load_model(folder: Path) -> Qwen3ForCausalLM:
    """Open a checkpoint folder, in fp32. Raises MomusError where it holds none."""
    if not (folder / "config.json").exists():
        raise MomusError(f"no checkpoint in {folder}; run the stage before this one first")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise MomusError(f"the checkpoint in {folder} cannot be read ({reason}); run its stage again") from None


def save_model(model: Qwen3ForCausalLM, state: Path, folder: Path) -> None:
    """Write the fp32 masters of a finished stage as a Hugging Face checkpoint."""
    saved = torch.load(state, map_location="cpu", weights_only=True)
    model.to(torch.float32)  # type: ignore[arg-type]
    with torch.no_grad():
        for name, param in model.named_parameters():
            param.copy_(saved["weights"][name])
    model.save_pretrained(folder)
