"""Settings: from the command line, the environment, the project's files and the user's own, in that order.

Of the files `momus.toml`, and `pyproject.toml` with a `[tool.momus]` table, above a file the nearest that sets a key
decides that key. A project's file may not say where a model is or how to reach it, nor name a file above itself:
whoever opens a pull request writes it.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from momus.critique import CATEGORIES, SEVERITIES
from momus.decode import from_toml
from momus.errors import MomusError
from momus.folders import user_folder
from momus.review.base import Disk, Files

_NO_KEYS = ("origin", "user_file")
FAIL_ON = ("never", *SEVERITIES)
DIAL = (10, 25, 50, 75)  # percentiles, the paper's
_RUNNING = ("examples", "solutions")  # critics that run code, as a name may hold them
# Keys that lead a request, or a secret, somewhere, or say what may be spent. They stay out of repositories even where
# no critic reads them yet.
_PRIVATE = re.compile(r"(?:^|-)(?:base-?url|headers?|keys?|tokens?|secrets?|passwords?|prices|budget)(?:-|$)")
BUDGET = ("budget-tokens", "budget-dollars", "prices")  # what a model on a server may cost
SERVER = "server:"  # what the name of a critic on a server begins with


class ConfigError(MomusError):
    """A setting that is unknown, of the wrong kind, or not allowed where it stands."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set, with the defaults. Keys in files are written with dashes."""

    critic: str = "auto"
    dial: int = 50  # how much a search says: a percentile of what it saw
    max_spurious: float = 0.0  # or: at most so many spurious comments in 10 reviews; 0 for no promise
    budget_tokens: int = -1  # that a model on a server may read and write in one review; -1 for no limit
    budget_dollars: float = -1.0  # or: what it may cost, by `prices`
    prices: str = ""  # dollars for a million tokens read and written: "0.15,0.60"
    depth: str = "normal"  # how much work a unit is worth to a critic that can do more
    fail_on: str = "low"  # the least severity that makes the exit code 1
    min_confidence: float = 0.0  # findings without a confidence are always shown
    max_findings: int = 10  # in one file; 0 for no limit
    output_format: str = "text"
    exclude: tuple[str, ...] = ()  # as in a .gitignore beside the file that says it
    ignore: tuple[str, ...] = ()  # categories that are never shown
    baseline: str = ""  # relative to the file that says it
    cache: bool = True
    run: bool = True  # whether a critic may run code, in the sandbox
    prove: bool = False  # whether evidence is looked for on every comment, not only where inputs are cheap
    project_tests: bool = False  # whether calls that the project's own tests make are inputs for evidence
    gitignore: bool = True
    seed: int = 0
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)  # key -> where its value was set
    user_file: str = field(default="", compare=False)

    def as_dict(self) -> dict[str, object]:
        """Every setting under its written name."""
        return {_written(f.name): _plain(getattr(self, f.name)) for f in fields(self) if f.name not in _NO_KEYS}

    def folder(self, key: str) -> Path | None:
        """The folder of the project's file that set a key; None where none did."""
        place = self.origin.get(key, "")
        return Path(place).parent if place.endswith(".toml") and place != self.user_file else None


