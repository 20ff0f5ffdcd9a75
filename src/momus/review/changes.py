"""What a diff changed: against a commit, in git's index, or in a patch file. Findings are for the units it touched."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from momus.critique import Span
from momus.errors import MomusError
from momus.review.files import is_python
from momus.review.patch import FilePatch, apply, fits, parse_patch
from momus.review.source import Source

_BARE_CR = re.compile(r"\r(?!\n)")  # ends a line for Python, not for git


@dataclass(frozen=True, slots=True)
class Changed:
    """A file of a diff: where it is, what of it is new, and its contents where they are not the file's on disk."""

    path: Path  # absolute
    lines: frozenset[int] | None = None  # 1-based, ends at "\n" as git counts; None: all of them
    added: tuple[str, ...] = ()  # the new lines, for notebooks, whose lines are not the text's
    data: bytes | None = None
    error: str | None = None

    def touched(self, source: Source) -> set[int] | None:
        """Lines of the source that the diff touched; None for all."""
        if self.lines is None:
            return None
        if source.cells:
            return _notebook_lines(self.added, source)
        if not _BARE_CR.search(source.text):
            return set(self.lines)
        starts = [0, *(match.end() for match in re.finditer("\n", source.text)), len(source.text)]
        touched: set[int] = set()
        for line in self.lines:
            if line < len(starts) and starts[line - 1] < starts[line]:
                touched |= set(source.map.lines(Span(starts[line - 1], starts[line])))
        return touched


def against(ref: str, paths: Sequence[Path]) -> list[Changed]:
    """What the working tree has new since it left `ref`, files not yet added included. Raises MomusError."""
    if ref.startswith("-") or not ref:
        raise MomusError(f"{ref!r} is no commit or branch: give one to --diff")
    root = repository(paths)
    try:
        text = _diff(root, "--merge-base", ref)
    except _GitError as error:
        raise MomusError(f"cannot diff against {ref!r}: {error}") from None
    changed = [_of_tree(root, patch) for patch in parse_patch(text) if _wanted(patch)]
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z").decode("utf-8", "surrogateescape")
    changed += [Changed(root / name) for name in untracked.split("\0") if is_python(name)]
    return _within(changed, paths)


def staged(paths: Sequence[Path]) -> list[Changed]:
    """What is in git's index and not in the last commit, as it stands in the index. Raises MomusError."""
    root = repository(paths)
    try:
        patches = [patch for patch in parse_patch(_diff(root, "--cached")) if _wanted(patch)]
        names = [patch.new_path or "" for patch in patches]
        contents = _indexed(root, names)
    except _GitError as error:
        raise MomusError(f"cannot read what is staged: {error}") from None
    changed = [
        Changed(root / name, frozenset(patch.changed()), tuple(patch.added_lines()), data)
        for patch, name, data in zip(patches, names, contents, strict=True)
    ]
    return _within(changed, paths)


def of_patch(text: str, paths: Sequence[Path], folder: Path) -> list[Changed]:
    """What a patch changes, applied already or not. Its names are from the repository's root, or from `folder`."""
    patches = [patch for patch in parse_patch(text) if _wanted(patch)]
    try:
        root = repository([folder])
    except MomusError:
        root = folder
    if root != folder and not any((root / (p.old_path or p.new_path or "")).exists() for p in patches):
        root = folder
    return _within([_patched(root, patch) for patch in patches], paths)


def repository(paths: Sequence[Path]) -> Path:
    """The root of the git repository that the first path, or this folder, is in. Raises MomusError outside one."""
    start = Path(os.path.abspath(paths[0])) if paths else Path.cwd()  # noqa: PTH100 -- a link keeps its name
    for place in (start, *start.parents):
        if (place / ".git").exists():
            return place
    raise MomusError(f"{start} is in no git repository: --diff and --staged need one")


class _GitError(Exception):
    """Git's own sentence."""


