"""A folder of Hugging Face becomes the same graph as a GGUF would, without torch, or is refused in a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_of_gguf import hf_of_gguf
from momus.errors import MomusError
from momus.models.gguf_file import read_gguf
from momus.models.gguf_rewrite import write_model
from momus.models.hf_folder import read_folder
from momus.models.tokens import Tokens, Vocabulary
from tiny_gguf import TEMPLATE, Family, vocabulary, write_tiny_gguf


def save_folder(folder: Path, family: Family, *, dtype: str = "bfloat16", **sizes: Any) -> Any:
    """A checkpoint as one downloads it, of a tiny random model; the model itself, in the numbers that were saved."""
    import torch
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    model = hf_of_gguf(write_tiny_gguf(folder.with_suffix(".gguf"), family, **sizes)).to(getattr(torch, dtype))
    model.generation_config.eos_token_id = [319, 317]
    model.save_pretrained(folder, max_shard_size="60KB")
    tokens, merges = vocabulary()
    plain = {token: id for id, token in enumerate(tokens[:-3])}
    bpe = Tokenizer(models.BPE(vocab=plain, merges=[tuple(merge.split(" ")) for merge in merges]))
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    pattern += r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.add_special_tokens([AddedToken(token, special=True) for token in tokens[-3:]])
    bpe.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<|endoftext|>"}))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return model.float(), bpe


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_a_folder_is_written_as_the_same_weights(tmp_path: Path, family: Family) -> None:
    import torch

    dtype = {"llama": "bfloat16", "qwen2": "float16", "qwen3": "float32"}[family]
    model, _ = save_folder(tmp_path / "model", family, dtype=dtype, tied=family != "llama")
    read = read_folder(tmp_path / "model")
    for _ in write_model(read.shape, read.tensors, out := tmp_path / "written.gguf"):
        pass
    assert len(list((tmp_path / "model").glob("*.safetensors"))) > 1
    written = hf_of_gguf(out)
    for (name, mine), theirs in zip(written.state_dict().items(), model.state_dict().values(), strict=True):
        assert np.abs(mine.numpy() - theirs.numpy()).max() <= np.abs(theirs.numpy()).max() / 200, name
    ids = torch.arange(5, 65)[None]
    with torch.no_grad():
        # Heads in a wrong order differ by about 1.
        assert (written(ids).logits - model(ids).logits).abs().mean() < 0.05
    assert read.shape.family == family


def test_a_folder_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from momus.models.convert import converted

    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    save_folder(tmp_path / "model", "qwen3")
    made = converted(tmp_path / "model")
    assert made.family == "qwen3" and made.graph.is_file()
    monkeypatch.setattr(subprocess, "run", None)  # nothing is started any more
    assert converted(tmp_path / "model").facts == made.facts


def test_the_tokenizer_of_a_folder_is_its_own(tmp_path: Path) -> None:
    _, bpe = save_folder(tmp_path / "model", "qwen2")
    tokens = Tokens(read_folder(tmp_path / "model").vocabulary)
    text = "def last(xs, n):\n    return xs[len(xs) - n :]  # 123 caf\u0065\u0301\n"
    assert tokens.encode(text).ids == bpe.encode(text).ids
    frame = tokens.chat([{"role": "user", "content": text}])
    assert tokens.encode(frame).ids == bpe.encode(str(frame)).ids
    assert tokens.ends == {317, 319}


def test_the_real_tokenizer_is_known_by_its_parts(smollm2: Path, tmp_path: Path) -> None:
    from momus.models.tokens import pre_of

    for path in (
        smollm2,
        write_tiny_gguf(tmp_path / "tiny.gguf", "llama"),
        write_tiny_gguf(tmp_path / "t.gguf", "qwen2"),
    ):
        told = Vocabulary.of_gguf(read_gguf(path).metadata, path)
        assert pre_of(json.loads(Tokens(told)._bpe.to_str())) == told.pre


def test_a_folder_is_read_without_torch(tmp_path: Path) -> None:
    save_folder(tmp_path / "model", "qwen3")
    code = (
        "import sys; from pathlib import Path; from momus.models.hf_folder import read_folder\n"
        "sum(len(block) for tensor in read_folder(Path(sys.argv[1])).tensors for block in tensor.blocks)\n"
        "assert not {'torch', 'transformers', 'safetensors'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model")], check=True)


@pytest.mark.parametrize(
    ("file", "changes", "said"),
    [
        ("config.json", {"model_type": "gemma3"}, "family 'gemma3'; those read here are llama, qwen2, qwen3"),
        ("config.json", {"quantization_config": {"bits": 4}}, "quantization_config"),
        ("config.json", {"rope_parameters": {"rope_type": "yarn", "factor": 4}}, "rope scaling"),
        ("config.json", {"hidden_size": None}, "lacks a size"),
        ("config.json", {"num_hidden_layers": 3}, r"lacks model\.layers\.2\.input_layernorm\.weight"),
        ("config.json", {"num_hidden_layers": 1}, r"holds model\.layers\.1\."),
        ("config.json", {"intermediate_size": 64}, r"gate_proj\.weight is BF16 \(128, 64\)"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Metaspace"}}, "a tokenizer of an unknown kind"),
        ("tokenizer.json", {"normalizer": None}, "a tokenizer of an unknown kind"),
        ("tokenizer.json", {"model": {"type": "BPE"}}, "is damaged"),
    ],
)
def test_what_can_not_be_converted_is_refused(tmp_path: Path, file: str, changes: dict[str, Any], said: str) -> None:
    save_folder(tmp_path / "model", "qwen2")
    path = tmp_path / "model" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(MomusError, match=said) as refused:
        read_folder(tmp_path / "model")
    assert "\n" not in str(refused.value)


def test_a_folder_cut_short_is_one_sentence(tmp_path: Path) -> None:
    save_folder(tmp_path / "model", "qwen2")
    file = sorted((tmp_path / "model").glob("*.safetensors"))[0]
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(MomusError, match="is no whole safetensors file"):
        read_folder(tmp_path / "model")
    for other in (tmp_path / "model").glob("*.safetensors"):
        other.unlink()
    with pytest.raises(MomusError, match=r"holds no \.safetensors file"):
        read_folder(tmp_path / "model")
