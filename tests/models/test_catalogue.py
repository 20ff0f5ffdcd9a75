"""The models known by name, and what a name or path means."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from momus.errors import MomusError
from momus.models.catalogue import cached, catalogue, default_model, digest_of, resolve
from momus.models.stored import hash_file, remember


def test_every_entry_says_where_it_was_published_and_what_it_must_be() -> None:
    assert default_model() in catalogue()
    for model in catalogue().values():
        assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", model.repository) and model.file.endswith(".gguf")
        assert re.fullmatch(r"|[0-9a-f]{40}", model.revision)
        assert 0 < model.size < model.converted < model.memory
        assert model.licence == "Apache-2.0" and model.parameters > 100e6
        assert len(model.packages) == model.parts == len(set(model.packages))
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", requirement) for requirement in model.packages)


def test_the_real_model_is_what_its_publisher_gave(smollm2: Path) -> None:
    model = catalogue()["smollm2-135m"]
    assert smollm2.stat().st_size == model.size and hash_file(smollm2) == model.sha256
    assert cached("smollm2-135m") == smollm2 == resolve("smollm2-135m")


def test_a_name_is_never_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for name in ("qwen2.5-coder-0.5b", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    with pytest.raises(MomusError, match=r"momus model get qwen2\.5-coder-0\.5b$"):
        resolve("qwen2.5-coder-0.5b")
    with pytest.raises(MomusError, match="there is no model 'mine'"):
        resolve("mine")
    assert resolve("./mine") == Path("mine")


def test_a_path_is_a_file_or_a_folder_of_a_model(tmp_path: Path) -> None:
    gguf = tmp_path / "a.gguf"
    gguf.write_bytes(b"GGUF")
    assert resolve(str(gguf)) == gguf
    with pytest.raises(MomusError, match="neither a GGUF file nor a folder"):
        resolve(str(tmp_path / "b.gguf"))


def test_a_digest_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "a.gguf"
    path.write_bytes(b"one")
    assert digest_of(path) == hash_file(path)
    remember(path, "what was hashed before")
    assert digest_of(path) == "what was hashed before"
    stat = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert digest_of(path) == hash_file(path)


def test_the_digest_of_a_folder_is_of_what_a_model_is_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"one")
    before = digest_of(tmp_path)
    (tmp_path / "README.md").write_text("not part of it")
    assert digest_of(tmp_path) == before
    (tmp_path / "model.safetensors").write_bytes(b"other")
    assert digest_of(tmp_path) != before
