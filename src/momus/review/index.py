"""What git's index and attributes say of files that would keep a diff from showing them as they are.

An entry may be marked so that git takes its file for unchanged without a look (`assume-unchanged`, `skip-worktree`),
and `working-tree-encoding` has git read other lines in a file than Python does.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from momus.git import git
from momus.review.files import is_python

_SKIPPED = "S"  # how `git ls-files -v` marks skip-worktree; assume-unchanged makes the letter a small one
_NO_ENCODING = frozenset(("unspecified", "unset", "set", "UTF-8", "utf-8"))


@contextmanager
def as_on_disk(root: Path) -> Iterator[Path | None]:
    """An index for a diff of the working tree: a copy without the marks of files that are there; None where there are
    no marks and the repository's own will do. Raises GitError, MomusError."""
    listed = git(root, "ls-files", "-v", "-z").decode("utf-8", "surrogateescape").split("\0")
    marked = [entry[2:] for entry in listed if entry and (entry[0].islower() or entry[0] == _SKIPPED)]
    marked = [name for name in marked if os.path.lexists(root / name)]
    if not marked:
        yield None
        return
    own = git(root, "rev-parse", "--git-path", "index").decode("utf-8", "surrogateescape").rstrip("\n")
    with tempfile.TemporaryDirectory(prefix="momus-") as folder:
        copy = Path(folder, "index")
        shutil.copyfile(root / own, copy)
        names = "".join(f"{name}\0" for name in marked).encode("utf-8", "surrogateescape")
        for option in ("--no-assume-unchanged", "--no-skip-worktree"):
            git(root, "update-index", option, "-z", "--stdin", given=names, index=copy)
        yield copy


def recoded(root: Path) -> set[str]:
    """Python files of the working tree whose lines git counts in another encoding. Raises GitError, MomusError."""
    listed = git(root, "ls-files", "-z").decode("utf-8", "surrogateescape").split("\0")
    names = [name for name in dict.fromkeys(listed) if is_python(name) and os.path.lexists(root / name)]
    given = "".join(f"{name}\0" for name in names).encode("utf-8", "surrogateescape")
    said = git(root, "check-attr", "-z", "--stdin", "working-tree-encoding", given=given)
    fields = said.decode("utf-8", "surrogateescape").split("\0")
    return {name for name, value in zip(fields[::3], fields[2::3], strict=False) if value not in _NO_ENCODING}
