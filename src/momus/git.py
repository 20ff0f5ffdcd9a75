"""The one way to git: nothing that a repository's own settings name is run, fetched, or waited for.

`.git/config`, hooks and attributes belong to whoever wrote the repository. Hooks are looked for nowhere, no protocol is
allowed (so that a promised object is missed, not fetched), the commands of filters are emptied by their names, and
there is no pager, external diff, file watcher, credential prompt or lock. A folder that looks like a repository without
being one's `.git` is none, and files are looked at, whatever an index claims to have seen of them. What a user set for
git itself (`GIT_CONFIG_GLOBAL`, `safe.directory` and the like) holds.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from momus.errors import MomusError
from momus.folders import program

# Of git's own variables, those by which a user says how git is to find and trust repositories.
_KEPT = frozenset(
    (
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CEILING_DIRECTORIES",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
    )
)
_SET = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_PAGER": "cat",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "",
}
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.pager": "cat",
    "core.quotePath": "false",
    "core.sshCommand": "",
    "core.askPass": "",
    "core.checkStat": "default",
    "core.splitIndex": "false",
    "core.trustctime": "true",
    "credential.helper": "",
    "diff.autoRefreshIndex": "false",
    "diff.external": "",
    "diff.relative": "false",
    "fetch.bundleURI": "",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
_FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"


class GitError(MomusError):
    """Git's own sentence on why it did not do it, with the remedy where git knows one."""


def git(folder: Path, *arguments: str, given: bytes | None = None, index: Path | None = None) -> bytes:
    """What git prints, run in a folder on the settings above, and on another index than the repository's where one is
    given. Raises GitError, MomusError where there is no git."""
    environment = _environment(folder, _filters(folder))
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    return _run(folder, arguments, environment, given)


def repository(path: Path) -> Path | None:
    """The folder above a path, or itself, that holds a `.git`: the root of the repository that the *name* is in."""
    start = Path(os.path.abspath(path))  # noqa: PTH100 -- a link keeps its name
    return next((place for place in (start, *start.parents) if os.path.lexists(place / ".git")), None)


def checked(root: Path) -> None:
    """See that git takes a folder for the root of a repository, as `repository` found it.

    Raises GitError where it refuses to, and where the repository's settings put its files elsewhere.
    """
    said = git(root, "rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").rstrip("\n")
    if not said or not Path(said).exists() or not Path(said).samefile(root):
        raise GitError(f"the repository {root} keeps its files elsewhere ({said or 'it is bare'}): review that folder")


def commit(folder: Path | None = None) -> str | None:
    """The commit that a folder, by default the current one, stands at; None outside a repository or without git."""
    try:
        return git(folder or Path(), "rev-parse", "--verify", "HEAD").decode().strip() or None
    except MomusError:
        return None


def _filters(folder: Path) -> dict[str, str]:
    """Settings that empty every filter's commands, by its name. Reading settings runs nothing."""
    try:
        listed = _run(folder, ("config", "--null", "--name-only", "--get-regexp", _FILTERS), _environment(folder, {}))
    except GitError:  # none; or no repository, which the command itself will say
        return {}
    names = {name for name in listed.decode("utf-8", "surrogateescape").split("\0") if name}
    return {name: "false" if name.endswith(".required") else "" for name in sorted(names)}


def _environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment that git runs in. Settings go by it, as a name with a `=` could not go by an option."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    index = os.environ.get("GIT_INDEX_FILE")  # a commit hook is run on an index of its own
    root = repository(folder)
    if index is not None and root is not None and Path(index).absolute().is_relative_to(root / ".git"):
        environment["GIT_INDEX_FILE"] = str(Path(index).absolute())
    environment |= _SET
    given = int(os.environ.get("GIT_CONFIG_COUNT") or 0) if os.environ.get("GIT_CONFIG_COUNT", "0").isdigit() else 0
    pairs = [(os.environ.get(f"GIT_CONFIG_KEY_{n}"), os.environ.get(f"GIT_CONFIG_VALUE_{n}")) for n in range(given)]
    chosen = [(key, value) for key, value in pairs if key is not None and value is not None]
    chosen += [*_SETTINGS.items(), *settings.items()]
    environment["GIT_CONFIG_COUNT"] = str(len(chosen))
    for at, (key, value) in enumerate(chosen):
        environment[f"GIT_CONFIG_KEY_{at}"] = key
        environment[f"GIT_CONFIG_VALUE_{at}"] = value
    return environment


def _run(folder: Path, arguments: Sequence[str], environment: dict[str, str], given: bytes | None = None) -> bytes:
    found = program("git")
    if found is None:
        raise MomusError("git is not installed: install it, or name files and folders to review whole")
    command = [found, "--no-pager", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, env=environment, input=given or b"", capture_output=True, check=False)
    except OSError as error:
        raise MomusError(f"git cannot be run: {error.strerror or error}") from None
    if done.returncode:
        raise GitError(_sentence(done.stderr.decode("utf-8", "replace"), done.returncode))
    return done.stdout


def _sentence(said: str, code: int) -> str:
    """The first line that says what is wrong, and the command that git proposes where it does not trust a folder."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[0] if lines else "")
    sentence = first.removeprefix("fatal: ").removeprefix("error: ") or f"git ended with {code}"
    trust = next((line for line in lines if line.startswith("git config --global --add safe.directory")), None)
    return f"{sentence}: if you trust it, run {trust}" if trust else sentence
