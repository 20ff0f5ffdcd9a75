"""What a `get` may name, and the cache of models: listed, verified, removed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from momus.cli import cli
from momus.errors import MomusError
from momus.models.catalogue import catalogue
from momus.models.holdings import holdings, remove, verify
from momus.models.stored import Note, graphs_folder, keep_note, place_of
from momus.models.wanted import wanted

CONTENT = b"GGUF" + bytes(1000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOMUS_CACHE_DIR", str(tmp_path))
    return tmp_path / "models"


@pytest.fixture
def weights(cache: Path) -> Path:
    """Weights in the cache under a name that the catalogue does not have."""
    path = place_of("mine", SHA256)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    keep_note(path, Note("mine", SHA256, "a file"))
    return path


def graph(digest: str, size: int) -> Path:
    folder = graphs_folder() / f"{digest[:16]}-int8"
    folder.mkdir(parents=True)
    (folder / "openvino_model.bin").write_bytes(bytes(size))
    return folder


def test_the_catalogue_and_pinned_names_are_wanted() -> None:
    smol = catalogue()["smollm2-135m"]
    assert wanted("smollm2-135m", None) == wanted("smollm2-135m", smol.sha256.upper()) == smol
    model = wanted("org/repo@v2/x:sub/a.gguf", SHA256)
    assert (model.repository, model.revision, model.file) == ("org/repo", "v2/x", "sub/a.gguf")
    assert (model.size, model.packages) == (0, ())
    assert wanted("mine", SHA256).repository == ""


@pytest.mark.parametrize(
    ("name", "sha256", "said"),
    [
        ("org/repo:a.gguf", None, "has no pinned digest: state the SHA-256 .* with --sha256"),
        ("org/repo:a.gguf", "12", "takes the 64 hex digits"),
        ("smollm2-135m", SHA256, "the catalogue pins smollm2-135m to the SHA-256 b179"),
        ("smollm2-135n", None, "did you mean smollm2-135m"),
        ("org/repo", SHA256, "names no model"),
        ("../a.gguf", SHA256, "names no model"),
        ("", None, "names no model"),
    ],
)
def test_what_no_digest_is_known_of_is_refused(name: str, sha256: str | None, said: str) -> None:
    with pytest.raises(MomusError, match=said):
        wanted(name, sha256)


def test_a_name_stands_for_one_file(weights: Path) -> None:
    assert wanted("mine", None).sha256 == SHA256
    with pytest.raises(MomusError, match="momus model remove mine first"):
        wanted("mine", "0" * 64)


def test_the_list_covers_weights_graphs_and_what_was_begun(weights: Path) -> None:
    graph(SHA256, 500)
    graph("ab" * 32, 300)
    place_of("smollm2-135m", catalogue()["smollm2-135m"].sha256).with_suffix(".hub.partial").write_bytes(bytes(77))
    found = {item.model.name: (item.state, item.weights, item.graphs) for item in holdings()}
    assert found["mine"] == ("here", 1004, 500)
    assert found["smollm2-135m"] == ("begun", 77, 0)
    assert found["qwen2.5-coder-1.5b"] == ("not here", 0, 0)
    assert found["abababababababab"] == ("graphs", 0, 300)
    shown = CliRunner().invoke(cli, ["model", "list"]).output
    assert all(name in shown for name in found) and "not measured" in shown


def test_damaged_weights_are_found_and_not_opened(weights: Path) -> None:
    assert verify("mine") == weights
    weights.write_bytes(CONTENT[:-1] + b"!")
    assert {item.model.name: item.state for item in holdings()}["mine"] == "damaged"
    with pytest.raises(MomusError, match="the weights of mine are damaged"):
        verify("mine")
    done = CliRunner().invoke(cli, ["model", "path", "mine"])
    assert isinstance(done.exception, MomusError) and "damaged: momus model get mine" in str(done.exception)


def test_remove_takes_weights_graphs_and_what_was_begun(weights: Path, cache: Path) -> None:
    weights.with_suffix(".hub.partial").write_bytes(bytes(10))
    mine, other = graph(SHA256, 500), graph("ab" * 32, 300)
    note = weights.with_suffix(".json").stat().st_size
    assert remove("mine") == len(CONTENT) + note + 10 + 500
    assert not mine.exists() and [path.suffix for path in weights.parent.iterdir()] == [".lock"]
    assert remove("abababababababab") == 300 and not other.exists()
    assert remove("smollm2-135m") == 0
    with pytest.raises(MomusError, match="there is no model 'mine'"):
        remove("mine")