def _diff(root: Path, *which: str) -> str:
    """A diff without context, whatever the repository's settings say; no program that they name is run."""
    options = ("--no-color", "--no-ext-diff", "--no-textconv", "--unified=0", "--inter-hunk-context=0", "-M")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=all", "--diff-algorithm=histogram")
    return _git(root, "diff", *options, *prefixes, *which, "--").decode("utf-8", "surrogateescape")


def _git(root: Path, *arguments: str, given: bytes | None = None) -> bytes:
    safe = ("-c", "core.quotePath=false", "-c", "core.fsmonitor=false", "-c", "diff.relative=false")
    command = ["git", "-C", str(root), *safe, *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise MomusError("git is not installed: --diff and --staged need it") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _GitError(lines[0].removeprefix("fatal: ") if lines else f"git ended with {done.returncode}")
    return done.stdout


def _indexed(root: Path, names: Sequence[str]) -> list[bytes]:
    """The contents of files in the index, in one call. Names with line ends cannot be asked for that way."""
    if not names:
        return []
    asked = "".join(f":{name}\n" for name in names).encode("utf-8", "surrogateescape")
    answer = _git(root, "cat-file", "--batch", given=asked)
    contents: list[bytes] = []
    at = 0
    for name in names:
        end = answer.index(b"\n", at)
        head = answer[at:end].rsplit(b" ", 2)
        if len(head) != 3 or head[1] != b"blob":
            raise _GitError(f"{name} cannot be read from the index")
        size = int(head[2])
        contents.append(answer[end + 1 : end + 1 + size])
        at = end + size + 2
    return contents


def _wanted(patch: FilePatch) -> bool:
    return patch.new_path is not None and not patch.binary and bool(patch.hunks) and is_python(patch.new_path)


def _of_tree(root: Path, patch: FilePatch) -> Changed:
    return Changed(root / (patch.new_path or ""), frozenset(patch.changed()), tuple(patch.added_lines()))


def _patched(root: Path, patch: FilePatch) -> Changed:
    path = Path(os.path.normpath(root / (patch.new_path or "")))
    if not path.is_relative_to(root):
        return Changed(path, error="the patch leads out of this folder: only files within it are reviewed")
    lines, added = frozenset(patch.changed()), tuple(patch.added_lines())
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else None
        if text is not None and fits(text, patch, "new"):
            return Changed(path, lines, added)
        if patch.old_path is None:
            before: str | None = "" if text is None else None
        else:
            old = Path(os.path.normpath(root / patch.old_path))
            inside = old.is_relative_to(root) and old.is_file()
            before = old.read_bytes().decode("utf-8", "surrogateescape") if inside else None
    except OSError as error:
        return Changed(path, error=f"cannot be read: {error.strerror or error}")
    if before is None or not fits(before, patch, "old"):
        what = "there is no such file" if before is None and text is None else "neither side of it stands in the file"
        return Changed(path, error=f"the patch does not fit: {what}; update the patch or the working tree")
    return Changed(path, lines, added, apply(before, patch).encode("utf-8", "surrogateescape"))


def _within(changed: list[Changed], paths: Sequence[Path]) -> list[Changed]:
    """Those under the paths asked for; all where none were."""
    wanted = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 -- a link keeps its name
    return sorted(
        (one for one in changed if not wanted or any(one.path.is_relative_to(path) for path in wanted)),
        key=lambda one: str(one.path),
    )


def _notebook_lines(added: Sequence[str], source: Source) -> set[int]:
    """Lines of cells that are among a diff's new lines, where each stands as a JSON string of its own."""
    new: set[str] = set()
    for line in added:
        try:
            value = json.loads(line.strip().removesuffix(","))
        except ValueError:
            continue
        if isinstance(value, str):
            new |= set(value.splitlines())
    lines = range(1, source.map.line_count + 1)
    return {number for number in lines if source.text[slice(*source.map.line_span(number))] in new}