class Config:
    """Finds the settings of each file, reading each configuration file once. Raises ConfigError on a bad one."""

    def __init__(
        self,
        *,
        options: Mapping[str, object] | None = None,
        overrides: tuple[str, ...] = (),
        isolated: bool = False,
        environment: Mapping[str, str] = os.environ,
        files: Files | None = None,
    ) -> None:
        self.files = files or Disk()
        self._isolated = isolated
        self._found: dict[Path, Path | None] = {}
        self._settings: dict[Path | None, Settings] = {}
        self._tables: dict[Path, dict[str, object] | None] = {}
        self._base = Settings()
        own = _above({}, {})
        if not isolated:
            user = user_folder("config", environment) / "momus.toml"
            table = _table(user, Disk()) if user.is_file() else None
            self._base = replace(_with(self._base, table or {}, str(user)), user_file=str(user))
            own = _environment(environment)
        own = _above(own, {key: (value, "--config") for key, value in map(_override, overrides)})
        given = {_written(k): (v, f"--{_written(k)}") for k, v in (options or {}).items() if v is not None}
        self._own = _above(own, given)
        _overlay(self._base, self._own)  # complain of a bad option before any work

    def at(self, files: Files) -> Config:
        """The same options on project files that are read from elsewhere."""
        other = copy(self)
        other.files = files
        other._found, other._settings, other._tables = {}, {}, {}
        return other

    def near(self, path: Path) -> Settings:
        """The settings that hold for a file, or for a folder's own files. `path` is absolute."""
        return self._of(self.file_for(path))

    def file_for(self, path: Path) -> Path | None:
        """The nearest file of settings above a path, or None."""
        if self._isolated:
            return None
        folder = path if path.is_dir() else path.parent
        visited: list[Path] = []
        found: Path | None = None
        for place in (folder, *folder.parents):
            if place in self._found:
                found = self._found[place]
                break
            visited.append(place)
            found = self._file_in(place)
            if found is not None:
                break
        self._found.update(dict.fromkeys(visited, found))
        return found

    def _of(self, file: Path | None) -> Settings:
        return _overlay(self._from(file), self._own)

    def _from(self, file: Path | None) -> Settings:
        """What a file and those above it say, on the user's own."""
        if file is None:
            return self._base
        if file not in self._settings:
            table = self._table_of(file) or {}
            _refuse_private(table, file)
            self._settings[file] = _with(self._from(self._next(file)), table, str(file))
        return self._settings[file]

    def _next(self, file: Path) -> Path | None:
        """The file that decides what one says nothing of: the other one of its folder, then those above."""
        project = file.parent / "pyproject.toml"
        if file != project and self.files.holds(project) and self._table_of(project) is not None:
            return project
        return self.file_for(file.parent.parent) if file.parent != file.parent.parent else None

    def _file_in(self, folder: Path) -> Path | None:
        own, project = folder / "momus.toml", folder / "pyproject.toml"
        if self.files.holds(own):
            return own
        return project if self.files.holds(project) and self._table_of(project) is not None else None

    def _table_of(self, file: Path) -> dict[str, object] | None:
        if file not in self._tables:
            self._tables[file] = _table(file, self.files)
        return self._tables[file]


_Own = dict[str, tuple[object, str]]  # written key -> (value, where it was set)


def _above(under: _Own, over: _Own) -> _Own:
    return {**under, **over}


def _environment(environment: Mapping[str, str]) -> _Own:
    found: _Own = {}
    for key in _READERS:
        name = f"MOMUS_{key.replace('-', '_').upper()}"
        if environment.get(name):
            found[key] = (_from_text(key, environment[name], name), name)
    return found


def _override(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals:
        raise ConfigError(f"--config takes KEY=VALUE, not {text!r}")
    _known(key, "--config")
    return key, _from_text(key, value.strip(), "--config")


def _from_text(key: str, text: str, where: str) -> object:
    """A value written without TOML's quotes: what does not read as TOML is a string, or a list split at commas."""
    try:
        value: object = from_toml(f"value = {text}")["value"]
    except ValueError:
        value = text.strip("\"'")
    if key in ("exclude", "ignore") and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return value if not isinstance(Settings.__dataclass_fields__[_field(key)].default, str) else str(value)


def _with(base: Settings, table: Mapping[str, object], where: str) -> Settings:
    return _overlay(base, {key: (value, where) for key, value in table.items()})


def _overlay(base: Settings, own: _Own) -> Settings:
    changes: dict[str, Any] = {}
    origin = dict(base.origin)
    for key, (value, where) in own.items():
        _known(key, where)
        changes[_field(key)] = _READERS[key](key, value, where)
        origin[key] = where
    return replace(base, **changes, origin=origin)


def _known(key: str, where: str) -> None:
    if key in _READERS:
        return
    near = difflib.get_close_matches(key.replace("_", "-"), _READERS, n=1, cutoff=0.5)
    mend = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(_READERS))}"
    raise ConfigError(f"unknown setting {key!r} in {where}: {mend}")


def _table(path: Path, files: Files) -> dict[str, object] | None:
    """The settings in a file; None for a pyproject.toml without ours."""
    try:
        data = files.read(path)
        if path.name == "pyproject.toml":
            if b"momus" not in data:  # most projects': spare the parser
                return None
            tool = from_toml(data.decode("utf-8-sig")).get("tool")
            table = tool.get("momus") if isinstance(tool, dict) else None
        else:
            table = from_toml(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"[tool.momus] in {path} must be a table")
    return table


