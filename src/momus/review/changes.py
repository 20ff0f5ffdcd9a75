"""What a diff changed: against a commit, in git's index, or in a patch file. Findings are for the units it touched."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from momus.critique import Span
from momus.errors import MomusError
from momus.git import GitError, checked, git, repository
from momus.review.cells import new_lines
from momus.review.files import NOTEBOOK, REPOSITORY, is_python
from momus.review.index import as_on_disk, recoded
from momus.review.links import within
from momus.review.patch import FilePatch, apply, fits, parse_patch
from momus.review.source import Source

_BARE_CR = re.compile(r"\r(?!\n)")  # ends a line for Python, not for git
_AT_ONCE = 200  # paths that one command line takes
_LINK = "a link: what it leads to is reviewed under its own name"


@dataclass(frozen=True, slots=True)
class Changed:
    """A file of a diff: where it is, what of it is new, and its contents where they are not the file's on disk."""

    path: Path  # absolute
    lines: frozenset[int] | None = None  # 1-based, ends at "\n" as git counts; None: all of them
    before: bytes | None = None  # a notebook's contents on the other side, whose lines are not the text's
    data: bytes | None = None
    error: str | None = None
    passed: str | None = None  # why it is passed by
    gone: bool = False  # it is not there any more: nothing is left to review

    def touched(self, source: Source) -> set[int] | None:
        """Lines of the source that the diff touched; None for all."""
        if self.lines is None:
            return None
        if source.cells:
            return new_lines(source, self.before)
        if not _BARE_CR.search(source.text):
            return set(self.lines)
        starts = [0, *(match.end() for match in re.finditer("\n", source.text)), len(source.text)]
        touched: set[int] = set()
        for line in self.lines:
            if line < len(starts) and starts[line - 1] < starts[line]:
                touched |= set(source.map.lines(Span(starts[line - 1], starts[line])))
        return touched


def repository_of(path: Path) -> Path:
    """The root of the git repository that a path is in, as git sees it too. Raises MomusError."""
    root = repository(path)
    if root is None:
        raise MomusError(f"{path} is in no git repository: --diff and --staged need one")
    try:
        checked(root)
    except GitError as error:
        raise MomusError(f"cannot read the repository {root}: {error}") from None
    return root


def merge_base(root: Path, ref: str) -> str:
    """The commit at which this branch left `ref`. Raises MomusError, with the remedy where the clone is shallow."""
    if ref.startswith("-") or not ref:
        raise MomusError(f"{ref!r} is no commit or branch: give one to --diff")
    try:
        tip = git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
    except GitError:
        raise MomusError(f"cannot diff against {ref!r}: there is no such commit here{_shallow(root)}") from None
    try:
        return git(root, "merge-base", tip, "HEAD").decode().strip()
    except GitError:
        where = _shallow(root) or ": give a commit that they share"
        raise MomusError(f"cannot diff against {ref!r}: it and HEAD have no commit in common{where}") from None


def against(root: Path, base: str, named: Collection[Path]) -> list[Changed]:
    """What the working tree has new since a commit, files not yet added included. `named` are taken whatever their
    suffix. Raises MomusError."""
    try:
        with as_on_disk(root) as index:
            patches = _diff(root, named, base, index=index)
        whole = recoded(root)
        unmerged = _unmerged(root)
        before = _contents(root, [patch.ids[0] for patch in patches if _is_notebook(patch)])
        listed = git(root, "ls-files", "--others", "--exclude-standard", "-z").decode("utf-8", "surrogateescape")
    except GitError as error:
        raise MomusError(f"cannot diff against {base}: {error}") from None
    changed = [_of_tree(root, patch, before.get(patch.ids[0])) for patch in patches if patch.new_path not in whole]
    changed += [_on_disk(Changed(root / name), root) for name in sorted(whole)]
    for name in filter(None, listed.split("\0")):
        if name.endswith("/"):
            changed.append(Changed(root / name, passed=REPOSITORY))
        elif is_python(name) or root / name in named:
            changed.append(_on_disk(Changed(root / name), root))
    return [_conflicted(one) if one.path in unmerged else one for one in changed]


