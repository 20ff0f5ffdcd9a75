"""The bundle: the model that ships with the package, or one exported since, and how to open it.

A bundle is a folder: `bundle.json` (format, architecture, gate, checksums), `graph.onnx` and `weights.bin`,
`tokenizer.json`, `ngram.npz`, `MODEL_CARD.md`.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from momus.corpus.tokenizer import Tokenizer
from momus.critique import TextMap
from momus.errors import MomusError
from momus.models.arch import Arch
from momus.models.dialect import MAX_LINES, Dialect, EncodedPrompt
from momus.models.protocol import Caps, Prompt
from momus.models.runtime import Runtime
from momus.models.session import TokenBackend, TokenSession

FORMAT = 1
FILE = "bundle.json"
SHIPPED = Path(__file__).parent.parent / "bundle"
CHECKED = ("graph.onnx", "weights.bin", "tokenizer.json", "ngram.npz")

RuntimeName = Literal["auto", "onnx", "numpy"]


@dataclass(frozen=True, slots=True)
class Gate:
    """When to speak, fitted on development tampers: a line is suspect where its confidence reaches `threshold`.

    The confidence of a line is sigmoid(scan * logit(p_scan) + point * log(p_point) + bias): what the scan says of the
    line, and how likely the model is to speak and to quote that very line.
    """

    threshold: float = 0.5
    scan: float = 1.0
    point: float = 0.0
    bias: float = 0.0

    def confidence(self, scan_logit: float, log_point: float) -> float:
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.scan * scan_logit + self.point * log_point + self.bias))))


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle. `version` changes with the weights and the gate."""

    folder: Path
    name: str
    version: str
    arch: Arch
    gate: Gate
    dialect: Dialect
    runtime: Runtime

    @property
    def backend(self) -> BundledBackend:
        return BundledBackend(self)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What one pass over the prompt makes of a line: the scan's log-odds, the log-probability of speaking of it."""

    line: int
    scan_logit: float
    log_point: float


class BundledSession(TokenSession):
    """A session that also knows the answer it is about. `suspicions` holds one entry per line that can be quoted."""

    def __init__(self, bundle: Bundle, prompt: Prompt) -> None:
        self.dialect = bundle.dialect
        self.text = TextMap(prompt.answer)
        encoded = bundle.dialect.prompt(prompt)
        if not encoded.lines:
            raise ValueError("an answer without a line of code cannot be reviewed")
        super().__init__(bundle.runtime, bundle.dialect, encoded.ids, encoded.scan)
        self._encoded: EncodedPrompt = encoded

    def suspicions(self) -> list[Suspicion]:
        """Judge every line. One token beyond the prompt is read: the opener, to see which line it would quote."""
        scan = self.scan_logits[:, self.dialect.bug] - self.scan_logits[:, self.dialect.ok]
        speak = _log_softmax(self.prompt_logits)[self.dialect.open]
        branch = self.fork(None, 1)
        self.extend(branch, [[self.dialect.open]])
        markers = np.array([self.dialect.markers[line - 1] for line in self._encoded.lines], dtype=np.int64)
        point = _log_softmax(self.peek(branch).logits[0][markers])
        return [Suspicion(line, float(scan[i]), float(speak + point[i])) for i, line in enumerate(self._encoded.lines)]


class BundledBackend(TokenBackend):
    """Opens sessions on prompts of text, in the bundle's own dialect."""

    caps = Caps(n=True, token_prompts=True, continuation=True, logprobs=True, constraint="mask", samples=True)

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle.runtime, bundle.dialect)
        self.bundle = bundle

    def open(self, prompt: Prompt) -> BundledSession:
        """Read a prompt. Raises ValueError where the answer has no line, or more than a window holds."""
        return BundledSession(self.bundle, prompt)


