"""What people install: the wheel in an empty environment, without torch, with the network off."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIMIT_MB = 500

pytestmark = pytest.mark.timeout(600)


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that holds the wheel and what it needs, nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("momus-*.whl")
    venv.create(folder / "env", with_pip=True)
    binaries = folder / "env" / "bin"
    pip = run(binaries / "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    if pip.returncode != 0 and os.environ.get("CI") != "true":
        pytest.skip("pip cannot fetch the base install here (no network?)")
    assert pip.returncode == 0, pip.stderr
    return binaries


def offline(tmp_path: Path) -> list[str]:
    """What to put before a command to take the network away."""
    if shutil.which("bwrap") is None and os.environ.get("CI") != "true":
        pytest.skip("bubblewrap is not installed, so the network cannot be taken away")
    return ["bwrap", "--dev-bind", "/", "/", "--unshare-net"]


def test_the_base_install_is_light_and_holds_no_torch(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = next((installed.parent / "lib").glob("python3*")) / "site-packages"
    names = {path.name for path in site.iterdir()}
    assert not names & {"torch", "transformers", "onnx", "onnxruntime", "fastapi"}
    own = [path for path in site.rglob("*") if path.is_file() and not path.relative_to(site).parts[0].startswith("pip")]
    size_mb = sum(path.stat().st_size for path in own) / 1e6
    with capsys.disabled():
        print(f"\nthe base install takes {size_mb:.0f} MB")
    assert size_mb < LIMIT_MB


def test_the_wheel_reviews_a_file_with_the_network_off(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def first(xs):\n    if not xs:\n        return None\n    return xs[0]\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MOMUS_CACHE_DIR": str(tmp_path / "cache")}
    command = [*offline(tmp_path), installed / "momus", "review", "a.py", "--output-format", "json", "--critic"]
    reviewed = run(*command, "surprisal", cwd=tmp_path, env=environment)
    assert reviewed.returncode in (0, 1), reviewed.stderr
    assert '"a.py"' in reviewed.stdout
    refused = run(*command, "bundled", cwd=tmp_path, env=environment)
    assert refused.returncode == 2 and "pip install 'momus[bundled]'" in refused.stderr
    command.remove("--critic")
    missing = run(*command, cwd=tmp_path, env=environment)
    assert missing.returncode == 2 and "no model here: `momus model get` (1.1 GB)" in missing.stderr
    probe = "import socket; socket.create_connection(('1.1.1.1', 53), 1)"
    assert run(*offline(tmp_path), sys.executable, "-c", probe).returncode != 0, "the network was not off"


def test_the_bundle_ships_in_the_wheel(installed: Path) -> None:
    site = next((installed.parent / "lib").glob("python3*")) / "site-packages" / "momus"
    for name in ("bundle.json", "graph.onnx", "weights.bin", "tokenizer.json", "ngram.npz", "MODEL_CARD.md"):
        assert (site / "bundle" / name).is_file(), name
    assert (site / "py.typed").is_file()
    assert (site / "review" / "output" / "page.css").is_file()
