"""The samples of a question about a program: what stands on standard input, and what is printed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from momus.inputs.example import Example
from momus.inputs.programs import call_on, in_words

LONGEST = 2_000  # characters of an input or an output
MOST = 12

# A line that is a label: "Sample Input 1", "**Output:** 3", "-----Input-----", "Example input: 4".
_LABEL = re.compile(
    r"[\s>*_#-]*(?P<sample>(?:sample|example|for example)s?[\s:]+)?(?:expected\s+)?(?P<what>input|output)s?"
    r"(?P<number>\s*#?\d+)?(?P<end>[\s*_:-]*)(?P<rest>.*)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"[\s>*_#-]*(?:explanation|notes?|constraints?|examples?|samples?|scoring|limits?|hints?|source|time limit)\b"
    r"[\s*_:\d#-]*(?:$|[A-Z`])",
    re.IGNORECASE,
)
_INLINE = re.compile(r"\s*[,;]?\s+(?:expected\s+)?output\s*[:=]\s*", re.IGNORECASE)
_FENCE = re.compile(r"\s*`{3,}\w*\s*$")
_PROSE = re.compile(
    r"[A-Za-z]{2,}[^\n]*\s[A-Za-z]{2,}[^\n]*[.:;,]$|^\s*(?:the|each|print|first|output|a|an|for)\s", re.I
)
_PYTHON = re.compile(r"[\[\]{}\"']|\w\s*=\s")  # a value as Python writes it is no text that a program reads


@dataclass(frozen=True, slots=True)
class Sample:
    """What is put in and what comes out, both text; the input ends in a line end."""

    given: str
    printed: str

    @property
    def example(self) -> Example:
        """The sample as an example of a program, where `momus.inputs.programs` says how it is called."""
        call = call_on(self.given)
        return Example(call, self.printed, "prints", "input-output", shown=in_words(call), loose=True)


def samples_in(question: str) -> list[Sample]:
    """The samples that a question shows, each input once; none of what may as well be a description of them.

    Where some inputs are called samples (or numbered), those that are not are descriptions. An input for which two
    outputs are shown is left out.
    """
    lines = question.expandtabs().replace("\r\n", "\n").split("\n")
    found: list[tuple[bool, Sample]] = []
    at = 0
    while at < len(lines):
        label = _label(lines[at], "input")
        if label is None:
            at += 1
            continue
        at, read = _pair(lines, at, label)
        if read is not None:
            found.append((bool(label["sample"] or label["number"]), read))
    named = [sample for is_named, sample in found if is_named]
    kept = named or [sample for _, sample in found]
    outputs: dict[str, set[str]] = {}
    for sample in kept:
        outputs.setdefault(sample.given, set()).add(sample.printed)
    return [sample for sample in dict.fromkeys(kept) if len(outputs[sample.given]) == 1][:MOST]


def _label(line: str, what: str) -> re.Match[str] | None:
    """The label of an input or output on a line: alone on it, or with a colon before what follows."""
    found = _LABEL.fullmatch(line)
    if found is None or found["what"].lower() != what:
        return None
    return found if not found["rest"].strip() or ":" in found["end"] else None


def _pair(lines: Sequence[str], at: int, label: re.Match[str]) -> tuple[int, Sample | None]:
    """The sample whose input's label stands on a line, and the line to go on from."""
    if (parts := _INLINE.split(label["rest"], maxsplit=1)) and len(parts) == 2:
        return at + 1, _sample(_plain(parts[0]), _plain(parts[1]))
    until = next(
        (n for n in range(at + 1, len(lines)) if _label(lines[n], "output") or _label(lines[n], "input")), None
    )
    if until is None or (output := _label(lines[until], "output")) is None:
        return at + 1 if until is None else until, None
    given = _unfenced([_plain(label["rest"]), *lines[at + 1 : until]])
    end, printed = _output(lines, until, _plain(output["rest"]))
    return end, None if given is None or printed is None else _sample(given, printed)


def _output(lines: Sequence[str], at: int, rest: str) -> tuple[int, str | None]:
    """The text below an output's label, and the line behind it; None where it is not clear where it ends."""
    first = at + 1
    if rest:
        return first, rest
    while first < len(lines) and not lines[first].strip():
        first += 1
    if first < len(lines) and _FENCE.match(lines[first]):
        close = next((n for n in range(first + 1, len(lines)) if _FENCE.match(lines[n])), len(lines))
        return close + 1, "\n".join(lines[first + 1 : close])
    end = first
    while end < len(lines) and lines[end].strip() and not _ends(lines[end]):
        end += 1
    after = next((line for line in lines[end:] if line.strip()), "")
    clear = not after or _ends(after) or _is_prose(after)
    return max(end, at + 1), "\n".join(lines[first:end]) if clear and end > first else None


def _ends(line: str) -> bool:
    return bool(_label(line, "input") or _label(line, "output") or _HEADING.match(line))


def _unfenced(lines: Sequence[str]) -> str | None:
    """Lines without the fences around them; None where text stands beside them: then it is not clear what is meant."""
    fences = [n for n, line in enumerate(lines) if _FENCE.match(line)]
    if not fences:
        return "\n".join(lines)
    beside = "".join([*lines[: fences[0]], *lines[fences[-1] + 1 :]]).strip()
    return "\n".join(lines[fences[0] + 1 : fences[-1]]) if len(fences) == 2 and not beside else None


def _sample(given: str, printed: str) -> Sample | None:
    """None where one of the two is empty, too long, prose, or a value as Python writes it."""
    texts = [textwrap.dedent(text).strip("\n") for text in (given, printed)]
    for text in texts:
        lines = [line for line in text.split("\n") if line.strip()]
        if not lines or len(text) > LONGEST or any(map(_is_prose, lines)) or _FENCE.match(lines[0]):
            return None
    if _PYTHON.search(texts[0].split("\n")[0]):
        return None
    return Sample("\n".join(line.rstrip() for line in texts[0].split("\n")) + "\n", texts[1])


def _plain(text: str) -> str:
    """A text without the marks of its layout around it."""
    return text.strip().strip("`*").strip()


def _is_prose(line: str) -> bool:
    return _PROSE.search(line) is not None
