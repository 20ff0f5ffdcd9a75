"""A repository whose `.git` names programs: none is run, whatever is reviewed of it, and nothing is hidden by it.

Each trap is first shown to go off when git is used as anybody would use it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from critic_doubles import Says, notebook, on_word

from momus.errors import MomusError
from momus.git import git as guarded
from momus.review.config import Config
from momus.review.finding import Report
from momus.review.plan import Asked, plan
from momus.review.run import conduct

WAYS: tuple[dict[str, object], ...] = ({}, {"diff": "main"}, {"staged": True})


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, stdin=subprocess.DEVNULL, check=check
    )
    return done.stdout.decode()


def reviewed(folder: Path, *paths: str, **asked: object) -> Report:
    config = Config(options={"cache": False}, isolated=True)
    jobs = plan(Asked(tuple(map(Path, paths)), **asked), config, folder)  # type: ignore[arg-type]
    return conduct(jobs, config.near(folder), folder, critic=Says(on_word("bad")))


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as a user has it who set a name and trusts everything here."""
    settings = tmp_path / "user.gitconfig"
    settings.write_text("[user]\nname = a\nemail = a@example.org\n[safe]\ndirectory = *\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("GIT_INDEX_FILE", raising=False)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a commit on main, one beside it that is staged, and work in hand."""
    root = tmp_path_factory.mktemp("template") / "repo"
    root.mkdir()
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text("good = 1\n")
    (root / "b.py").write_text("good = 2\n")
    (root / "n.ipynb").write_bytes(notebook("good = 3\n"))
    git(root, "add", ".")
    git(root, *who, "commit", "-qm1")
    git(root, "checkout", "-qb", "work")
    (root / "a.py").write_text("bad = 1\n")
    (root / "n.ipynb").write_bytes(notebook("bad = 3\n"))
    git(root, "add", ".")
    (root / "b.py").write_text("bad = 2\n")
    return root


@dataclass(frozen=True)
class Trap:
    """Something in a repository that makes a file, `mark`; and a use of git that springs it."""

    name: str
    plant: Callable[[Path, str], None]
    springs: tuple[str, ...] = ("diff",)


def setting(key: str, value: str) -> Callable[[Path, str], None]:
    return lambda root, mark: (git(root, "config", key, value.format(mark=mark)), None)[1]


def attribute(line: str, **settings: str) -> Callable[[Path, str], None]:
    def plant(root: Path, mark: str) -> None:
        (root / ".gitattributes").write_text(line + "\n")
        for key, value in settings.items():
            git(root, "config", key.replace("__", "."), value.format(mark=mark))

    return plant


def script(path: Path, mark: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch {mark}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def odd_filter(root: Path, mark: str) -> None:
    (root / ".git" / "info").mkdir(exist_ok=True)
    (root / ".git" / "info" / "attributes").write_text("*.py filter=a=b.c\n")
    git(root, "config", "filter.a=b.c.clean", f"touch {mark}; cat")


def hook(root: Path, mark: str) -> None:
    script(root / ".git" / "hooks" / "post-index-change", mark)


def hooks_elsewhere(root: Path, mark: str) -> None:
    script(root / "tools" / "post-index-change", mark)
    git(root, "config", "core.hooksPath", "tools")


def included(root: Path, mark: str) -> None:
    (root / "more.cfg").write_text(f'[filter "evil"]\nclean = "touch {mark}; cat"\n')
    (root / ".gitattributes").write_text("*.py filter=evil\n")
    git(root, "config", "include.path", "../more.cfg")


def promised(**settings: str) -> Callable[[Path, str], None]:
    """A partial clone that lacks what main had of a notebook and of a file, and says where to fetch it."""

    def plant(root: Path, mark: str) -> None:
        for name in ("main:n.ipynb", "main:b.py"):
            object_id = git(root, "rev-parse", name).strip()
            (root / ".git" / "objects" / object_id[:2] / object_id[2:]).unlink()
        git(root, "config", "core.repositoryFormatVersion", "1")
        git(root, "config", "extensions.partialClone", "origin")
        git(root, "config", "remote.origin.promisor", "true")
        for key, value in settings.items():
            git(root, "config", key.replace("__", "."), value.format(mark=mark))

    return plant


def submodule(root: Path, mark: str) -> None:
    inner = root / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "c.py").write_text("bad = 4\n")
    git(inner, "add", ".")
    git(inner, "commit", "-qm1")
    git(root, "add", "inner")
    git(inner, "config", "core.fsmonitor", f"touch {mark};true")


def bare_within(root: Path, mark: str) -> None:
    """A folder that looks like a bare repository: whoever opens a pull request can add one."""
    git(root, "init", "-q", "--bare", "data")
    git(root / "data", "config", "core.bare", "false")
    git(root / "data", "config", "core.worktree", str(root / "data"))
    git(root / "data", "config", "core.fsmonitor", f"touch {mark};true")
    (root / "data" / "info" / "exclude").write_text("*.py\n")
    (root / "data" / "d.py").write_text("bad = 5\n")


LOST = ("cat-file", "-p", "main:n.ipynb")
TRAPS = (
    Trap("clean filter", attribute("*.py filter=evil", filter__evil__clean="touch {mark}; cat")),
    Trap(
        "required filter that fails",
        attribute("*.py filter=evil", filter__evil__clean="touch {mark}; false", filter__evil__required="true"),
    ),
    Trap("process filter", attribute("*.py filter=evil", filter__evil__process="touch {mark}")),
    Trap("filter of an odd name", odd_filter),
    Trap("hook", hook, ("update-index", "--refresh")),
    Trap("hooks elsewhere", hooks_elsewhere, ("update-index", "--refresh")),
    Trap("file watcher", setting("core.fsmonitor", "touch {mark};true")),
    Trap("external diff", setting("diff.external", "touch {mark};true")),
    Trap("diff driver", attribute("*.py diff=evil", diff__evil__command="touch {mark};true")),
    Trap("text conversion", attribute("*.py diff=evil", diff__evil__textconv="touch {mark};cat")),
    Trap("included settings", included),
    Trap(
        "fetch by ssh",
        promised(remote__origin__url="ssh://example.invalid/x", core__sshCommand="touch {mark};false"),
        LOST,
    ),
    Trap(
        "fetch by upload-pack",
        promised(remote__origin__url=".", remote__origin__uploadpack="touch {mark};false"),
        LOST,
    ),
    Trap(
        "fetch by ext",
        promised(remote__origin__url="ext::sh -c touch% {mark}", protocol__ext__allow="always"),
        LOST,
    ),
    Trap("submodule", submodule, ("status",)),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_no_program_that_a_repository_names_is_run(template: Path, tmp_path: Path, trap: Trap) -> None:
    mark = tmp_path / "ran"
    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    trap.plant(root, str(mark))
    mark.unlink(missing_ok=True)
    plain = tmp_path / "plain"
    shutil.copytree(root, plain, symlinks=True)
    git(plain, *trap.springs, check=False)
    assert mark.exists(), "the trap does not work"
    mark.unlink()
    for way in WAYS:
        try:
            report = reviewed(root, **way)
        except MomusError as error:  # what was promised is not there, and is not fetched
            assert trap.springs == LOST and way and "Traceback" not in str(error)
            continue
        finally:
            assert not mark.exists(), way
        assert {finding.path for finding in report} >= {"a.py", "n.ipynb"}, way


@pytest.mark.parametrize("trap", (*TRAPS[:3], TRAPS[4], TRAPS[6], TRAPS[7], TRAPS[11]), ids=lambda trap: trap.name)
def test_the_guard_is_what_holds(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: Trap) -> None:
    """Without its settings the same calls of git spring the traps."""
    mark = tmp_path / "ran"
    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    trap.plant(root, str(mark))
    mark.unlink(missing_ok=True)
    monkeypatch.setattr("momus.git._SETTINGS", {})
    monkeypatch.setattr("momus.git._SET", {})
    monkeypatch.setattr("momus.git._filters", lambda folder: {})
    with contextlib.suppress(MomusError):
        guarded(root, *trap.springs)
    assert mark.exists()


def test_a_folder_that_looks_like_a_bare_repository_is_read_as_part_of_its_own(template: Path, tmp_path: Path) -> None:
    root, mark = tmp_path / "repo", tmp_path / "ran"
    shutil.copytree(template, root, symlinks=True)
    bare_within(root, str(mark))
    git(root / "data", "status", check=False)
    assert mark.exists(), "the trap does not work"
    mark.unlink()
    assert [finding.path for finding in reviewed(root, "data")] == ["data/d.py"]
    assert [finding.path for finding in reviewed(root / "data")] == ["d.py"]
    assert [finding.path for finding in reviewed(root / "data", diff="main")] == ["d.py"]
    assert not mark.exists()


def as_assumed(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", "b.py")


def as_sparse(root: Path) -> None:
    git(root, "update-index", "--skip-worktree", "b.py")


def as_seen(root: Path) -> None:
    """The index says that it has seen the file as it is now: of another commit, the size and the time are the same."""
    path = root / "b.py"
    for key, value in (("core.trustctime", "false"), ("core.checkStat", "minimal")):
        git(root, "config", key, value)
    path.write_text("god = 22\n")
    os.utime(path, (1e9, 1e9))
    git(root, "add", "b.py")
    git(root, "commit", "-qm2")
    git(root, "branch", "-f", "main")
    path.write_text("bad = 22\n")
    os.utime(path, (1e9, 1e9))


@pytest.mark.parametrize("hide", [as_assumed, as_sparse, as_seen])
def test_what_the_index_says_of_a_file_does_not_hide_its_change(
    template: Path, tmp_path: Path, hide: Callable[[Path], None]
) -> None:
    made, root = tmp_path / "made", tmp_path / "repo"
    shutil.copytree(template, made, symlinks=True)
    hide(made)
    shutil.copytree(made, root, symlinks=True)  # times stay, as they do in an archive
    assert "b.py" not in git(root, "diff", "--name-only"), "it is not hidden"
    before = (root / ".git" / "index").read_bytes()
    assert "b.py" in {finding.path for finding in reviewed(root, diff="main")}
    assert (root / ".git" / "index").read_bytes() == before


def test_an_encoding_that_attributes_give_a_file_does_not_move_its_lines(template: Path, tmp_path: Path) -> None:
    """Git reads it as UTF-7, in which the comment is two lines; Python as it stands there."""
    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    (root / ".gitattributes").write_text("c.py working-tree-encoding=UTF-7\n")
    (root / "c.py").write_text("# 1\nfix()\ngood = 1\n\n\ndef f():\n    return 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm2")
    git(root, "branch", "-f", "main")
    (root / "c.py").write_text("# 1+AAo-fix()\ngood = 1\n\n\ndef f():\n    return bad\n")
    found = [finding.path for finding in reviewed(root, diff="main")]
    assert "c.py" in found


def test_a_submodule_that_changed_is_said_to_be_passed_by(template: Path, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    submodule(root, str(tmp_path / "ran"))
    for way in ({"diff": "main"}, {"staged": True}):
        report = reviewed(root, **way)
        assert [(left.path, left.why) for left in report.left_out] == [("inner", "repository")], way
        assert "inner/c.py" not in {finding.path for finding in report}
    assert "inner/c.py" in {finding.path for finding in reviewed(root)}


def test_git_is_never_a_program_of_the_reviewed_folder(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, mark = tmp_path / "repo", tmp_path / "ran"
    shutil.copytree(template, root, symlinks=True)
    script(root / "git", str(mark))
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    subprocess.run(["git", "status"], check=False)
    assert mark.exists(), "the trap does not work"
    mark.unlink()
    assert "b.py" in {finding.path for finding in reviewed(root, diff="main")}
    assert not mark.exists()


def test_a_repository_that_keeps_its_files_elsewhere_is_a_sentence(template: Path, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    git(root, "config", "core.worktree", str(tmp_path))
    for way in ({"diff": "main"}, {"staged": True}):
        with pytest.raises(MomusError, match="keeps its files elsewhere"):
            reviewed(root, **way)
