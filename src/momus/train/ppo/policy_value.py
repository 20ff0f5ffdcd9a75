"""Policy and value in one module, as wrapping two for several processes would have two sets of hooks.

The value head stands on the policy's own trunk and begins at zero; or the value is a net of its own, begun from the
policy's weights. Dropout is off throughout: a ratio is about the policy, not about noise.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from momus.errors import MissingExtra
from momus.train.ppo.config import LoraConfig
from momus.train.ppo.layout import Packed
from momus.train.rows import can_share, run, states


class Predicted(NamedTuple):
    """Of each critique's token: its log-probability, the entropy of its place, the value before it. All [tokens]."""

    logprobs: Tensor
    entropy: Tensor
    values: Tensor


class PolicyValue(nn.Module):
    """A causal language model and its value. Raises MissingExtra where `lora` is asked for and peft is missing."""

    def __init__(
        self,
        model: Any,
        *,
        value: Literal["shared", "separate", "none"] = "shared",
        lora: LoraConfig | None = None,
        bf16: bool = False,
    ) -> None:
        super().__init__()
        self.bf16 = bf16
        if value == "separate":
            self.value_trunk: Any = copy.deepcopy(model.base_model)
        self.adapted: Any = _adapted(model, lora) if lora else None
        self.lm: Any = model if self.adapted is None else self.adapted.get_base_model()
        if value != "none":
            hidden = model.config.get_text_config().hidden_size
            self.value_head: Any = nn.Linear(hidden, 1)
            nn.init.zeros_(self.value_head.weight)
            nn.init.zeros_(self.value_head.bias)
        self.value = value
        self.eval()
        self.to(model.device)
        self.plain_head = self._head_is_all()
        self.share = can_share(self.lm.base_model, model.config.get_text_config().vocab_size, model.device)

    def train(self, mode: bool = True) -> PolicyValue:
        """Stays in evaluation mode, whatever a trainer asks for: no dropout."""
        super().train(False)
        return self

    def forward(self, packed: Packed, temperature: float, entropy: bool = True) -> Predicted:
        """Score the critiques' tokens at a temperature. `entropy` costs as much as a head; without, it is left at 0."""
        with self.precision():
            logits, at = self._logits(packed)
        logits = logits.float() / temperature
        logprobs = logits.gather(1, packed.target[:, None])[:, 0] - logits.logsumexp(1)
        spread = entropy_of(logits) if entropy else torch.zeros_like(logprobs)
        return Predicted(logprobs, spread, self._values(packed, at))

    def precision(self) -> Any:
        return torch.autocast(self.lm.device.type, dtype=torch.bfloat16) if self.bf16 else nullcontext()

    @contextmanager
    def as_reference(self) -> Iterator[PolicyValue]:
        """The model as it was before training: its adapters switched off. Raises ValueError without adapters."""
        if self.adapted is None:
            raise ValueError("only a model with adapters holds its own reference")
        with self.adapted.disable_adapter():
            yield self

    def _logits(self, packed: Packed) -> tuple[Tensor, Tensor]:
        """Logits [tokens, vocab] at temperature 1, and the states that they come from."""
        if self.plain_head:
            at = states(self.lm.base_model, packed.rows)[packed.row, packed.column]
            return self.lm.get_output_embeddings()(at), at
        out = run(self.lm, packed.rows, output_hidden_states=True)
        return out.logits[packed.row, packed.column], out.hidden_states[-1][packed.row, packed.column]

    def _values(self, packed: Packed, at: Tensor) -> Tensor:
        if self.value == "none":
            return torch.zeros(len(at), device=at.device)
        if self.value == "separate":
            with self.precision():
                at = states(self.value_trunk, packed.rows)[packed.row, packed.column]
        head: Tensor = self.value_head(at.float())
        return head[:, 0]

    @torch.no_grad()
    def _head_is_all(self) -> bool:
        """Whether logits are the output embedding of the last state and nothing more (some models cap them)."""
        head = self.lm.get_output_embeddings()
        if head is None:
            return False
        ids = torch.arange(4, device=self.lm.device)[None]
        state = self.lm.base_model(input_ids=ids, use_cache=False).last_hidden_state
        logits = self.lm(input_ids=ids, use_cache=False).logits
        return bool(torch.allclose(head(state), logits, rtol=1e-4, atol=1e-4))


def entropy_of(logits: Tensor) -> Tensor:
    """The entropy of each row of logits, in nats; a logit of minus infinity counts as a probability of 0."""
    logprobs = logits.log_softmax(-1)
    terms = logprobs.exp() * logprobs
    return -terms.masked_fill(logprobs == -torch.inf, 0.0).sum(-1)


def frozen_copy(model: Any) -> PolicyValue:
    """A reference that nothing trains: a copy of a model, without a value."""
    reference = PolicyValue(copy.deepcopy(model), value="none")
    reference.requires_grad_(False)
    return reference


def weights_hash(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """A SHA-256 over named tensors, to the bit."""
    found = hashlib.sha256()
    for name, tensor in tensors:
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _adapted(model: Any, lora: LoraConfig) -> Any:
    try:
        import peft
    except ImportError:
        raise MissingExtra("training adapters (lora)", "train") from None
    targets = lora.targets if isinstance(lora.targets, str) else list(lora.targets)
    config = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM"
    )
    return peft.get_peft_model(model, config)
