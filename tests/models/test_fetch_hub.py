"""Weights from a hub on loopback: fetched, gone on with, shared, refused."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from weights_served import momus, run, serving, surroundings

CONTENT = random.Random(7).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = "/someone/tiny/resolve/main/tiny.gguf"
GET = momus("model", "get", "someone/tiny:tiny.gguf", "--sha256", SHA256)


def weights_in(home: Path) -> list[Path]:
    """Everything in the folder of weights but locks."""
    return sorted(path for path in (home / "cache" / "models" / "weights").glob("*") if path.suffix != ".lock")


def test_a_file_is_fetched_once_and_then_comes_from_the_cache(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}) as hub:
        environment = surroundings(tmp_path, hub.url)
        first = run(GET, environment)
        assert first.returncode == 0, first.stderr
        path = Path(first.stdout.strip())
        assert path.read_bytes() == CONTENT
        shown = [line.partition(":")[0].partition(" (")[0] for line in first.stderr.splitlines()]
        assert list(dict.fromkeys(shown)) == ["cache", "Hugging Face cache", "Hugging Face hub"]
        assert weights_in(tmp_path) == [path, path.with_suffix(".json")]
        again = run(GET, environment)
        assert again.stdout == first.stdout and "cache:" in again.stderr
        assert hub.asked() == [FILE]
        # From now on the name alone is enough.
        assert run(momus("model", "path", "someone/tiny:tiny.gguf"), environment).stdout == first.stdout
        assert run(GET[:-2], environment).stdout == first.stdout


def test_the_token_goes_to_the_hub_and_not_to_its_storage(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}) as storage, serving({FILE: CONTENT}) as hub:
        hub.elsewhere = storage.url.replace("127.0.0.1", "localhost")
        got = run(GET, {**surroundings(tmp_path, hub.url), "HF_TOKEN": "hf_secret"})
        assert got.returncode == 0, got.stderr
        assert hub.requests[0][2]["authorization"] == "Bearer hf_secret"
        assert storage.asked() == [FILE] and "authorization" not in storage.requests[0][2]


def test_a_lost_connection_goes_on_where_it_broke(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}, cut_after=1_310_720, cuts=1) as hub:
        got = run(GET, surroundings(tmp_path, hub.url))
        assert got.returncode == 0, got.stderr
        assert hub.asked() == [FILE, f"{FILE} bytes=1310720-"]
        assert Path(got.stdout.strip()).read_bytes() == CONTENT


def test_a_connection_that_brings_nothing_is_not_tried_for_ever(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}, cut_after=0) as hub:
        got = run(GET, surroundings(tmp_path, hub.url))
        assert got.returncode == 2 and "the connection was lost after 0 bytes" in got.stderr
        assert len(hub.asked()) == 1


def test_ctrl_c_is_130_and_the_next_get_goes_on(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}, slow_after=1_500_000) as hub:
        environment = surroundings(tmp_path, hub.url)
        process = subprocess.Popen(GET, env=environment, stderr=subprocess.PIPE, text=True)
        (partial,) = _wait_for(tmp_path, 1_500_000)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130 and "Traceback" not in said
        kept = partial.stat().st_size
        assert 1_500_000 <= kept < len(CONTENT) and weights_in(tmp_path) == [partial]
        hub.slow_after = None
        got = run(GET, environment)
        assert got.returncode == 0, got.stderr
        assert hub.asked()[1:] == [f"{FILE} bytes={kept}-"]
        assert partial not in weights_in(tmp_path)


def _wait_for(home: Path, size: int) -> list[Path]:
    """The partial file, once it has so many bytes."""
    for _ in range(600):
        found = [path for path in weights_in(home) if path.suffix == ".partial" and path.stat().st_size >= size]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing was fetched")


def test_another_file_is_refused_and_deleted(tmp_path: Path) -> None:
    with serving({FILE: CONTENT[:-1] + b"!"}) as hub:
        got = run(GET, surroundings(tmp_path, hub.url))
    assert got.returncode == 2 and got.stdout == ""
    assert f"not the published file: its SHA-256 is {hashlib.sha256(CONTENT[:-1] + b'!').hexdigest()}" in got.stderr
    assert weights_in(tmp_path) == []


def test_a_partial_file_that_is_longer_than_what_is_there_begins_anew(tmp_path: Path) -> None:
    partial = tmp_path / "cache" / "models" / "weights" / f"{SHA256[:16]}-someone-tiny-tiny.hub.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(CONTENT + CONTENT)
    with serving({FILE: CONTENT}) as hub:
        got = run(GET, surroundings(tmp_path, hub.url))
        assert got.returncode == 0, got.stderr
        assert hub.asked() == [f"{FILE} bytes={2 * len(CONTENT)}-", FILE]


def test_where_the_revision_is_gone_the_newest_is_asked(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}) as hub:
        command = momus("model", "get", "someone/tiny@v1:tiny.gguf", "--sha256", SHA256)
        got = run(command, surroundings(tmp_path, hub.url))
        assert got.returncode == 0, got.stderr
        assert hub.asked() == [FILE.replace("main", "v1"), FILE]


def test_a_hub_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}, silent=True) as hub:
        got = run(GET, surroundings(tmp_path, hub.url))
        assert got.returncode == 2 and "it did not answer within 5 s" in got.stderr
        assert len(hub.requests) == 1


def test_offline_mode_asks_nobody(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}) as hub:
        got = run(GET, {**surroundings(tmp_path, hub.url), "HF_HUB_OFFLINE": "1"})
        assert got.returncode == 2 and "HF_HUB_OFFLINE is set" in got.stderr and not hub.requests


def test_what_the_hub_s_own_library_has_cached_is_taken_from_there(tmp_path: Path) -> None:
    with serving({FILE: CONTENT, FILE.replace("main", "0" * 39 + "1"): CONTENT}) as hub:
        environment = surroundings(tmp_path, hub.url)
        code = "from huggingface_hub import hf_hub_download; print(hf_hub_download('someone/tiny', 'tiny.gguf'))"
        own = run([sys.executable, "-c", code], environment)
        assert own.returncode == 0, own.stderr
        asked = len(hub.requests)
        got = run(GET, {**environment, "HF_HUB_OFFLINE": "1"})
        assert got.returncode == 0, got.stderr
        assert len(hub.requests) == asked
        assert os.path.samefile(got.stdout.strip(), own.stdout.strip())  # noqa: PTH121


def test_two_processes_fetch_once(tmp_path: Path) -> None:
    with serving({FILE: CONTENT}, slow_after=2_000_000) as hub:
        environment = surroundings(tmp_path, hub.url)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
        first = subprocess.Popen(GET, **pipes)
        assert hub.going.wait(60)
        second = subprocess.Popen(GET, **pipes)
        (one, _), (two, said) = first.communicate(timeout=60), second.communicate(timeout=60)
        assert first.returncode == second.returncode == 0, said
        assert one == two and Path(one.strip()).read_bytes() == CONTENT
        assert hub.asked() == [FILE] and "another process is fetching it: waiting" in said
