"""Which values have a form of their own between two processes: what crosses by name, what stands for what, fields.

Run inside the sandbox as well, where nothing of momus is installed: only the standard library is imported.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import keyword
import math
import sys
import types
from collections.abc import Sequence
from typing import Any

SCALARS = frozenset({type(None), bool, int, float, str})
# Modules whose public names cross by name. Nothing here compares equal to what it is not, or reaches the system.
MODULES = frozenset(
    """builtins math cmath typing collections collections.abc itertools functools heapq bisect string re random copy
    datetime operator decimal fractions statistics json abc enum dataclasses time numpy""".split()  # noqa: SIM905
)
_NEVER = frozenset({"eval", "exec", "compile", "open", "input", "breakpoint", "exit", "quit", "help", "copyright"})
_NOTHING: Any = object()
_ITERATORS: tuple[type, ...] = (
    types.GeneratorType,
    map,
    filter,
    zip,
    enumerate,
    reversed,
    itertools.chain,
    itertools.islice,
    itertools.permutations,
    itertools.combinations,
    itertools.product,
    type(iter(())),
    type(iter([])),
    type(iter(set())),
    type(iter({})),
    type(iter({}.values())),
    type(iter({}.items())),
    type(iter("")),
    type(iter(range(0))),
)


class NotCertifiable(BaseException):
    """Something that cannot be judged across the pipe. Not an `Exception`: no test is to catch it by chance."""


class Malformed(Exception):
    """A message that no honest peer sends."""


def is_iterator(thing: object) -> bool:
    """Whether a thing is one of the interpreter's own iterators."""
    return isinstance(thing, _ITERATORS)


def named(module: str, name: str | None = None) -> object:
    """A module of the standard library, or something in it. Raises Malformed for what is not on the list."""
    if name is None and module in MODULES:
        return importlib.import_module(module)
    if name is None or module not in MODULES or name in _NEVER or name.startswith("_"):
        raise Malformed(f"{module}.{name} does not cross")
    found = getattr(importlib.import_module(module), name, _NOTHING)
    if found is _NOTHING or isinstance(found, types.ModuleType):
        raise Malformed(f"there is no {module}.{name}")
    return found


def fields_of(thing: object) -> dict[str, object]:
    fields = dict(getattr(thing, "__dict__", {}))
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(thing, name):
                fields[name] = getattr(thing, name)
    return fields


def plain(thing: Any) -> Any:
    """A value of a subclass that adds nothing but a way to print or compare, as its built-in type."""
    kind = type(thing)
    if kind.__module__ == "numpy":
        return thing
    if isinstance(thing, int):
        return int.__int__(thing)
    if isinstance(thing, float):
        return float.__float__(thing)
    if isinstance(thing, str):
        return str.__str__(thing)
    for base in (list, dict, set, frozenset, tuple):
        if isinstance(thing, base) and kind is not base and kind.__module__ not in ("collections",):
            if is_named(kind) or any(
                not name.startswith("_") for parent in kind.__mro__[: kind.__mro__.index(base)] for name in vars(parent)
            ):
                return thing
            return base(base.__iter__(thing)) if base is not dict else dict(dict.items(thing))  # type: ignore[arg-type]
    return thing


def is_named(kind: type) -> bool:
    fields = getattr(kind, "_fields", None)
    return (
        isinstance(fields, tuple)
        and kind.__mro__[1:] == (tuple, object)
        and all(isinstance(f, str) and f.isidentifier() and not keyword.iskeyword(f) for f in fields)
    )


def public_name(thing: object) -> tuple[str, str] | None:
    """Where a function, type or constant of the standard library is found by name."""
    module = getattr(thing, "__module__", None)
    if not isinstance(module, str) or type(thing) in (list, tuple, dict):
        return None
    if not (isinstance(thing, type) or callable(thing) or module == "typing"):
        return None
    for home in (module.removeprefix("_"), module):
        name = getattr(thing, "__name__", None) or getattr(thing, "_name", None)
        if home in MODULES and isinstance(name, str) and not name.startswith("_") and name not in _NEVER:
            loaded = builtins if home == "builtins" else sys.modules.get(home)
            if getattr(loaded, name, _NOTHING) is thing:
                return home, name
    return None


def numpy_node(thing: Any) -> list[Any] | None:
    kind = getattr(getattr(thing, "dtype", None), "kind", "")
    if kind not in ("b", "i", "u", "f"):
        return None
    if type(thing).__name__ == "ndarray":
        return ["array", thing.dtype.str, list(thing.shape), thing.ravel().tolist()]
    item = thing.item()
    return ["scalar", thing.dtype.str, item] if type(item) in SCALARS else None


def numpy_array(dtype: str, shape: Sequence[int], flat: Sequence[Any]) -> Any:
    if len(dtype) > 8 or dtype[1:2] not in ("b", "i", "u", "f") or math.prod(shape) != len(flat):
        raise Malformed("not an array")
    return importlib.import_module("numpy").array(flat, dtype=dtype).reshape(shape)
