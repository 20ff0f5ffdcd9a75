"""The base of an adapter in torch: the weights of a GGUF as Hugging Face's model, frozen, with room for LoRA."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, GgufConfig
from transformers.utils import logging

from momus.errors import MomusError
from momus.train.adapter.config import AdapterConfig

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def open_base(weights: Path, config: AdapterConfig, device: torch.device) -> Any:
    """The model in bfloat16 with a new adapter on its upper layers, the only parameters that are trained.

    Raises MomusError where transformers can't read the file, or it has too few layers.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            weights.parent,
            gguf_file=weights.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
            local_files_only=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise MomusError(f"{weights} can't be trained on ({reason}); name a GGUF of Llama, Qwen2 or Qwen3") from None
    layers = int(model.config.num_hidden_layers)
    if config.first_layer >= layers:
        raise MomusError(
            f"first_layer is {config.first_layer}, and {weights.name} has {layers} layers: name a lower one"
        )
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        target_modules=list(PROJECTIONS),
        layers_to_transform=list(range(config.first_layer, layers)),
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(config.seed)  # A is drawn, B is zero
    return get_peft_model(model, lora, autocast_adapter_dtype=False).to(device)


def logits_of(model: Any, ids: torch.Tensor, first: int) -> torch.Tensor:
    """Logits [n - first, vocabulary] before each token from `first` on, of ids [n]; the head reads no other state."""
    inner = model.get_base_model()
    states = inner.model(input_ids=ids[None], use_cache=False).last_hidden_state
    out: torch.Tensor = inner.lm_head(states[0, first - 1 : -1])
    return out


def save_adapter(model: Any, folder: Path) -> None:
    """Write the adapter as peft does, in float16, which halves the file; each file in `folder` is there whole."""
    from safetensors.torch import load_file, save_file

    work = folder.with_name(f".{folder.name}.{os.getpid()}")
    model.save_pretrained(work)
    file = work / "adapter_model.safetensors"
    save_file({name: tensor.half().contiguous() for name, tensor in load_file(file).items()}, file)
    (work / "README.md").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for made in work.iterdir():
        made.replace(folder / made.name)
    work.rmdir()
