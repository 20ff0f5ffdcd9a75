"""Nothing heavy is imported before it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# All that `momus --help` may import beyond the standard library.
ALLOWED = {"momus", "click"}


def imported_by(*arguments: str) -> set[str]:
    code = (
        "import sys; before = set(sys.modules); sys.argv = ['momus', *sys.argv[1:]]\n"
        "from momus.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n' + ' '.join(sorted({m.split('.')[0] for m in set(sys.modules) - before})))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.rstrip().rpartition("\n")[2].split())


def test_help_imports_click_and_nothing_heavier() -> None:
    found = imported_by("--help")
    outside = {name for name in found if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert outside == ALLOWED


def test_help_of_every_verb_loads_no_model_library() -> None:
    for verb in ("review", "tamper", "critique", "rate", "measure", "train", "bench", "model"):
        heavy = imported_by(verb, "--help") & {"torch", "transformers", "onnxruntime", "onnx", "tokenizers", "rich"}
        assert not heavy, f"momus {verb} --help imports {heavy}"


def without(library: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `momus` where a library is not installed."""
    code = f"import sys; sys.modules[{library!r}] = None; from momus.cli import main; sys.argv[0] = 'momus'; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


def test_without_its_extra_the_bundled_critic_is_refused_by_name_and_nothing_stands_in(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def first(xs):\n    return xs[0]\n")
    for critic in ("bundled", "bundled+fsbs"):
        refused = without("onnxruntime", "review", str(tmp_path), "--critic", critic, "--isolated")
        assert refused.returncode == 2 and not refused.stdout
        assert refused.stderr == (
            "momus: the bundled model needs the optional part 'bundled': pip install 'momus[bundled]'\n"
        )
    works = without("onnxruntime", "review", str(tmp_path), "--critic", "surprisal", "--isolated")
    assert works.returncode in (0, 1), works.stderr


def test_the_benches_of_the_bundled_critic_need_its_extra() -> None:
    for suite in ("review", "startup"):
        refused = without("onnxruntime", "bench", suite)
        assert refused.returncode == 2 and "pip install 'momus[bundled]'" in refused.stderr
    for suite in ("decode", "fsbs"):
        refused = without("onnxruntime", "bench", suite)
        assert refused.returncode == 2 and "pip install 'momus[train]'" in refused.stderr


def test_onnx_runtime_is_told_to_report_nothing_before_it_is_imported() -> None:
    code = (
        "import os, sys, builtins\n"
        "real = builtins.__import__\n"
        "def watched(name, *rest, **more):\n"
        "    if name == 'onnxruntime' and name not in sys.modules:\n"
        "        print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = watched\n"
        "from momus.critics import open_critic\n"
        "open_critic('bundled')\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["1"]
