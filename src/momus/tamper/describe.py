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

from momus.tamper.quoting import quotes_what_is_there

_CHOICE = re.compile(r"<([^<>]*\|[^<>]*)>")


def describe(phrasings: Sequence[str], facts: Mapping[str, str], rng: random.Random, *texts: str) -> str | None:
    """One sentence or two on a bug; with `texts`, all code in it is theirs, and None where no phrasing keeps to that.

    Raises ValueError where no phrasing gets by with the facts.
    """
    fitting = [phrasing for phrasing in phrasings if placeholders(phrasing) <= facts.keys()]
    if not fitting:
        raise ValueError(f"no phrasing gets by with the facts {sorted(facts)}")
    while fitting:
        # A phrasing that needs more facts says more: it is taken more often than one that any site would do for.
        weights = [1 + len(placeholders(phrasing)) for phrasing in fitting]
        chosen = rng.choices(fitting, weights)[0]
        # The words are chosen before the facts are put in: those may hold < and |.
        worded = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), chosen)
        said = worded.format_map(facts)
        if not texts or quotes_what_is_there(said, *texts):
            return said
        fitting.remove(chosen)
    return None


@lru_cache(maxsize=4096)
def placeholders(phrasing: str) -> frozenset[str]:
    """The names of the facts that a phrasing needs."""
    return frozenset(name for _, name, _, _ in Formatter().parse(phrasing) if name)
