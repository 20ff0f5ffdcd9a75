"""The baseline that counts: a 5-gram finds the most surprising lines suspicious (Ray et al. 2016, "naturalness").

It knows nothing of the question and nothing of bugs; a critic that does not beat it has learned no more than what
code looks like.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from momus.corpus.ngram import NGram
from momus.corpus.tokenizer import Tokenizer
from momus.critics.protocol import each
from momus.critics.trivial import body_lines, on_lines
from momus.critique import Critique, TextMap
from momus.errors import MomusError
from momus.records import Sampled, Task

BUNDLE = Path(__file__).parents[1] / "bundle"
HALFWAY = 30.0  # nats at which the confidence is one half: about what an ordinary line carries


class Surprisal:
    """Comments on the lines that carry the most surprise, in nats summed over their tokens, the most first.

    Lines of bodies come before imports and signatures, which are always surprising.

    `comments` says how many, None all. `bundle` is the folder of `ngram.npz` and `tokenizer.json`, by default the one
    that ships with the package. Raises MomusError where they are missing or broken.
    """

    name = "surprisal"

    def __init__(self, bundle: Path | str | None = None, comments: int | None = 1) -> None:
        folder = BUNDLE if bundle is None else Path(bundle)
        self.comments = comments
        self.ranks = comments is None
        digest = hashlib.sha256()
        for part in ("ngram.npz", "tokenizer.json"):
            if not (folder / part).is_file():
                raise MomusError(f"there is no {part} in {folder}: give the folder of a bundle that has it")
            digest.update((folder / part).read_bytes())
        self.version = f"{digest.hexdigest()[:12]} comments={comments}"
        self._ngram = NGram.load(folder / "ngram.npz")
        self._tokenizer = Tokenizer.load(folder / "tokenizer.json")

    def critique(self, tasks: Iterable[Task], *, n: int = 1, seed: int) -> Iterator[Sampled]:
        return each(self.name, tasks, n, lambda task, i: self._of(TextMap(task.answer)))

    def _of(self, text: TextMap) -> Critique:
        if not text.code_lines:
            return Critique()
        surprise = self.lines(text)
        body = set(body_lines(text))
        ranked = sorted(text.code_lines, key=lambda line: (line not in body, -surprise[line - 1]))[: self.comments]
        surprise = np.minimum.accumulate(surprise[[line - 1 for line in ranked]])  # never above a line ranked before
        levels = (surprise / (surprise + HALFWAY)).tolist()
        return on_lines(text, ranked, "This line is unlike most code.", levels)

    def lines(self, text: TextMap) -> npt.NDArray[np.float64]:
        """The surprise of each line of a text, in nats; a line end counts to the line that it ends."""
        ids = self._tokenizer.encode(text.text)
        lengths = np.array([len(self._tokenizer.token_bytes[token]) for token in ids], np.int64)
        starts = np.cumsum(lengths) - lengths
        line_bytes = [0, *(text.byte_offset(start) for start in text.starts[1:])]
        line_of = np.searchsorted(np.array(line_bytes), starts, side="right") - 1
        sums = np.zeros(len(text.starts))
        np.add.at(sums, line_of, self._ngram.surprisal(ids))
        return sums
