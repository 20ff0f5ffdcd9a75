"""Descriptions read as a review by someone who has seen this code only."""

from __future__ import annotations

import inspect
import random
import re
import sys

import pytest
from test_operators_examples import EXAMPLES, mutations

from momus.tamper.describe import describe, placeholders
from momus.tamper.operators import OPERATORS, Source

# A reviewer does not know that there was another version, or that somebody put the bug there.
TELLTALE = re.compile(
    r"\b(changed?|mutat\w*|original(ly)?|tamper\w*|inserted|injected|was replaced|has been replaced|used to be|"
    r"previous(ly)?|before the (edit|change)|deleted|was removed|clean version|operator \w+ swapped)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", OPERATORS)
def test_phrasings_do_not_betray_that_the_code_was_touched(name: str) -> None:
    for phrasing in OPERATORS[name].phrasings:
        assert not TELLTALE.search(phrasing), phrasing


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_has_at_least_four_phrasings_that_differ(name: str) -> None:
    phrasings = OPERATORS[name].phrasings
    assert len(phrasings) >= 4
    openings = {tuple(re.sub(r"[{}<>|`]", " ", phrasing).split()[:4]) for phrasing in phrasings}
    assert len(openings) >= 4


@pytest.mark.parametrize("name", OPERATORS)
def test_descriptions_of_an_example_vary_are_short_and_name_what_is_there(name: str) -> None:
    clean, _, _ = EXAMPLES[name]
    source = Source(clean)
    seen: set[str] = set()
    for seed in range(60):
        rng = random.Random(seed)
        for site in OPERATORS[name].sites(source, rng):
            said = describe(OPERATORS[name].phrasings, site.facts, rng)
            assert said is not None
            seen.add(said)
            assert 7 <= len(said.split()) <= 40, said
            assert said[0] == "`" or said[0].isupper(), said
            assert said.rstrip("`")[-1] in ".", said
            assert said.count("`") % 2 == 0, said
            assert "{" not in re.sub(r"`[^`]*`", "", said), said
            assert "<" not in re.sub(r"`[^`]*`", "", said), said
    assert len(seen) >= 4
    words = set(re.findall(r"\w+", clean))
    naming = [said for said in seen if words & set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]*`", said))))]
    assert len(naming) >= len(seen) / 2, seen


@pytest.mark.parametrize("name", OPERATORS)
def test_every_flag_of_a_phrasing_is_set_by_some_site(name: str) -> None:
    # A flag that no site sets is a misspelling: its phrasings would never be heard.
    flags = {m.group(1) for p in OPERATORS[name].phrasings if (m := re.match(r"\{(\w+)\}(?!`)", p))}
    text = " ".join(re.findall(r"\"\w+\"|\b\w+=|f\"\w*_?\{", _code_of(name)))
    for flag in flags:
        prefix = flag.split("_")[0]
        assert f'"{flag}"' in text or f"{flag}=" in text or f'f"{prefix}_' in text, flag


def _code_of(name: str) -> str:
    module = sys.modules[OPERATORS[name].sites.__module__]
    return inspect.getsource(module)


def test_a_phrasing_is_used_only_with_all_its_facts() -> None:
    rng = random.Random(0)
    said = {
        describe(("{over}`{a}` is <one|two>.", "{under}`{b}`!"), {"over": "", "a": "x < {y}|z>"}, rng)
        for _ in range(50)
    }
    assert said == {"`x < {y}|z>` is one.", "`x < {y}|z>` is two."}


def test_facts_without_a_phrasing_are_an_error() -> None:
    with pytest.raises(ValueError, match="no phrasing"):
        describe(("`{a}`.",), {"b": "x"}, random.Random(0))


def test_placeholders_are_found() -> None:
    assert placeholders("{over}`{a}` and `{b}`") == {"over", "a", "b"}


def test_a_description_names_the_actual_variables() -> None:
    (first, *_) = mutations("def f(low, high):\n    return g(low)\n", "wrong-variable")
    assert "`high`" in first.bug.description or "`g(high)`" in first.bug.description or "`low`" in first.bug.description
