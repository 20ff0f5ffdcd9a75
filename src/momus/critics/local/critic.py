"""The critic `local:NAME|PATH`: a pretrained code model scans, fixes what it suspects and says what a fix changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from momus import __version__
from momus.critics.automatic import LocalName
from momus.critics.local import calibration as calibrations
from momus.critics.local.calibration import DEFAULT_DIAL, Calibration
from momus.critics.local.fix import FIXES, Fix, fixes, still_fixes
from momus.critics.local.fixing import OPPOSED, FixingCritic
from momus.critics.local.request import VERSION
from momus.critics.local.scan import Looked, Scan, Scanner, scan_key
from momus.critics.local.store import ScanStore
from momus.critics.solutions.depth import DEFAULT_DEPTH
from momus.records import Task

if TYPE_CHECKING:
    from momus.critics.solutions.outvoted import Outvoted, Writing
    from momus.models.local import LocalModel

SCAN_S = 4.0  # seconds of a scan with its fixes on two cores, before the first one has been timed
REVISION = "5"  # of what is made of a scan: another makes other critiques of it
Mode = Literal["fast", "exact"]


class LocalCritic(FixingCritic):
    """A local model as critic. `scans` is a folder in which what the model has read and written is kept.

    `adapter` is the folder of the one that the model was opened with: it scans and fixes with it, and writes solutions
    without.
    """

    def __init__(
        self,
        name: str,
        model: LocalModel,
        *,
        calibration: Calibration | None = None,
        dial: int = DEFAULT_DIAL,
        max_spurious: float | None = None,
        examples: bool = False,
        solutions: bool = False,
        depth: str = DEFAULT_DEPTH,
        scans: Path | None = None,
        adapter: Path | None = None,
    ) -> None:
        self.model = model
        self._adapter = adapter
        self.digest, self.mode, self.request = model.digest, model.mode, VERSION
        key = scan_key(model)
        self._store = ScanStore(scans, key) if scans is not None else None
        super().__init__(
            f"local:{name}",
            Scanner(model, self._store),
            calibration=calibration,
            dial=dial,
            max_spurious=max_spurious,
            examples=examples,
            solutions=self._writing(depth, scans) if solutions else None,
        )
        self.name = str(LocalName(name, examples, solutions))
        fitted = hashlib.sha256(repr(calibration).encode()).hexdigest()[:12] if calibration is not None else ""
        self.version = f"{__version__}/{REVISION}/{key}/{fitted}/{self._thresholds[0]:.6g}/{self._thresholds[1]:.6g}"
        if self._solutions is not None:
            self.version += f"/{OPPOSED}/{self._solutions.version}"

    def expected_s(self, task: Task) -> float:
        """About how many seconds a task takes on two cores."""
        return SCAN_S + (self._solutions.expected_s(task) if self._solutions is not None else 0.0)

    def _fixes_of(self, scan: Looked, answer: str, lines: list[int], known: frozenset[str]) -> Iterable[Fix]:
        make = partial(fixes, scan, answer, lines, known=known)
        if self._store is None or not isinstance(scan, Scan):
            return make()
        key = repr((FIXES, scan.lines[0], scan.head, answer, lines, sorted(known)))
        return still_fixes(answer, self._store.fixes(key, make), known)

    def _writing(self, depth: str, scans: Path | None) -> Writing:
        from momus.critics.solutions.depth import depth_named
        from momus.critics.solutions.outvoted import Writing

        with self._unadapted():
            key = scan_key(self.model)
        return Writing(self.model, depth_named(depth), store=ScanStore(scans, key) if scans is not None else None)

    @contextmanager
    def _unadapted(self) -> Iterator[None]:
        """The model without the adapter."""
        if self._adapter is None:
            yield
            return
        self.model.use(None)
        try:
            yield
        finally:
            self.model.use(self._adapter)

    def _outvoted(self, task: Task, scans: Sequence[Looked]) -> Outvoted:
        with self._unadapted():
            return super()._outvoted(task, scans)


def open_local_critic(
    name: str,
    *,
    dial: int = DEFAULT_DIAL,
    max_spurious: float | None = None,
    mode: Mode = "fast",
    bf16: bool = True,
    examples: bool = False,
    solutions: bool = False,
    depth: str = DEFAULT_DEPTH,
    scans: Path | None = None,
) -> LocalCritic:
    """The critic over a model of the catalogue, a GGUF file or a folder. Raises MomusError where it can't be opened.

    A name that ends in `+examples` or `+solutions` is the same as `examples=True` or `solutions=True`; one that goes on
    with `@FOLDER` takes the adapter in it. `depth` is how much work solutions are worth.
    """
    from momus.models.local import open_local

    named = LocalName.of(name)
    base, _, folder = named.model.partition("@")
    adapter = Path(folder) if folder else None
    model = open_local(base, mode=mode, bf16=bf16, adapter=adapter)
    found = calibrations.find(model.digest, mode)
    return LocalCritic(
        named.model,
        model,
        calibration=found,
        dial=dial,
        max_spurious=max_spurious,
        examples=examples or named.examples,
        solutions=solutions or named.solutions,
        depth=depth,
        scans=scans,
        adapter=adapter,
    )