def _refuse_private(table: Mapping[str, object], path: Path) -> None:
    for key in table:
        if key in BUDGET and table[key] == Settings.__dataclass_fields__[_field(key)].default:
            continue
        if _PRIVATE.search(_written(key).lower()):
            raise ConfigError(
                f"{path} may not set {key!r}: a repository's file could send your code or key elsewhere, or spend your "
                "money; "
                f"set it in {user_folder('config') / 'momus.toml'} or on the command line"
            )
    for key in ("run", "prove", "project-tests"):
        if table.get(key) is True or table.get(_field(key)) is True:
            raise ConfigError(
                f"{path} may not set {key!r} to true: a repository's file can turn the running of code off, never on; "
                f"leave it out, or use --config {key}=true"
            )
    critic = table.get("critic")
    runs = [name for name in _RUNNING if isinstance(critic, str) and name in critic.lower()]
    if runs:
        raise ConfigError(
            f"{path} may not choose the critic {runs[0]!r}, which runs code: a repository's file can turn running off, "
            "never on; use --critic or MOMUS_CRITIC"
        )
    if isinstance(critic, str) and any(sign in critic.lower() for sign in ("server:", "local:", "://")):
        raise ConfigError(
            f"{path} may not choose the critic {critic!r}: a repository's file could send your code elsewhere or load "
            "a model of its own; use --critic or MOMUS_CRITIC"
        )
    named = table.get("baseline")
    if isinstance(named, str) and (Path(named).is_absolute() or os.path.normpath(named).startswith("..")):
        raise ConfigError(f"{path} may not name the baseline {named!r}: only a file beside or below {path.parent}")


def _bad(key: str, wanted: str, value: object, where: str) -> ConfigError:
    return ConfigError(f"{key!r} in {where} takes {wanted}, not {value!r}")


def _text(key: str, value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _bad(key, "a text", value, where)
    return value


def _truth(key: str, value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise _bad(key, "true or false", value, where)
    return value


def _count(key: str, value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _bad(key, "a whole number from 0", value, where)
    return value


def _limit(key: str, value: object, where: str) -> int | float:
    """A number from 0; -1 for none."""
    if value == -1 and not isinstance(value, bool):
        return -1
    return _count(key, value, where) if key == "budget-tokens" else _amount(key, value, where)


def _share(key: str, value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise _bad(key, "a number from 0 to 1", value, where)
    return float(value)


def _amount(key: str, value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise _bad(key, "a number from 0", value, where)
    return float(value)


def _percentile(key: str, value: object, where: str) -> int:
    if isinstance(value, bool) or value not in DIAL:
        raise _bad(key, f"one of {', '.join(map(str, DIAL))}", value, where)
    return int(value)


def _texts(key: str, value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise _bad(key, "a list of texts", value, where)
    return tuple(value)


def _categories(key: str, value: object, where: str) -> tuple[str, ...]:
    chosen = _texts(key, value, where)
    for name in chosen:
        if name not in CATEGORIES:
            near = difflib.get_close_matches(name, CATEGORIES, n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(CATEGORIES)}"
            raise ConfigError(f"unknown category {name!r} under {key!r} in {where}: {mend}")
    return chosen


def _severity(key: str, value: object, where: str) -> str:
    if value not in FAIL_ON:
        raise _bad(key, "never, low, medium or high", value, where)
    return str(value)


def _depth(key: str, value: object, where: str) -> str:
    from momus.critics.solutions.depth import DEPTHS

    if value not in DEPTHS:
        raise _bad(key, f"one of {', '.join(DEPTHS)}", value, where)
    return str(value)


def _format(key: str, value: object, where: str) -> str:
    from momus.review.output import FORMATS

    if value not in FORMATS:
        raise _bad(key, f"one of {', '.join(FORMATS)}", value, where)
    return str(value)


_READERS: dict[str, Callable[[str, object, str], object]] = {
    "critic": _text,
    "dial": _percentile,
    "max-spurious": _amount,
    "budget-tokens": _limit,
    "budget-dollars": _limit,
    "prices": _text,
    "depth": _depth,
    "fail-on": _severity,
    "min-confidence": _share,
    "max-findings": _count,
    "output-format": _format,
    "exclude": _texts,
    "ignore": _categories,
    "baseline": _text,
    "cache": _truth,
    "run": _truth,
    "prove": _truth,
    "project-tests": _truth,
    "gitignore": _truth,
    "seed": _count,
}


def _written(name: str) -> str:
    return name.replace("_", "-")


def _field(key: str) -> str:
    return key.replace("-", "_")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
