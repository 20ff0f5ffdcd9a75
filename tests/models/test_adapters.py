"""Adapters of peft beside one compiled graph: equal to peft, switched without compiling, refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from momus.errors import MomusError
from momus.models.adapters import CONFIG, WEIGHTS
from momus.models.local import LocalModel
from tiny_gguf import Family
from tiny_local import PROMPT, TinyLocal

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def trained(family: Family, tiny: TinyLocal, folder: Path, **settings: Any) -> Any:
    """An adapter that peft wrote to `folder`, with weights as if it had been trained; the peer that has it."""
    import torch
    from peft import LoraConfig, get_peft_model

    from hf_of_gguf import hf_of_gguf, rewritten

    torch.manual_seed(sum(folder.name.encode()))
    settings = {"r": 4, "lora_alpha": 8, "target_modules": ALL, **settings}
    path = folder.parent / f"{folder.name}.gguf"
    peer = get_peft_model(hf_of_gguf(rewritten(tiny.gguf(family), path)), LoraConfig(**settings)).eval()
    for name, parameter in peer.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    peer.save_pretrained(folder)
    return peer


def differs(model: LocalModel, peer: Any) -> float:
    """The largest difference of a log-probability."""
    import torch

    ids = model.tokens.encode(PROMPT * 3).ids
    with torch.inference_mode():
        wanted = torch.log_softmax(peer(torch.tensor([ids])).logits[0], -1).numpy()[:-1]
    return float(np.abs(model.read(ids, 1).logprobs - wanted[np.arange(len(wanted)), ids[1:]]).max())


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_an_adapter_reads_as_peft_does(tiny_local: TinyLocal, family: Family, tmp_path: Path) -> None:
    model = tiny_local.open(family, adapters=True)
    peer = trained(family, tiny_local, tmp_path / "all")
    model.use(None)
    assert differs(model, peer.get_base_model()) > 1e-2
    model.use(tmp_path / "all")
    assert differs(model, peer) < 1e-3
    model.use(None)


def test_several_of_other_ranks_and_places_share_one_graph(tiny_local: TinyLocal, tmp_path: Path) -> None:
    """Switched back and forth; a session that is open keeps the one it began with."""
    model = tiny_local.open("qwen2", adapters=True)
    some = trained(
        "qwen2",
        tiny_local,
        tmp_path / "some",
        r=2,
        target_modules=["q_proj", "down_proj"],
        layers_to_transform=[1],
        use_rslora=True,
    )
    mixed = trained(
        "qwen2", tiny_local, tmp_path / "mixed", rank_pattern={"k_proj": 7}, alpha_pattern={"layers.0.mlp.up_proj": 3}
    )
    ids = model.tokens.encode(PROMPT).ids
    bare = model.complete(ids, max_tokens=8)[0]
    session = model.start(ids)
    for _ in range(2):
        model.use(tmp_path / "some")
        assert differs(model, some) < 1e-3
        model.use(tmp_path / "mixed")
        assert differs(model, mixed) < 1e-3
    (drawn,) = session.sample(session.fork(None, 1), max_tokens=8, temperature=0, stop=frozenset(), seed=0)
    assert drawn.tokens == bare.ids
    assert model.complete(ids, max_tokens=8)[0].ids != bare.ids
    model.use(None)
    assert model.complete(ids, max_tokens=8)[0] == bare


def test_new_values_are_read_once_the_old_are_forgotten(tiny_local: TinyLocal, tmp_path: Path) -> None:
    model = tiny_local.open("qwen2", adapters=True)
    trained("qwen2", tiny_local, tmp_path / "a")
    model.use(tmp_path / "a")
    newer = trained("qwen2", tiny_local, tmp_path / "b")
    for file in (CONFIG, WEIGHTS):
        (tmp_path / "b" / file).replace(tmp_path / "a" / file)
    assert differs(model, newer) > 1e-2
    model.forget(tmp_path / "a")
    model.use(tmp_path / "a")
    assert differs(model, newer) < 1e-3
    model.use(None)


def test_an_adapter_of_another_base_or_kind_is_refused(tiny_local: TinyLocal, tmp_path: Path) -> None:
    model = tiny_local.open("qwen2", adapters=True)
    fine = tmp_path / "fine"
    trained("qwen2", tiny_local, fine)
    config, weights = (fine / CONFIG).read_text(), (fine / WEIGHTS).read_bytes()

    def refused(match: str) -> None:
        model.forget(fine)
        with pytest.raises(MomusError, match=match):
            model.use(fine)
        (fine / CONFIG).write_text(config)
        (fine / WEIGHTS).write_bytes(weights)

    for name, other in (("width", {"hidden": 32, "head_dim": 8, "heads": 4}), ("deep", {"layers": 3})):
        from tiny_gguf import write_tiny_gguf

        (tmp_path / name).mkdir()
        larger = TinyLocal(tmp_path / name)
        write_tiny_gguf(tmp_path / name / "qwen2.gguf", "qwen2", kind="F32", **other)
        trained("qwen2", larger, tmp_path / name / "adapter")
        (fine / WEIGHTS).write_bytes((tmp_path / name / "adapter" / WEIGHTS).read_bytes())
        refused("of another base")
    for setting, value, match in (
        ("peft_type", "IA3", "kind IA3"),
        ("use_dora", True, "use_dora"),
        ("bias", "all", "bias"),
        ("modules_to_save", ["lm_head"], "modules_to_save"),
    ):
        (fine / CONFIG).write_text(json.dumps({**json.loads(config), setting: value}))
        refused(match)
    (fine / WEIGHTS).write_bytes(weights[: len(weights) // 2])
    refused("cut off")
    (fine / CONFIG).write_text("[]")
    refused("no adapter of peft")
    with pytest.raises(MomusError, match="no adapter of peft"):
        model.use(tmp_path / "nowhere")
    with pytest.raises(MomusError, match="adapters=True"):
        tiny_local.open("qwen2").use(fine)
