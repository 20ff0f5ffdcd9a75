"""Reads unified diffs, as git and `diff -u` write them: which lines of which files are new.

Both sides of every hunk are kept, so that a patch can be held against a file: is it applied, not yet applied, or
does it not fit at all?
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from momus.errors import MomusError

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPES = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, '"': 34, "\\": 92}
_QUOTED = re.compile(rb'\\([0-7]{1,3}|["\\abfnrtv])')
_NULL = "/dev/null"
_PREFIXES = frozenset("abciow12")  # git's, with diff.mnemonicPrefix too


class BrokenPatch(MomusError):
    """A text that is no unified diff; the message names the line."""


@dataclass(slots=True)
class Hunk:
    """One change. Starts are 1-based, as written; a side without lines starts at the line it follows."""

    old_start: int
    new_start: int
    old: list[str] = field(default_factory=list)  # lines with their line ends
    new: list[str] = field(default_factory=list)
    added: list[int] = field(default_factory=list)  # indexes in `new`
    cut: list[int] = field(default_factory=list)  # indexes in `new` before which lines were taken away

    def changed(self) -> set[int]:
        """1-based lines of the new file that are new, or stand beside something taken away."""
        first = self.new_start if self.new else self.new_start + 1
        taken = set(self.cut).difference(self.added)  # where nothing took the place of what went
        beside = {first + at + side for at in taken for side in (-1, 0)}
        return {first + at for at in self.added} | {line for line in beside if line > 0}


@dataclass(slots=True)
class FilePatch:
    """What a patch does to one file. A path is None where the file does not exist on that side."""

    old_path: str | None
    new_path: str | None
    hunks: list[Hunk] = field(default_factory=list)
    binary: bool = False
    written: tuple[str | None, str | None] = (None, None)  # both names as they stand there, prefixes and all
    mode: str = ""  # on the new side, where it is told: 120000 is a link
    ids: tuple[str, str] = ("", "")  # of the contents in git, where they are told

    @property
    def link(self) -> bool:
        return self.mode == "120000"

    @property
    def repository(self) -> bool:
        """Whether it is a submodule, of which only the commit is told."""
        return self.mode == "160000"

    def names(self) -> list[tuple[str | None, str | None]]:
        """What both paths may be, the likeliest first: which prefixes were written cannot always be told."""
        ways = [(self.old_path, self.new_path), self.written]
        ways.append((_stripped(self.written[0]), _stripped(self.written[1])))
        return list(dict.fromkeys(way for way in ways if way != (None, None)))

    def changed(self) -> set[int]:
        return set[int]().union(*(hunk.changed() for hunk in self.hunks))

    def reversed(self) -> FilePatch:
        """The patch that takes this one back."""
        hunks = [Hunk(hunk.new_start, hunk.old_start, hunk.new, hunk.old) for hunk in self.hunks]
        return FilePatch(self.new_path, self.old_path, hunks)


def parse_patch(text: str) -> list[FilePatch]:
    """The files of a patch, in its order. Raises BrokenPatch, naming the line, for anything that is not one."""
    return list(_Reader(text).files())


def fits(text: str, patch: FilePatch, side: str) -> bool:
    """Whether one side of a patch, "old" or "new", is what stands in a text."""
    lines = _split(text)
    for hunk in patch.hunks:
        expected = hunk.old if side == "old" else hunk.new
        at = (hunk.old_start if side == "old" else hunk.new_start) - (1 if expected else 0)
        if at > len(lines) or not _same(lines[at : at + len(expected)], expected):
            return False
    return True


def apply(text: str, patch: FilePatch) -> str:
    """The text with a patch applied whose old side fits it."""
    lines = _split(text)
    for hunk in reversed(patch.hunks):
        at = hunk.old_start - (1 if hunk.old else 0)
        replaced, new = lines[at : at + len(hunk.old)], hunk.new
        if replaced != hunk.old:  # they differ in their line ends alone: the file's own hold
            end = "\r\n" if replaced[0].endswith("\r\n") else "\n"
            new = [line.rstrip("\r\n") + end * line.endswith("\n") for line in new]
        lines[at : at + len(hunk.old)] = new
    return "".join(lines)


def _same(a: list[str], b: list[str]) -> bool:
    """Whether lines are equal but for their ends: a patch may have come through an editor or the mail."""
    return [line.rstrip("\r\n") for line in a] == [line.rstrip("\r\n") for line in b]


class _Reader:
    def __init__(self, text: str) -> None:
        self._lines = _split(text)
        self._at = 0

    def files(self) -> Iterator[FilePatch]:
        found = False
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith("diff --git "):
                found = True
                yield self._git_file()
            elif line.startswith("--- ") and self._peek(1).startswith("+++ "):
                found = True
                yield self._hunks(self._header(FilePatch(None, None)))
            elif line.startswith("* Unmerged path "):
                raise self._broken("a file in the middle of a merge: resolve the conflict and write the patch again")
            elif line.startswith(("diff --cc ", "diff --combined ", "@@@")):
                raise self._broken("a merge's combined diff, which has two old sides: diff against one parent")
            elif line.startswith("@@ "):
                raise self._broken("a hunk without the '---' and '+++' lines that name its file")
            else:
                self._at += 1
        if not found and any(line.strip() for line in self._lines):
            raise BrokenPatch("the patch holds no unified diff: write it with 'git diff' or 'diff -u'")

    def _git_file(self) -> FilePatch:
        names = _git_names(self._lines[self._at].rstrip("\r\n").removeprefix("diff --git "))
        patch = FilePatch(*_bare(*names), written=names)
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip("\r\n")
            key, _, value = line.partition(" ")
            if line.startswith(("diff --git ", "@@ ")):
                break
            if line.startswith("--- ") and self._peek(1).startswith("+++ "):
                self._header(patch)
                break
            if line.startswith(("rename from ", "copy from ")):
                patch.old_path = _unquote(value.removeprefix("from "))
            elif line.startswith(("rename to ", "copy to ")):
                patch.new_path = _unquote(value.removeprefix("to "))
            elif line.startswith("new file mode"):
                patch.old_path, patch.mode = None, value.removeprefix("file mode ").strip()
            elif line.startswith("deleted file mode"):
                patch.new_path = None
            elif line.startswith("new mode"):
                patch.mode = value.removeprefix("mode ").strip()
            elif line.startswith("index ") and ".." in value:
                ids, _, mode = value.partition(" ")
                old, _, new = ids.partition("..")
                patch.ids, patch.mode = (old, new), mode or patch.mode
            elif line.startswith(("Binary files ", "GIT binary patch")):
                patch.binary = True
            elif not (patch.binary or key in ("similarity", "dissimilarity", "old", "")):
                break
            self._at += 1
        return self._hunks(patch)

    def _header(self, patch: FilePatch) -> FilePatch:
        old, new = (_name(self._lines[self._at + side][4:]) for side in (0, 1))
        self._at += 2
        if old is None and new is None:
            raise self._broken("a file that exists on neither side")
        patch.written = (old, new)
        patch.old_path, patch.new_path = _bare(old, new)
        return patch

    def _hunks(self, patch: FilePatch) -> FilePatch:
        while self._at < len(self._lines) and self._lines[self._at].startswith("@@"):
            patch.hunks.append(self._hunk())
        return patch

    def _hunk(self) -> Hunk:
        opener = self._at
        head = _HUNK.match(self._lines[opener])
        if head is None:
            raise self._broken("a hunk whose '@@ -line,count +line,count @@' cannot be read")
        old_left, new_left = (int(head[i]) if head[i] is not None else 1 for i in (2, 4))
        hunk = Hunk(int(head[1]), int(head[3]))
        self._at += 1
        while old_left > 0 or new_left > 0:
            if self._at >= len(self._lines):
                raise BrokenPatch(f"the patch breaks off in the hunk of line {opener + 1}: save it whole")
            line = self._lines[self._at]
            mark, content = line[0], line[1:]
            if mark == "\\":
                self._drop_line_end(hunk)
            elif mark == "+" and new_left > 0:
                hunk.added.append(len(hunk.new))
                hunk.new.append(content)
                new_left -= 1
            elif mark == "-" and old_left > 0:
                hunk.old.append(content)
                hunk.cut.append(len(hunk.new))
                old_left -= 1
            elif mark in " \r\n" and old_left > 0 and new_left > 0:  # mail and editors strip a lone blank
                hunk.old.append(content if mark == " " else line)
                hunk.new.append(content if mark == " " else line)
                old_left, new_left = old_left - 1, new_left - 1
            else:
                raise self._broken(f"a line that the hunk of line {opener + 1} does not announce")
            self._at += 1
        if self._peek(0).startswith("\\"):
            self._drop_line_end(hunk)
            self._at += 1
        return hunk

    def _drop_line_end(self, hunk: Hunk) -> None:
        r"""`\ No newline at end of file` speaks of the line above it, on the sides that have that line."""
        mark = self._lines[self._at - 1][0]
        for side in [hunk.old] * (mark != "+") + [hunk.new] * (mark != "-"):
            if side:
                side[-1] = side[-1].removesuffix("\n").removesuffix("\r")

    def _peek(self, ahead: int) -> str:
        at = self._at + ahead
        return self._lines[at] if at < len(self._lines) else ""

    def _broken(self, what: str) -> BrokenPatch:
        return BrokenPatch(f"the patch is broken at line {self._at + 1}: {what}")


def _split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _name(field_: str) -> str | None:
    """The path of a `---` or `+++` line; `diff -u` writes a tab and a time behind it."""
    raw = field_.rstrip("\r\n")
    name = _unquote(raw) if raw.startswith('"') else raw.split("\t", 1)[0].rstrip()
    return None if name == _NULL else name


def _git_names(names: str) -> tuple[str | None, str | None]:
    """Both names of a `diff --git` line, as written. They are equal but for a prefix unless a rename follows, which
    gives them again."""
    if names.startswith('"'):
        quoted = re.findall(r'"(?:[^"\\]|\\.)*"|\S+', names)
        if len(quoted) == 2:
            return _unquote(quoted[0]), _unquote(quoted[1])
    for space in re.finditer(" ", names):
        old, new = names[: space.start()], names[space.end() :]
        if old == new or (_stripped(old) == _stripped(new) and "/" in old and "/" in new):
            return old, new
    half = len(names) // 2
    return names[:half], names[half + 1 :]


def _bare(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Names without the prefixes that git and `diff` write: `a/` and `b/`, those of diff.mnemonicPrefix, any two that
    differ where the rest does not, in either order. Both keep theirs where one has none."""
    names = [name for name in (old, new) if name is not None]
    firsts = [name.partition("/")[0] for name in names if "/" in name]
    if len(firsts) < len(names):
        return old, new
    differ = len(names) == 2 and firsts[0] != firsts[1]
    same_rest = differ and _stripped(names[0]) == _stripped(names[1])
    usual = all(first in _PREFIXES for first in firsts) and (differ or len(names) == 1)
    return (_stripped(old), _stripped(new)) if same_rest or usual else (old, new)


def _stripped(name: str | None) -> str | None:
    return None if name is None else name.partition("/")[2] or name


def _unquote(name: str) -> str:
    """Undo git's C-like quoting: octal bytes are UTF-8."""
    if not (name.startswith('"') and name.rstrip().endswith('"') and len(name) > 1):
        return name
    inner = name.rstrip()[1:-1].encode("utf-8", "surrogateescape")

    def byte(match: re.Match[bytes]) -> bytes:
        code = match[1].decode("ascii")
        return bytes([_ESCAPES[code] if code in _ESCAPES else int(code, 8) & 255])

    return _QUOTED.sub(byte, inner).decode("utf-8", "surrogateescape")