def staged(root: Path, named: Collection[Path]) -> list[Changed]:
    """What is in git's index and not in the last commit, as it stands in the index. Raises MomusError."""
    try:
        patches = _diff(root, named, "--cached")
        unmerged = _unmerged(root)
        wanted = [patch.ids[1] for patch in patches if _is_code(patch)]
        contents = _contents(root, [*wanted, *(patch.ids[0] for patch in patches if _is_notebook(patch))])
    except GitError as error:
        raise MomusError(f"cannot read what is staged: {error}") from None
    changed: list[Changed] = []
    for patch in patches:
        path = root / (patch.new_path or patch.old_path or "")
        if not _is_code(patch):
            changed.append(_not_code(path, patch))
        elif (data := contents.get(patch.ids[1])) is None:
            changed.append(Changed(path, error="its contents are not in this clone: fetch them with git"))
        else:
            changed.append(Changed(path, frozenset(patch.changed()), contents.get(patch.ids[0]), data))
    seen = {one.path for one in changed}
    return [
        *(one for one in changed if one.path not in unmerged),
        *(_conflicted(Changed(path)) for path in unmerged if path in seen or is_python(path.name) or path in named),
    ]


def of_patch(text: str, folder: Path, named: Collection[Path]) -> list[Changed]:
    """What a patch changes, applied already or not. Its names are from the repository's root, or from `folder`."""
    root = repository(folder) or folder
    patches = [patch for patch in parse_patch(text) if _wanted(patch, root, named)]
    if root != folder and not any((root / name).exists() for p in patches for way in p.names() for name in way if name):
        root = folder
    return [_patched(root, patch) for patch in patches]


def _shallow(root: Path) -> str:
    """What to do about it where a clone does not hold the whole history, or ""."""
    try:
        shallow = git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    except GitError:
        return ""
    return ": this clone is shallow: run 'git fetch --unshallow', or check out with fetch-depth 0" if shallow else ""


def _diff(root: Path, named: Collection[Path], *which: str, index: Path | None = None) -> list[FilePatch]:
    """The Python files of a diff without context, whatever the repository's settings and attributes say of them."""
    shape = ("--no-color", "--no-ext-diff", "--no-textconv", "--unified=0", "--inter-hunk-context=0", "--full-index")
    entries = ("-M", "--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=dirty", "--submodule=short")

    def run(*more: str) -> list[FilePatch]:
        data = git(root, "diff", *shape, *entries, "--diff-algorithm=histogram", *more, index=index)
        text = data.decode("utf-8", "surrogateescape")
        lines = text.splitlines(keepends=True) if "* Unmerged path " in text else []
        text = "".join(line for line in lines if not line.startswith("* Unmerged path ")) if lines else text
        return [patch for patch in parse_patch(text) if _wanted(patch, root, named)]

    patches = run(*which, "--")
    binary = [patch for patch in patches if patch.binary]  # or said to be, by an attribute
    names = [name for patch in binary for name in (patch.old_path, patch.new_path) if name is not None]
    names = list(dict.fromkeys(names))
    again = [run("--text", *which, "--", *names[at : at + _AT_ONCE]) for at in range(0, len(names), _AT_ONCE)]
    return [*(patch for patch in patches if not patch.binary), *(patch for found in again for patch in found)]


def _contents(root: Path, ids: Iterable[str]) -> dict[str, bytes]:
    """Contents by their ids, in one call; what the clone does not hold is not among them."""
    wanted = list(dict.fromkeys(one for one in ids if one.strip("0")))
    if not wanted:
        return {}
    answer = git(root, "cat-file", "--batch", given="".join(f"{one}\n" for one in wanted).encode())
    found: dict[str, bytes] = {}
    at = 0
    for one in wanted:
        end = answer.index(b"\n", at)
        head = answer[at:end].split()
        at = end + 1
        if len(head) == 3:
            size = int(head[2])
            found[one] = answer[at : at + size]
            at += size + 1
    return found


def _unmerged(root: Path) -> set[Path]:
    listed = git(root, "ls-files", "--unmerged", "-z").decode("utf-8", "surrogateescape")
    return {root / entry.partition("\t")[2] for entry in listed.split("\0") if entry}


