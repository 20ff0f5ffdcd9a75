"""The bundle: the model that ships with the package, or one exported since, and how to open it.

A bundle is a folder: `bundle.json` (format, architecture, gate, dial, checksums), `graph.onnx` and `weights.bin`,
`tokenizer.json`, `ngram.npz`, `MODEL_CARD.md`, and where it has a reward model `reward/graph.onnx` and
`reward/weights.bin`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from momus.corpus.tokenizer import Tokenizer
from momus.critique import TextMap
from momus.decode import from_json
from momus.errors import MomusError
from momus.models import weights
from momus.models.arch import Arch
from momus.models.dialect import MAX_LINES, Dialect, EncodedPrompt
from momus.models.protocol import Caps, Prompt
from momus.models.reward import BundledScorer
from momus.models.runtime import Floats, Runtime
from momus.models.session import TokenBackend, TokenSession

FORMAT = 2
READ = (1, 2)  # format 1 knows neither reward model nor dial
FILE = "bundle.json"
SHIPPED = Path(__file__).parent.parent / "bundle"
CHECKED = ("graph.onnx", "weights.bin", "tokenizer.json", "ngram.npz")
REWARD = "reward"  # the folder of the reward model
REWARD_CHECKED = (f"{REWARD}/graph.onnx", f"{REWARD}/weights.bin")

RuntimeName = Literal["onnx", "numpy"]


@dataclass(frozen=True, slots=True)
class Gate:
    """When to speak, fitted on development tampers: a line is suspect where its confidence reaches `threshold`.

    The confidence of a line is sigmoid(scan * logit(p_scan) + token * logit(p_token) + point * log(p_point) + bias):
    what the scan says of the line, what was thought of the worst of its tokens on reading it, and how likely the model
    is to speak and to quote that very line.
    """

    threshold: float = 0.5
    scan: float = 1.0
    token: float = 0.0
    point: float = 0.0
    bias: float = 0.0

    def confidence(self, found: Suspicion) -> float:
        """The probability that a line is a bug's, where half of the answers hold one."""
        weighed = self.scan * found.scan_logit + self.token * found.token_logit + self.point * found.log_point
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, weighed + self.bias))))


@dataclass(frozen=True, slots=True)
class Reward:
    """A bundle's reward model, not loaded yet: most answers get silence from the gate, and need none.

    `head` [hidden]; `mean` and `std` of raw scores, see `BundledScorer`.
    """

    folder: Path
    arch: Arch
    index: dict[str, Any]
    head: Floats
    mean: float
    std: float
    runtime: RuntimeName

    def scorer(self, dialect: Dialect) -> BundledScorer:
        """Load it. Raises MomusError where its files cannot be read."""
        runtime = _runtime(self.folder, self.arch, self.index, self.runtime)
        return BundledScorer(runtime, dialect, self.head, self.mean, self.std)


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle. `version` changes with the weights, the gate and the dial.

    `verdict` [hidden] makes the log-odds of a bug of a hidden state. `reward` is None where it has no reward model,
    `dial` (see `momus.critics.dial`) where none was fitted.
    """

    folder: Path
    name: str
    version: str
    arch: Arch
    gate: Gate
    dialect: Dialect
    runtime: Runtime
    verdict: Floats
    reward: Reward | None = None
    dial: Mapping[str, Any] | None = None

    @property
    def backend(self) -> BundledBackend:
        return BundledBackend(self)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What one pass over the prompt makes of a line: the log-odds of the scan and of its worst token, and the
    log-probability of speaking of it."""

    line: int
    scan_logit: float
    token_logit: float
    log_point: float


