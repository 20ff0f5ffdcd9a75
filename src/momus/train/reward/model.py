"""A reward model: a Hugging Face sequence classifier with one label, read at the last token of a critique.

The folder holds `config.json`, `model.safetensors` (the head is `score.weight`), the policy's tokenizer, and
`reward.json`. A score is normalised: (raw - mean) / std, where mean and std are those of the raw scores of what SFT
teaches, so that 0 is as good as that. They stand in `reward.json` and in the config, as `reward_mean`, `reward_std`.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

from momus.critique import Critique, TextMap
from momus.decode import from_json
from momus.errors import MomusError
from momus.models.protocol import Codec, Prompt
from momus.train.policy import Policy, open_codec, same_tokens, save_tokenizer
from momus.train.reward.data import Group
from momus.train.rows import can_share, lay_out, states

FILE = "reward.json"
BATCH_TOKENS = 16_384  # positions, padding included, of one forward pass that needs no gradient


@dataclass(frozen=True, slots=True)
class RewardModel:
    """An opened reward model, in evaluation mode. `mean` and `std` are of raw scores."""

    model: Any
    codec: Codec
    mean: float
    std: float
    folder: Path

    def tokens(self, prompt: Prompt, critique: Critique) -> list[int]:
        """What is scored: the request, the critique and its `end`. Raises ValueError where either cannot be put."""
        return [*self.codec.ask(prompt), *self.codec.write(critique.comments, TextMap(prompt.answer))]

    def score(self, sequences: Sequence[Sequence[int]], *, batch_tokens: int = BATCH_TOKENS) -> list[float]:
        """The normalised score of each request with its critique, in tokens. Raises MomusError on one too long."""
        return [(raw - self.mean) / self.std for raw in raw_scores(self.model, sequences, batch_tokens=batch_tokens)]


def as_classifier(policy: Policy) -> Any:
    """A policy's trunk with a scalar head, in fp32 and evaluation mode (no dropout). The head starts at zero.

    Raises MomusError where Transformers has no such classifier for the model, or padding and end are one token: the
    score would be read before the end.
    """
    pad, end = policy.codec.pad, policy.codec.end
    if pad == end:
        raise MomusError(f"the tokenizer in {policy.folder} pads with what ends a critique; give it another pad token")
    config = copy.deepcopy(policy.model.config)
    config.num_labels, config.pad_token_id, config.eos_token_id = 1, pad, end
    try:
        model: Any = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
        trunk_of(model).load_state_dict(policy.model.base_model.state_dict())
    except (ValueError, RuntimeError, AttributeError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise MomusError(f"the model in {policy.folder} cannot become a reward model ({reason})") from None
    if not hasattr(model, "score"):
        raise MomusError(f"the model in {policy.folder} cannot become a reward model (its head is not called score)")
    with torch.no_grad():
        model.score.weight.zero_()
    return model.eval()


def trunk_of(model: Any) -> Any:
    """The classifier's decoder, without its head."""
    return getattr(model, model.base_model_prefix)


def open_reward(folder: Path, policy: Codec | None = None) -> RewardModel:
    """Open what `momus train reward` wrote. With `policy`, that policy's codec, check that both read the same tokens.

    Raises MomusError where the folder holds no reward model, a damaged one, or one of another tokenizer.
    """
    try:
        about = from_json((folder / FILE).read_text(encoding="utf-8"))
        mean, std = float(about["mean"]), float(about["std"])
    except FileNotFoundError:
        raise MomusError(f"no reward model in {folder}; finish momus train reward first") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{folder / FILE} cannot be read ({error}); train the reward model again") from None
    codec = open_codec(folder)
    if policy is not None:
        check_same_tokens(policy, codec, folder)
    return RewardModel(open_classifier(folder, codec, "reward model"), codec, mean, std, folder)