def _wanted(patch: FilePatch, root: Path, named: Collection[Path]) -> bool:
    name = patch.new_path or patch.old_path or ""
    if patch.repository:
        return True
    if not (is_python(name) or root / name in named):
        return False
    return bool(patch.hunks) or patch.binary or patch.new_path is None or patch.old_path is None


def _is_notebook(patch: FilePatch) -> bool:
    return bool(patch.new_path and patch.new_path.endswith(NOTEBOOK) and patch.old_path)


def _is_code(patch: FilePatch) -> bool:
    return patch.new_path is not None and not (patch.link or patch.repository)


def _not_code(path: Path, patch: FilePatch) -> Changed:
    if patch.new_path is None:
        return Changed(path, gone=True)
    return Changed(path, passed=REPOSITORY if patch.repository else _LINK)


def _conflicted(one: Changed) -> Changed:
    return Changed(one.path, error="it is in the middle of a merge: resolve the conflict and add it")


def _of_tree(root: Path, patch: FilePatch, before: bytes | None) -> Changed:
    path = root / (patch.new_path or patch.old_path or "")
    if not _is_code(patch):
        return _not_code(path, patch)
    return _on_disk(Changed(path, frozenset(patch.changed()), before), root)


def _on_disk(one: Changed, root: Path) -> Changed:
    """A change whose new side is the file itself, which must be no link and lie where its name says."""
    if one.path.is_symlink():
        return Changed(one.path, passed=_LINK)
    return one if within(one.path, root) else Changed(one.path, error="it lies outside of the repository by a link")


def _patched(root: Path, patch: FilePatch) -> Changed:
    """Where a file of a patch is, by the first of its possible names that fits, and what the patch makes of it."""
    tried = [_tried(root, replace(patch, old_path=old, new_path=new)) for old, new in patch.names()]
    fitting = [one for one in tried if one.error is None]
    there = [one for one in tried if one.path.exists()]
    return next(iter([*fitting, *there, *tried]))


def _tried(root: Path, patch: FilePatch) -> Changed:
    path = Path(os.path.normpath(root / (patch.new_path or patch.old_path or "")))
    if not path.is_relative_to(root) or not within(path.parent, root):
        return Changed(path, error="the patch leads out of this folder: only files within it are reviewed")
    if path.is_symlink():
        return Changed(path, passed=_LINK) if patch.new_path is not None else Changed(path, gone=True)
    if not _is_code(patch):
        return _not_code(path, patch)
    if patch.binary:
        return Changed(path, error="the patch only says that it is binary: write the patch with 'git diff --text'")
    lines = frozenset(patch.changed())
    try:
        text = _text(path)
        if text is not None and fits(text, patch, "new"):
            return Changed(path, lines, _before(text, patch))
        if patch.old_path is None:
            before: str | None = "" if text is None else None
        else:
            old = Path(os.path.normpath(root / patch.old_path))
            before = _text(old) if old.is_relative_to(root) and within(old, root) else None
    except OSError as error:
        return Changed(path, error=f"cannot be read: {error.strerror or error}")
    if before is None or not fits(before, patch, "old"):
        what = "there is no such file" if before is None and text is None else "neither side of it stands in the file"
        return Changed(path, error=f"the patch does not fit: {what}; update the patch or the working tree")
    after = apply(before, patch).encode("utf-8", "surrogateescape")
    return Changed(path, lines, before.encode("utf-8", "surrogateescape") if patch.old_path else None, after)


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else None


def _before(text: str, patch: FilePatch) -> bytes | None:
    """What a file was before a patch that stands in it; only of notebooks is it asked for."""
    if not _is_notebook(patch):
        return None
    return apply(text, patch.reversed()).encode("utf-8", "surrogateescape")


def under(changed: Iterable[Changed], paths: Sequence[Path]) -> Iterator[Changed]:
    """Those under the paths asked for, links among these followed; all where none were."""
    wanted = [(path, Path(os.path.realpath(path))) for path in paths]
    for one in changed:
        real = Path(os.path.realpath(one.path.parent)) / one.path.name
        if not wanted or any(one.path.is_relative_to(name) or real.is_relative_to(to) for name, to in wanted):
            yield one
