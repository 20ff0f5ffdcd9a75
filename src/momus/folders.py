"""Where this user's settings, caches and programs lie, on each platform."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path


def user_folder(kind: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The platform's place for this user's "config" or "cache" of momus."""
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / ("Caches" if kind == "cache" else "Application Support") / "momus"
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA" if kind == "cache" else "APPDATA")
        return Path(local or home / "AppData") / "momus" / ("Cache" if kind == "cache" else "")
    place = environment.get("XDG_CACHE_HOME" if kind == "cache" else "XDG_CONFIG_HOME")
    return (Path(place) if place else home / (".cache" if kind == "cache" else ".config")) / "momus"


def caches(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of all that is kept and can be made anew: `MOMUS_CACHE_DIR`, or the user's cache folder."""
    chosen = environment.get("MOMUS_CACHE_DIR")
    return Path(chosen) if chosen else user_folder("cache", environment)


def program(name: str) -> str | None:
    """Where PATH has a program; None where it has none.

    Folders of PATH that are not named whole are passed over, and so is the current folder, which Windows looks in
    first: it may be the one under review.
    """
    folders = (folder for folder in os.get_exec_path() if Path(folder).is_absolute())
    return next((found for folder in folders if (found := shutil.which(str(Path(folder, name))))), None)