def open_classifier(folder: Path, codec: Codec, what: str) -> Any:
    """A sequence classifier with one label, in evaluation mode; `what` it is, for messages. Raises MomusError."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: Any = AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise MomusError(f"the {what} in {folder} cannot be read ({reason}); train it again") from None
    if model.config.num_labels != 1 or model.config.pad_token_id in (None, codec.end):
        raise MomusError(f"the model in {folder} is no {what} (one label, padding that ends nothing)")
    return model.eval()


def check_same_tokens(policy: Codec, reward: Codec, folder: Path) -> None:
    """Raises MomusError unless two codecs read the same tokens alike."""
    if not same_tokens(policy, reward):
        raise MomusError(
            f"the reward model in {folder} has another tokenizer than the policy; "
            "train one from this policy's checkpoint, with momus train reward --from"
        )


def raw_scores(
    model: Any,
    sequences: Sequence[Sequence[int]],
    *,
    batch_tokens: int = BATCH_TOKENS,
    side: Literal["left", "right"] = "right",
) -> list[float]:
    """The raw score of each sequence at its last token. The batch, and the side of its padding, are not felt.

    Raises MomusError on a sequence that is empty or longer than the model's context.
    """
    context = context_of(model)
    for sequence in sequences:
        if not 0 < len(sequence) <= (context or len(sequence)):
            raise MomusError(f"a critique of {len(sequence)} tokens with its request; 1 to {context} can be scored")
    pad, device = model.config.pad_token_id, next(model.parameters()).device
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
    scores = [0.0] * len(sequences)
    start = 0
    with torch.no_grad():
        while start < len(order):
            stop = start + 1
            while stop < len(order) and len(sequences[order[stop]]) * (stop + 1 - start) <= batch_tokens:
                stop += 1
            rows = order[start:stop]
            width = len(sequences[rows[-1]])
            ids = torch.full((len(rows), width), pad)
            mask = torch.zeros_like(ids)
            for r, i in enumerate(rows):
                size = len(sequences[i])
                cut = slice(0, size) if side == "right" else slice(width - size, width)
                ids[r, cut], mask[r, cut] = torch.tensor(sequences[i]), 1
            # spelled out, as not every model counts positions from the first token that is no padding
            positions = (mask.cumsum(1) - 1).clamp(min=0)
            parts = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
            last = mask.cumsum(1).argmax(1)
            hidden = trunk_of(model)(**{k: v.to(device) for k, v in parts.items()}, use_cache=False).last_hidden_state
            found = model.score(hidden[torch.arange(len(rows), device=device), last.to(device)])[:, 0]
            for i, score in zip(rows, found.float().tolist(), strict=True):
                scores[i] = score
            start = stop
    return scores


def context_of(model: Any) -> int | None:
    """The most tokens of a sequence; None where the model knows no bound."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None)


def packed_scores(model: Any, groups: Sequence[Group]) -> list[torch.Tensor]:
    """The raw scores [K] of each comparison, with gradients.

    What `raw_scores` gives for each candidate alone, at a prompt's cost once a comparison.
    """
    laid = [(group.prompt, [candidate.tokens for candidate in group.candidates]) for group in groups]
    rows = lay_out(laid, model.config.pad_token_id).to(next(model.parameters()).device)
    hidden = states(trunk_of(model), rows)[rows.row, rows.end]
    # no matrix product, which autocast would round to bf16: a difference of two scores would be lost in it
    scores = (hidden.float() * model.score.weight[0].float()).sum(-1)
    return list(torch.split(scores, [len(group.candidates) for group in groups]))


def check_sharing(model: Any) -> None:
    """Raises MomusError where a model's attention is of a kind that cannot read candidates that share a row."""
    if not can_share(trunk_of(model), model.config.get_text_config().vocab_size, next(model.parameters()).device):
        raise MomusError(
            "this model's attention does not take a mask of its own, which training a reward model needs; "
            "use one with full causal attention"
        )


def is_finished(path: Path, wanted: Mapping[str, Any], what: str) -> bool:
    """Whether `path`, which a stage writes last of all, tells of this very model. Raises MomusError where of another.

    `wanted` are the entries that must be the same; `what` says what it is of, for the message.
    """
    try:
        told = from_json(path.read_text(encoding="utf-8"))
        same = all(told[name] == value for name, value in wanted.items())
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{path} cannot be read ({error}); name a new --out") from None
    if not same:
        raise MomusError(f"{path.parent} holds a {what}; name a new --out")
    return True


def save_reward(model: Any, policy: Policy, about: Mapping[str, Any], folder: Path) -> None:
    """Write the model, its tokenizer and, last of all, `reward.json`. Raises MomusError where it cannot be written."""
    model.config.reward_mean, model.config.reward_std = about["mean"], about["std"]
    save_classifier(model, policy, about, folder, FILE)


def save_classifier(model: Any, policy: Policy, about: Mapping[str, Any], folder: Path, file: str) -> None:
    """Write a model, its tokenizer and, last of all, what is known of it. Raises MomusError as `save_reward` does."""
    partial = folder / "partial"
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with writing(folder, partial):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        model.save_pretrained(partial)
        save_tokenizer(policy, partial)
        (partial / file).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        for path in sorted(partial.iterdir(), key=lambda path: path.name == file):
            path.replace(folder / path.name)
        partial.rmdir()


@contextmanager
def writing(what: Path, partial: Path) -> Iterator[None]:
    """Turn a failed write into one sentence, and take away what was written of `partial`."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True) if partial.is_dir() else partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error).strip().split("\n")[0][:200]
        raise MomusError(
            f"cannot write {what} ({reason}); make room and run the same command again: what was saved before is whole"
        ) from None
