"""A model that is not ours, made on the spot: a tiny Llama with random weights and a byte-level BPE with a template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WORDS = [
    "Review the answer to the question below. No problems found.\n",
    "def last(xs, n):\n    return xs[len(xs) - n :]\n",
    "```python off-by-one high\nstart = len(xs) - n - 1\n```\nThe slice begins one item early.\n",
    "```suggestion\nstart = len(xs) - n\n```\n",
] * 3


def tiny_tokenizer(*, pad: str | None = None, template: bool = True, size: int = 420) -> Any:
    """A fast tokenizer of Transformers; without `pad` it has none, as many models' have."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    specials = ["<|eot|>", "<|user|>", "<|assistant|>", *([pad] if pad else [])]
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(WORDS, trainer)
    extra = {"pad_token": pad} if pad else {}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained, eos_token="<|eot|>", extra_special_tokens=specials[1:3], **extra
    )
    if template:
        tokenizer.chat_template = TEMPLATE
    return tokenizer


def save_tiny_llama(folder: Path, *, seed: int = 0, pad: str | None = None, hidden: int = 32) -> Path:
    """A checkpoint folder as one downloads it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(pad=pad)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
