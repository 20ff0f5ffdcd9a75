"""Nothing heavy is imported before it is used."""

from __future__ import annotations

import subprocess
import sys

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
    for verb in ("review", "tamper", "critique", "rate", "measure", "train", "bench"):
        heavy = imported_by(verb, "--help") & {"torch", "transformers", "onnxruntime", "onnx", "tokenizers", "rich"}
        assert not heavy, f"momus {verb} --help imports {heavy}"
