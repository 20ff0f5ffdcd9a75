"""A local model reads, completes and follows a draft as Hugging Face computes it; a draft changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.errors import MomusError
from momus.models.local import LocalModel
from tiny_gguf import Family
from tiny_local import PROMPT, TinyLocal

FAMILIES: tuple[Family, ...] = ("llama", "qwen2", "qwen3")
LENGTH = 40


@pytest.fixture(scope="module")
def model(tiny_local: TinyLocal) -> LocalModel:
    return tiny_local.open()


@pytest.fixture(scope="module")
def prompt(model: LocalModel) -> list[int]:
    return model.tokens.encode(PROMPT).ids


@pytest.fixture(scope="module")
def greedy(model: LocalModel, prompt: list[int]) -> list[int]:
    return list(model.complete(prompt, max_tokens=LENGTH)[0].ids)


def logprobs_of(peer: Any, ids: list[int]) -> np.ndarray[Any, Any]:
    """[tokens, vocabulary] of Hugging Face."""
    import torch

    with torch.inference_mode():
        found: np.ndarray[Any, Any] = torch.log_softmax(peer(torch.tensor([ids])).logits[0], -1).numpy()
    return found


def agree(model: LocalModel, weights: Path, tmp_path: Path) -> None:
    """Reading gives what Hugging Face gives on the file that the graph was made of."""
    from hf_of_gguf import hf_of_gguf, rewritten

    ids = model.tokens.encode("def last(xs, n):\n    return xs[len(xs) - n :]\n" * 3).ids
    found = model.read(ids, 5, top=3)
    wanted = logprobs_of(hf_of_gguf(rewritten(weights, tmp_path / "rewritten.gguf")), ids)[4:-1]
    assert np.abs(found.logprobs - wanted[np.arange(len(wanted)), ids[5:]]).max() < 1e-3
    likeliest = np.sort(wanted, axis=-1)[:, ::-1][:, :3]
    assert np.abs(found.top_logprobs - likeliest).max() < 1e-3
    assert np.abs(np.take_along_axis(wanted, found.top_ids, -1) - likeliest).max() < 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_reads_as_hugging_face_does(tiny_local: TinyLocal, family: Family, tmp_path: Path) -> None:
    agree(tiny_local.open(family), tiny_local.gguf(family), tmp_path)


@pytest.mark.slow
def test_a_real_model_reads_as_hugging_face_does(smollm2: Path, tmp_path: Path) -> None:
    from momus.models.local import open_local

    agree(open_local(str(smollm2), mode="exact", threads=1), smollm2, tmp_path)


def test_one_pass_in_pieces_reads_as_one_in_one(
    model: LocalModel, prompt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from momus.models import openvino_engine

    ids = (prompt * 8)[:70]
    whole = model.read(ids, 1, top=2)
    monkeypatch.setattr(openvino_engine, "_AT_ONCE", 16)
    monkeypatch.setattr(openvino_engine, "_HEAD_ROWS", 7)
    pieces = model.read(ids, 1, top=2)
    assert np.abs(whole.logprobs - pieces.logprobs).max() < 1e-4
    assert np.abs(whole.top_logprobs - pieces.top_logprobs).max() < 1e-4


def test_what_is_read_is_what_was_written(model: LocalModel, prompt: list[int], greedy: list[int]) -> None:
    written = model.complete(prompt, max_tokens=LENGTH)[0]
    read = model.read([*prompt, *greedy], len(prompt), top=1)
    assert read.top_ids[:, 0].tolist() == greedy
    assert np.abs(read.logprobs - np.array(written.logprobs)).max() < 1e-4
    assert written.text == model.tokens.decode(greedy)


def test_hidden_states_are_those_of_the_chosen_layers(tiny_local: TinyLocal, tmp_path: Path) -> None:
    import torch

    from hf_of_gguf import hf_of_gguf, rewritten

    model = tiny_local.open("qwen3", layers=(0, 1))
    ids = model.tokens.encode(PROMPT * 2).ids
    hidden = model.read(ids, 3).hidden
    peer = hf_of_gguf(rewritten(tiny_local.gguf("qwen3"), tmp_path / "rewritten.gguf"))
    layers: list[Any] = []
    for layer in peer.model.layers:
        layer.register_forward_hook(lambda module, given, out: layers.append(out[0] if isinstance(out, tuple) else out))
    with torch.inference_mode():
        peer(torch.tensor([ids]))
    assert hidden is not None and hidden.shape == (2, len(ids) - 3, 64)
    for found, wanted in zip(hidden, layers, strict=True):
        assert np.abs(found - wanted.reshape(-1, 64).numpy()[3:]).max() < 1e-3
    assert tiny_local.open().read(ids, 3).hidden is None


def test_a_layer_that_is_not_there_is_refused(tiny_local: TinyLocal) -> None:
    with pytest.raises(MomusError, match="no layer 7"):
        tiny_local.open("qwen3", layers=(7,))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_draft_changes_nothing(model: LocalModel, prompt: list[int], greedy: list[int], data: st.DataObject) -> None:
    """Right, empty, longer, or with tokens replaced, put in and left out."""
    draft = list(greedy) + data.draw(st.lists(st.integers(0, 319), max_size=12))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(draft)))
        draft[at : at + data.draw(st.integers(0, 5))] = data.draw(st.lists(st.integers(0, 319), max_size=4))
    room = data.draw(st.integers(1, LENGTH))
    found = model.follow(prompt, draft, max_tokens=room)
    assert list(found.ids) == greedy[:room]
    if draft:
        reading = model.read([*prompt, *draft], len(prompt), top=1)
        assert model.follow(prompt, draft, max_tokens=room, reading=reading).ids == found.ids


def test_a_draft_that_is_right_is_checked_in_one_pass(
    model: LocalModel, prompt: list[int], greedy: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from momus.models.openvino_engine import Rows

    passes = []
    extend = Rows.extend
    monkeypatch.setattr(Rows, "extend", lambda rows, new: (passes.append(len(new[0])), extend(rows, new))[1])
    assert list(model.follow(prompt, greedy, max_tokens=LENGTH).ids) == greedy
    assert passes == [len(prompt) + LENGTH - 1]
    passes.clear()
    wrong = [*greedy[:10], (greedy[10] + 1) % 300, *greedy[11:]]
    assert list(model.follow(prompt, wrong, max_tokens=LENGTH).ids) == greedy
    assert len(passes) < 12


def test_what_a_reading_says_is_not_read_again(
    model: LocalModel, prompt: list[int], greedy: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from momus.models.openvino_engine import Rows

    reading = model.read([*prompt, *greedy], len(prompt), top=2)
    monkeypatch.setattr(Rows, "extend", lambda rows, new: pytest.fail("it was read"))
    assert list(model.follow(prompt, greedy, max_tokens=LENGTH, reading=reading).ids) == greedy
    with pytest.raises(ValueError, match="not of this draft"):
        model.follow(prompt, greedy[1:], max_tokens=LENGTH, reading=reading)


def test_a_stop_token_ends_what_is_written_and_is_no_part_of_it(
    model: LocalModel, prompt: list[int], greedy: list[int]
) -> None:
    stop = greedy[7]
    first = greedy.index(stop)
    written = model.complete(prompt, max_tokens=LENGTH, stop=frozenset({stop}))[0]
    assert list(written.ids) == greedy[:first] and written.finish == "stop"
    followed = model.follow(prompt, greedy, max_tokens=LENGTH, stop=frozenset({stop}))
    assert list(followed.ids) == greedy[:first] and followed.finish == "stop"
    assert model.complete(prompt, max_tokens=5)[0].finish == "length"


def test_a_text_ends_what_is_written_wherever_its_tokens_part(model: LocalModel, prompt: list[int]) -> None:
    free = model.complete(prompt, n=4, max_tokens=LENGTH, temperature=1.0, seed=5)
    tried = 0
    for number, completion in enumerate(free):
        pieces = [completion.text[i : i + 2] for i in range(4, len(completion.text) - 1)]
        for text in [piece for piece in pieces if "\ufffd" not in piece][:2]:
            held = model.complete(prompt, n=4, max_tokens=LENGTH, temperature=1.0, seed=5, stop_text=("zzz", text))
            assert held[number].text == completion.text[: completion.text.find(text)]
            assert held[number].finish == "stop"
            assert held[number].ids == completion.ids[: len(held[number].ids)]
            tried += 1
    assert tried


def test_too_many_tokens_and_nothing_to_read_are_refused(model: LocalModel) -> None:
    with pytest.raises(MomusError, match="review less at once"):
        model.read([1] * (model.context + 1), 1)
    with pytest.raises(MomusError, match="review less at once"):
        model.follow([1] * model.context, [], max_tokens=1)
    for first in (0, 3):
        with pytest.raises(ValueError, match="nothing to read"):
            model.read([1, 2, 3], first)


@pytest.mark.parametrize("bf16", [True, False])
def test_fast_reads_nearly_as_exact_and_twice_alike(tiny_local: TinyLocal, prompt: list[int], bf16: bool) -> None:
    fast = tiny_local.open(mode="fast", bf16=bf16)
    exact = tiny_local.open()
    ids = prompt * 4
    first, second = (fast.read(ids, 1).logprobs for _ in range(2))
    assert (first == second).all()
    assert np.abs(first - exact.read(ids, 1).logprobs).max() < 1.0
    draws = [fast.complete(prompt, n=3, max_tokens=12, temperature=0.8, top_p=0.95, seed=4) for _ in range(2)]
    assert draws[0] == draws[1] and len({c.ids for c in draws[0]}) == 3


def test_too_little_memory_is_said_before_anything_is_loaded(
    tiny_local: TinyLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from momus.models import convert, local

    tiny_local.open()
    monkeypatch.setattr(convert, "available_memory", lambda: 1_000_000)
    monkeypatch.setattr(local, "Engine", lambda *given, **options: pytest.fail("it was loaded"))
    with pytest.raises(MomusError, match="memory"):
        tiny_local.open(threads=3)


def test_a_conversion_is_heard_of(tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []
    TinyLocal(tmp_path).open(progress=lambda what, share: heard.append((what, share)))
    assert heard[-1][1] == 1.0 and len({what for what, _ in heard}) > 1


def test_no_more_than_the_context_of_the_model_is_read(tiny_local: TinyLocal) -> None:
    assert tiny_local.open().context == 2048