class BundledSession(TokenSession):
    """A session that also knows the answer it is about. `suspicions` holds one entry per line that can be quoted."""

    def __init__(self, bundle: Bundle, prompt: Prompt) -> None:
        self.dialect = bundle.dialect
        self.prompt = prompt
        self.text = TextMap(prompt.answer)
        encoded = bundle.dialect.prompt(prompt)
        if not encoded.lines:
            raise ValueError("an answer without a line of code cannot be reviewed")
        super().__init__(bundle.runtime, bundle.dialect, encoded.ids)
        self._encoded: EncodedPrompt = encoded
        self._verdict = bundle.verdict

    def suspicions(self) -> list[Suspicion]:
        """Judge every line. One token beyond the prompt is read: the opener, to see which line it would quote."""
        e = self._encoded
        odds = self.prompt_hidden @ self._verdict
        worst = [odds[start:end].max() for start, end in zip(e.starts, e.ends, strict=True)]
        speak = _log_softmax(self.prompt_logits)[self.dialect.open]
        branch = self.fork(None, 1)
        self.extend(branch, [[self.dialect.open]])
        markers = np.array([self.dialect.markers[line - 1] for line in e.lines], dtype=np.int64)
        point = _log_softmax(self.peek(branch).logits[0][markers])
        return [
            Suspicion(line, float(odds[e.scan[i]]), float(worst[i]), float(speak + point[i]))
            for i, line in enumerate(e.lines)
        ]


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


def open_bundle(folder: Path | None = None, *, runtime: RuntimeName = "onnx") -> Bundle:
    """Open a bundle; the shipped one where no folder is named.

    Raises MissingExtra where ONNX Runtime is asked for and not installed: numpy stands in for it only where it is
    named. Raises MomusError on a missing, damaged or other-version bundle.
    """
    folder = folder or SHIPPED
    about = read_about(folder)
    try:
        for name in (*CHECKED, *(REWARD_CHECKED if about.get("reward") else ())):
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
        reward = _reward(folder, about["reward"], arch, runtime) if about.get("reward") else None
        dial = about.get("dial")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MomusError(f"the bundle {folder} does not fit this momus ({error}): export it again") from None
    version = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    opened = _runtime(folder, arch, index, runtime)
    bug, ok = weights.rows(folder, index, "embed", (dialect.bug, dialect.ok))
    return Bundle(folder, name, version, arch, gate, dialect, opened, bug - ok, reward, dial)


def _reward(folder: Path, part: dict[str, Any], policy: Arch, runtime: RuntimeName) -> Reward:
    arch = Arch(**part["arch"])
    head = np.array(part["head"], dtype=np.float32)
    mean, std = float(part["mean"]), float(part["std"])
    if arch.vocab != policy.vocab or arch.context < policy.context or head.shape != (arch.hidden,):
        raise ValueError("its reward model is of another size than its policy")
    if not (math.isfinite(mean) and 0 < std < math.inf):
        raise ValueError(f"its reward model's scores have mean {mean} and deviation {std}")
    return Reward(folder / REWARD, arch, part["weights"], head, mean, std, runtime)


def read_about(folder: Path) -> dict[str, Any]:
    """The contents of `bundle.json`. Raises MomusError where it is missing, unreadable or of another format."""
    path = folder / FILE
    try:
        about: dict[str, Any] = from_json(path.read_text(encoding="utf-8"))
        found = about["format"]
    except FileNotFoundError:
        raise MomusError(f"no bundle in {folder}: make one with momus train export, or reinstall momus") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{path} cannot be read ({error}): reinstall momus, or export the bundle again") from None
    if found not in READ:
        raise MomusError(
            f"{path} is of format {found}, this momus reads formats {' and '.join(map(str, READ))}: install the momus "
            "that made it, or export the bundle again"
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
    if name == "onnx":
        from momus.models.onnx_backend import OnnxRuntime

        return OnnxRuntime(folder, arch, index)
    from momus.models.numpy_backend import NumpyRuntime

    return NumpyRuntime(folder, arch, index)


def _log_softmax(logits: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    shifted = logits.astype(np.float64) - logits.max()
    result: np.ndarray[Any, np.dtype[np.float64]] = shifted - np.log(np.exp(shifted).sum())
    return result