def windows(question: str, answer: str, dialect: Dialect, context: int, room: int = 176) -> list[tuple[int, int]]:
    """Cut an answer into windows that fit the context: 1-based (first, last) lines.

    Behind each there is room to quote any of its lines and to write `room` tokens about it. Neighbours overlap by a
    quarter, so that what a cut parts stands together in one of them. A line that is too long for any window is left
    out.
    """
    text = TextMap(answer)
    spare = context - room - 4 - len(dialect.asked(question))
    costs = [0]  # of a line in the prompt, its marker in the scan with it; to quote it costs no more
    for number in range(1, text.line_count + 1):
        start, end = text.line_span(number)
        line = answer[start:end]
        costs.append(len(dialect.line(line)) + 2 if line.strip() else 0)
    found: list[tuple[int, int]] = []
    first = 1
    while first <= text.line_count:
        if not 0 < costs[first] <= spare // 2:
            first += 1
            continue
        last, used, longest = first, costs[first], costs[first]
        while last < text.line_count and last - first + 1 < MAX_LINES:
            used, longest = used + costs[last + 1], max(longest, costs[last + 1])
            if used + longest > spare:
                break
            last += 1
        if not found or last > found[-1][1]:  # one that the last window holds would say nothing new
            found.append((first, last))
        if last >= text.line_count:
            break
        too_long = costs[last + 1] > spare // 2
        first = last + 2 if too_long else max(first + 1, last + 1 - (last - first + 1) // 4)
    return found


def open_bundle(folder: Path | None = None, *, runtime: RuntimeName = "auto") -> Bundle:
    """Open a bundle; the shipped one where no folder is named.

    `auto` is ONNX Runtime where it is installed, else numpy. Raises MomusError on a missing, damaged or other-version
    bundle.
    """
    folder = folder or SHIPPED
    about = read_about(folder)
    try:
        for name in CHECKED:
            digest = file_digest(folder / name)
            if digest != about["sha256"][name]:
                what = "is damaged or was changed" if digest else "is missing"
                raise MomusError(f"{folder / name} {what}: reinstall momus, or export the bundle again")
        arch = Arch(**about["arch"])
        gate = Gate(**{name: float(value) for name, value in about["gate"].items()})
        dialect = Dialect(Tokenizer.load(folder / "tokenizer.json"))
        if dialect.tokenizer.size != arch.vocab:
            raise ValueError(f"{dialect.tokenizer.size} tokens for a model of {arch.vocab}")
        name, index = str(about["name"]), about["weights"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MomusError(f"the bundle {folder} does not fit this momus ({error}): export it again") from None
    version = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    return Bundle(folder, name, version, arch, gate, dialect, _runtime(folder, arch, index, runtime))


def read_about(folder: Path) -> dict[str, Any]:
    """The contents of `bundle.json`. Raises MomusError where it is missing, unreadable or of another format."""
    path = folder / FILE
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = about["format"]
    except FileNotFoundError:
        raise MomusError(f"no bundle in {folder}: make one with momus train export, or reinstall momus") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{path} cannot be read ({error}): reinstall momus, or export the bundle again") from None
    if found != FORMAT:
        raise MomusError(
            f"{path} is of format {found}, this momus reads format {FORMAT}: install the momus that made it, "
            "or export the bundle again"
        )
    return about


def file_digest(path: Path) -> str:
    """sha256 of a file; "" where it cannot be read."""
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return ""


def _runtime(folder: Path, arch: Arch, index: dict[str, Any], name: RuntimeName) -> Runtime:
    if name != "numpy":
        try:
            import onnxruntime  # noqa: F401
        except ImportError:
            if name == "onnx":
                raise MomusError("ONNX Runtime is not installed: pip install onnxruntime, or use numpy") from None
        else:
            from momus.models.onnx_backend import OnnxRuntime

            return OnnxRuntime(folder, arch, index)
    from momus.models.numpy_backend import NumpyRuntime

    return NumpyRuntime(folder, arch, index)


def _log_softmax(logits: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    shifted = logits.astype(np.float64) - logits.max()
    result: np.ndarray[Any, np.dtype[np.float64]] = shifted - np.log(np.exp(shifted).sum())
    return result
