"""Values between two processes of which neither trusts the other: JSON that can only ever make plain values.

A message is a table of nodes and a few values that refer to it, so that sharing, cycles and long linked lists cross
without recursion. A value is a JSON scalar, `[k]` for node `k`, or an inline tag (`["i", hex]` a large int, `["b", ..]`
bytes, `["c", re, im]`, `["m", module]`, `["n", module, name]` something of a few harmless modules of the standard
library). A node is `[tag, ...]`; the tags are the types below. What has no such form is left to `Side`.

Run inside the sandbox as well, where nothing of momus is installed: only the standard library is imported.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from momus.sandbox.forms import (
    MODULES,
    SCALARS,
    Malformed,
    NotCertifiable,
    fields_of,
    is_named,
    named,
    numpy_array,
    numpy_node,
    plain,
    public_name,
)

ITEMS = 100_000  # of an iterator that is consumed to cross
_BIG = 1 << 63
_TODO: Any = object()
_DATES: dict[str, Any] = {"date": datetime.date, "time": datetime.time, "datetime": datetime.datetime}


class Side:
    """What one side does with what does not cross by value; by default nothing of it crosses.

    `classes` are those that cross by name and fields; `names` finds the name of a class.
    """

    def __init__(self) -> None:
        self.classes: dict[str, type] = {}
        self.names: dict[type, str] = {}

    def kind(self, name: str) -> type | None:
        """The class that crosses under a name."""
        return self.classes.get(name)

    def named(self, module: str, name: str | None = None) -> object:
        """What crosses by name. Raises Malformed for what is not on the list."""
        return named(module, name)

    def export(self, thing: object) -> list[Any]:
        """A node for an object that stays here. Raises NotCertifiable."""
        raise NotCertifiable(f"a {type(thing).__name__} does not cross to the other process")

    def adopt(self, node: list[Any]) -> object:
        """What stands here for an object that stayed on the other side. Raises Malformed."""
        raise Malformed(f"unexpected {node[0]!r}")


class Sender:
    """Turns values into nodes. `known` are objects that the other side has numbers for already, by position."""

    def __init__(self, side: Side, known: Sequence[object] = ()) -> None:
        self.objects: list[object] = list(known)
        self.nodes: list[Any] = [None] * len(self.objects)
        self._side = side
        self._index = {id(thing): i for i, thing in enumerate(self.objects)}
        self._waiting: collections.deque[int] = collections.deque()

    def values(self, things: Sequence[object]) -> list[Any]:
        """The values as JSON; what they refer to is added to `nodes`. Raises NotCertifiable."""
        values = [self._value(thing) for thing in things]
        self._fill()
        return values

    def changes(self, before: Sequence[Any]) -> dict[str, Any]:
        """Nodes of known mutable objects that are not as they were before, by number."""
        for i, node in enumerate(before):
            if self.nodes[i] is None and node is not None and node[0] in _MUTABLE:
                self._waiting.append(i)
        self._fill()
        now = [(i, self.nodes[i]) for i in range(len(before)) if self.nodes[i] is not None]
        return {str(i): node for i, node in now if repr(node) != repr(before[i])}

    def _fill(self) -> None:
        while self._waiting:
            i = self._waiting.popleft()
            if self.nodes[i] is None:
                self.nodes[i] = self._node(self.objects[i])

    def _value(self, thing: object) -> Any:
        kind = type(thing)
        if kind in SCALARS:
            if kind is int and not -_BIG < thing < _BIG:  # type: ignore[operator]
                return ["i", hex(thing)]  # type: ignore[arg-type]
            return thing
        if kind is bytes:
            return ["b", thing.decode("latin-1")]  # type: ignore[attr-defined]
        if kind is complex:
            return ["c", thing.real, thing.imag]  # type: ignore[attr-defined]
        known = self._index.get(id(thing))
        if known is not None:
            if self.nodes[known] is None:
                self._waiting.append(known)
            return [known]
        if isinstance(thing, types.ModuleType):
            if thing.__name__ in MODULES:
                return ["m", thing.__name__]
        elif (name := public_name(thing)) is not None:
            return ["n", *name]
        bare = plain(thing)
        if bare is not thing:
            return self._value(bare)
        self._index[id(thing)] = len(self.objects)
        self.objects.append(thing)
        self.nodes.append(None)
        self._waiting.append(len(self.nodes) - 1)
        return [len(self.nodes) - 1]

    def _items(self, things: Sequence[Any]) -> list[Any]:
        kinds = set(map(type, things))
        if kinds <= SCALARS and (int not in kinds or (len(kinds) == 1 and max(things) < _BIG and min(things) > -_BIG)):
            return list(things)
        return [self._value(thing) for thing in things]

    def _pairs(self, thing: dict[Any, Any]) -> list[Any]:
        return self._items([each for key in dict.__iter__(thing) for each in (key, dict.__getitem__(thing, key))])

    def _node(self, thing: Any) -> list[Any]:
        kind = type(thing)
        name = self._side.names.get(kind)
        if name is not None:
            fields = fields_of(thing)
            return ["object", name, list(fields), [self._value(value) for value in fields.values()]]
        if kind in (list, tuple, set, frozenset):
            return [kind.__name__, self._items(list(thing))]
        if kind in (dict, collections.OrderedDict, collections.Counter):
            return [kind.__name__, self._pairs(thing)]
        if kind is collections.defaultdict:
            return ["defaultdict", self._value(thing.default_factory), self._pairs(thing)]
        if kind is collections.deque:
            return ["deque", thing.maxlen, self._items(list(thing))]
        if kind is bytearray:
            return ["bytearray", thing.decode("latin-1")]
        if kind is range:
            return ["range", [self._value(bound) for bound in (thing.start, thing.stop, thing.step)]]
        if kind is decimal.Decimal:
            return ["Decimal", str(thing)]
        if kind is fractions.Fraction:
            return ["Fraction", [self._value(thing.numerator), self._value(thing.denominator)]]
        if kind is datetime.timedelta:
            return ["timedelta", [thing.days, thing.seconds, thing.microseconds]]
        if kind in _DATES.values() and (kind is datetime.date or thing.tzinfo is None):
            return [kind.__name__, thing.isoformat()]
        if isinstance(thing, tuple) and is_named(kind):
            return ["named", kind.__name__, list(kind._fields), self._items(list(thing))]
        if kind.__module__ == "numpy" and (node := numpy_node(thing)) is not None:
            return node
        return self._side.export(thing)


class Receiver:
    """Makes values of nodes. `objects` starts with those that were sent before, and takes in the new ones."""

    def __init__(self, side: Side, objects: list[object]) -> None:
        self._side = side
        self.objects = objects

    def take(self, nodes: Sequence[Any], changed: Mapping[str, Any], values: Sequence[Any]) -> list[Any]:
        """The values, after the changes of known objects and the new nodes are taken in. Raises Malformed."""
        try:
            start = len(self.objects)
            for node in nodes:
                self.objects.append(self._shell(node) if node[0] in _MUTABLE else _TODO)
            todo = [(i, nodes[i - start]) for i in range(start, len(self.objects))]
            self._nodes = dict(todo)
            self._open: set[int] = set()
            fill = [(int(i), node) for i, node in changed.items()]
            if any(not 0 <= i < start for i, _ in fill):
                raise Malformed("a change of what was never sent")
            fill += [(i, node) for i, node in todo if node[0] in _MUTABLE]
            # Sets and dicts last: their keys may hash by what is filled in before.
            for i, node in sorted(fill, key=lambda pair: pair[1][0] in _HASHED):
                self._fill(self.objects[i], node)
            return [self.value(value) for value in values]
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            raise Malformed(f"{type(error).__name__}: {error}") from None

    def value(self, value: Any) -> Any:
        """One value."""
        if type(value) is not list:
            if type(value) in SCALARS:
                return value
            raise Malformed("not a value")
        tag = value[0]
        if len(value) == 1:
            return self._object(tag)
        if tag == "i":
            return int(value[1], 16)
        if tag == "b":
            return value[1].encode("latin-1")
        if tag == "c":
            return complex(value[1], value[2])
        if tag in ("m", "n"):
            return self._side.named(*value[1:])
        raise Malformed(f"unknown value {tag!r}")

    def _all(self, values: Sequence[Any]) -> list[Any]:
        return [value if type(value) in SCALARS else self.value(value) for value in values]

    def _object(self, i: int) -> Any:
        if type(i) is not int or not 0 <= i < len(self.objects):
            raise Malformed("a reference to nothing")
        if self.objects[i] is _TODO:
            if i in self._open:
                raise Malformed("an immutable value that holds itself")
            self._open.add(i)
            self.objects[i] = self._whole(self._nodes[i])
        return self.objects[i]

    def _shell(self, node: Any) -> object:
        tag = node[0]
        if tag == "object":
            kind = self._side.kind(node[1])
            if kind is None:
                raise Malformed(f"no class {node[1]!r}")
            return object.__new__(kind)
        if tag == "deque":
            return collections.deque(maxlen=node[1])
        return _SHELLS[tag]()

    def _fill(self, thing: Any, node: Any) -> None:
        tag = node[0]
        if tag == "object":
            if self._side.kind(node[1]) is not type(thing):
                raise Malformed("an object that changed its class")
            set_fields(thing, dict(zip(node[2], self._all(node[3]), strict=True)))
        elif type(thing).__name__ != tag:
            raise Malformed("an object that changed its type")
        elif tag == "list":
            thing[:] = self._all(node[1])
        elif tag == "bytearray":
            thing[:] = node[1].encode("latin-1")
        else:
            items = self._all(node[-1])
            thing.clear()
            if tag == "defaultdict":
                thing.default_factory = self.value(node[1])
            if tag == "deque":
                thing.extend(items)
            elif tag == "set":
                thing.update(items)
            else:
                for key, value in zip(items[::2], items[1::2], strict=True):
                    thing[key] = value

    def _whole(self, node: Any) -> object:
        tag = node[0]
        if tag == "tuple":
            return tuple(self._all(node[1]))
        if tag == "frozenset":
            return frozenset(self._all(node[1]))
        if tag == "range":
            return range(*self._all(node[1]))
        if tag == "iterator":
            return iter(self._all(node[1]))
        if tag == "named":
            return collections.namedtuple(node[1], node[2])(*self._all(node[3]))
        if tag == "Decimal":
            return decimal.Decimal(node[1])
        if tag == "Fraction":
            return fractions.Fraction(*self._all(node[1]))
        if tag == "timedelta":
            return datetime.timedelta(*node[1])
        if tag in _DATES:
            return _DATES[tag].fromisoformat(node[1])
        if tag == "array":
            return numpy_array(node[1], node[2], self._all(node[3]))
        if tag == "scalar":
            return numpy_array(node[1], [], [node[2]])[()]
        return self._side.adopt(node)


_SHELLS: dict[str, Callable[[], object]] = {
    "list": list,
    "set": set,
    "dict": dict,
    "OrderedDict": collections.OrderedDict,
    "Counter": collections.Counter,
    "defaultdict": collections.defaultdict,
    "bytearray": bytearray,
}
_HASHED = frozenset({"set", "dict", "OrderedDict", "Counter", "defaultdict"})
_MUTABLE = frozenset(_SHELLS) | {"deque", "object"}


def consumed(thing: Iterator[object]) -> list[object]:
    """The rest of an iterator. Raises NotCertifiable where it is too long."""
    items = list(itertools.islice(thing, ITEMS + 1))
    if len(items) > ITEMS:
        raise NotCertifiable(f"an iterator of more than {ITEMS} items does not cross")
    return items


def set_fields(thing: object, fields: Mapping[str, object]) -> None:
    """Give an object of a known class exactly these fields; none may stand before a method of it. Raises Malformed."""
    kind = type(thing)
    for name in fields:
        if type(name) is not str or not name.isidentifier() or callable(getattr(kind, name, None)):
            raise Malformed(f"{kind.__name__} has no field {name!r}")
    for name in fields_of(thing):
        if name not in fields:
            object.__delattr__(thing, name)
    for name, value in fields.items():
        object.__setattr__(thing, name, value)
