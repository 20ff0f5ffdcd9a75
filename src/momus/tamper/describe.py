"""Bugs in the words of a colleague who reviews the code and has seen no other version of it.

A phrasing is a sentence with `{facts}` in it and choices of words, `<one|another>`. Only phrasings whose facts are all
at hand are used, so a phrasing says what it is for by naming its facts; a fact with an empty value serves as a flag.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from string import Formatter

_CHOICE = re.compile(r"<([^<>]*\|[^<>]*)>")


def describe(phrasings: Sequence[str], facts: Mapping[str, str], rng: random.Random) -> str:
    """One sentence or two on a bug. Raises ValueError where no phrasing gets by with the facts."""
    fitting = [phrasing for phrasing in phrasings if placeholders(phrasing) <= facts.keys()]
    if not fitting:
        raise ValueError(f"no phrasing gets by with the facts {sorted(facts)}")
    # A phrasing that needs more facts says more: it is taken more often than one that any site would do for.
    weights = [1 + len(placeholders(phrasing)) for phrasing in fitting]
    chosen = rng.choices(fitting, weights)[0]
    worded = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), chosen)  # before the facts: they may hold < and |
    return worded.format_map(facts)


@lru_cache(maxsize=4096)
def placeholders(phrasing: str) -> frozenset[str]:
    """The names of the facts that a phrasing needs."""
    return frozenset(name for _, name, _, _ in Formatter().parse(phrasing) if name)
