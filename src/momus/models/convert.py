"""Weights become an OpenVINO graph in the cache, once: a GGUF, or a folder of Hugging Face.

`graphs/DIGEST-FORMAT/` holds `openvino_model.xml` and `.bin`, the tokenizer (`tokens.json`) and `facts.json`. It is
made in a folder beside it and renamed when it is whole; of several processes one makes it and the others wait.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from momus.decode import from_json
from momus.errors import MomusError
from momus.models.gguf_file import read_gguf
from momus.models.gguf_rewrite import Shape, rewrite, shape_of
from momus.models.graph_child import GRAPH
from momus.models.stored import digest_of, graphs_folder
from momus.models.tokens import Tokens, Vocabulary

FORMAT = 1  # of what is kept, and of how it is made
_FACTS, _TOKENS = "facts.json", "tokens.json"
_REWRITTEN = "model.gguf"
_BYTES_A_WEIGHT = 2  # of a graph at most: 16-bit floats
# Memory of its own that a model takes while it reads: its weights repacked, and keys, values and activations of a pass
# over some thousand tokens. An estimate: the 0.5B was seen to take 0.98 GB for a graph of 0.67 GB.
_MEMORY_A_BYTE, _MEMORY_AT_LEAST = 1.2, 500_000_000

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a converted model without opening it. Sizes are bytes; `memory_needed` is what reading takes."""

    digest: str
    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    graph_size: int
    memory_needed: int


@dataclass(frozen=True, slots=True)
class Converted:
    """A model as the runtime opens it. `digest` is that of the weights it was made from."""

    graph: Path
    tokens: Tokens
    digest: str
    family: str
    facts: Facts


def converted(weights: Path, *, progress: Progress | None = None) -> Converted:
    """The graph and tokenizer of a .gguf file or a Hugging Face folder: from the cache, or made and kept there now.

    `progress` hears what is being done and the share of all that is done. Raises MomusError on weights that are damaged
    or of an unknown kind, and where disk or memory do not suffice.
    """
    from filelock import FileLock

    try:
        digest = digest_of(weights)
        home = _home(digest)
        if (found := _opened(home)) is not None:
            return found
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_name(f".{home.name}.lock")):
            if (found := _opened(home)) is None:
                _convert(weights, digest, home, progress or (lambda what, share: None))
                found = _opened(home)
    except OSError as error:
        raise MomusError(f"can't convert {weights}: {error.strerror or error}") from error
    if found is None:
        raise MomusError(f"{home} can't be read after it was written: remove it and try again")
    return found


def is_converted(weights: Path) -> bool:
    """Whether the graph of these weights lies in the cache, so that `converted` has nothing to make."""
    return _facts(_home(digest_of(weights))) is not None


def check_memory(facts: Facts, *, available: int | None = None) -> None:
    """Raises MomusError where the model needs more memory than the machine has free; nothing is said where it can't be
    known. `available`: bytes, as measured now when not given."""
    free = available_memory() if available is None else available
    if free is not None and free < facts.memory_needed:
        raise MomusError(
            f"this model needs {_gb(facts.memory_needed)} of memory and {_gb(free)} are free: "
            "close other programs, or take a smaller model (momus model list)"
        )


def available_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system doesn't say (other than Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _home(digest: str) -> Path:
    return graphs_folder() / f"{digest[:16]}-{FORMAT}"


def _facts(home: Path) -> Facts | None:
    """What is known of the graph at `home`; None where no whole one lies there."""
    try:
        facts = Facts(**from_json((home / _FACTS).read_text(encoding="utf-8")))
        whole = (home / GRAPH).with_suffix(".bin").stat().st_size == facts.graph_size
    except (OSError, ValueError, TypeError):
        return None
    return facts if whole else None


def _opened(home: Path) -> Converted | None:
    """What lies at `home`; None where nothing whole does."""
    if (facts := _facts(home)) is None:
        return None
    try:
        tokens = Tokens(Vocabulary.load(home / _TOKENS))
    except (OSError, ValueError, TypeError):
        return None
    return Converted(home / GRAPH, tokens, facts.digest, facts.family, facts)


def _convert(weights: Path, digest: str, home: Path, progress: Progress) -> None:
    if weights.is_dir():
        raise MomusError(f"{weights} is a folder: convert it to GGUF first (llama.cpp's convert_hf_to_gguf.py)")
    source = read_gguf(weights)
    shape = shape_of(source)
    vocabulary = Vocabulary.of_gguf(source.metadata, weights)
    with _workshop(home, sum(_weights(tensor.shape) for tensor in source.tensors)) as work:
        for share in rewrite(source, shape, work / _REWRITTEN):
            progress("rewriting weights", 0.7 * share)
        _finish(work, shape, vocabulary, digest, progress)
        if home.exists():  # of a graph that is not whole
            shutil.rmtree(home)
        work.rename(home)
    progress("converted", 1.0)


def _finish(work: Path, shape: Shape, vocabulary: Vocabulary, digest: str, progress: Progress) -> None:
    """From the rewritten file in `work` to all that is kept; nothing else stays in the folder."""
    progress("making the graph", 0.7)
    make_graph(work / _REWRITTEN)
    keep = {GRAPH, Path(GRAPH).with_suffix(".bin").name}
    for file in work.iterdir():
        if file.name not in keep:
            file.unlink()
    size = (work / GRAPH).with_suffix(".bin").stat().st_size
    vocabulary.save(work / _TOKENS)
    facts = Facts(
        digest=digest,
        family=shape.family,
        layers=shape.layers,
        hidden=shape.hidden,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        vocabulary=shape.vocabulary,
        context=shape.context,
        graph_size=size,
        memory_needed=int(size * _MEMORY_A_BYTE) + _MEMORY_AT_LEAST,
    )
    (work / _FACTS).write_text(json.dumps(asdict(facts)) + "\n", encoding="utf-8")


def make_graph(file: Path) -> None:
    """Have OpenVINO read a GGUF and write its graph beside it. Raises MomusError where it can't."""
    # -P: what lies in the folder one works in, a repository under review, is no module of ours.
    command = [sys.executable, "-P", "-m", "momus.models.graph_child", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode or not file.with_name(GRAPH).is_file():
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = said[-1][:200] if said else f"it ended with {done.returncode}"
        raise MomusError(f"OpenVINO can't read these weights ({reason}): check the file, or take another model")


@contextmanager
def _workshop(home: Path, weights: int) -> Iterator[Path]:
    """A folder beside `home` that goes when it has not been renamed. Raises MomusError where the disk has no room."""
    needed = 2 * _BYTES_A_WEIGHT * weights  # the rewritten file and the graph
    if (free := shutil.disk_usage(home.parent).free) < needed:
        raise MomusError(f"converting these weights takes {_gb(needed)} of disk in {home.parent}; {_gb(free)} are free")
    work = Path(tempfile.mkdtemp(prefix=f".{home.name}.{os.getpid()}.", dir=home.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _weights(shape: tuple[int, ...]) -> int:
    count = 1
    for dimension in shape:
        count *= dimension
    return count


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
