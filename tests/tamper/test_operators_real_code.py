"""Operators on functions of the standard library, in several guises of layout: what must hold of every tamper."""

from __future__ import annotations

import _pydecimal
import argparse
import ast
import builtins
import configparser
import csv
import difflib
import heapq
import http.cookiejar
import inspect
import json.decoder
import mimetypes
import random
import re
import shutil
import statistics
import tarfile
import textwrap
import tokenize
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critique import TextMap
from momus.match import apply_suggestion
from momus.tamper.compiled import byte_code
from momus.tamper.describe import placeholders
from momus.tamper.operators import OPERATORS, Source, mutate
from momus.tamper.quoting import quotes_what_is_there
from momus.tamper.source import splice

MODULES = (
    *(_pydecimal, argparse, configparser, csv, difflib, heapq, http.cookiejar, json.decoder, mimetypes, shutil),
    *(statistics, tarfile, tokenize, zipfile),
)
# They hold lines together that one line cannot mend.
SEVERAL_LINES = {"swap-statements", "reset-in-loop", "leak-resource"}


def _functions() -> list[str]:
    found: list[str] = []
    for module in MODULES:
        text = inspect.getsource(module)
        lines = text.splitlines(keepends=True)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and 4 < (node.end_lineno or 0) - node.lineno < 60:
                code = textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))
                if _parses(code):
                    found.append(code)
    return found


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _unicode(code: str) -> str:
    """Names and comments beyond ASCII, of two, three and four bytes, before the code on the same line."""
    named = re.sub(r"\bself\b", "sélf", code)
    lines = named.splitlines(keepends=True)
    first = ast.parse(named).body[0].body[0]  # type: ignore[attr-defined]
    lines.insert(first.lineno - 1, f"{' ' * first.col_offset}ünïcode = '日本語 👩‍💻'; 𝐱 = ünïcode; 𝐱 = len(𝐱) + 1\n")
    return "".join(lines)


def _long_names(code: str) -> str:
    """Names so long that nothing can be quoted in full."""
    names = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)}
    own = {n for n in names if not hasattr(builtins, n)}
    for name in sorted(own):
        code = re.sub(rf"(?<![\w.'\"]){re.escape(name)}(?![\w'\"=])", f"{name}_{'long' * 15}", code)
    return code


GUISES: dict[str, Callable[[str], str]] = {
    "as it is": lambda code: code,
    "CR LF": lambda code: code.replace("\n", "\r\n"),
    "CR": lambda code: code.replace("\n", "\r"),
    "tabs": lambda code: re.sub(r"^(?: {4})+", lambda m: "\t" * (len(m.group()) // 4), code, flags=re.MULTILINE),
    "no final newline": lambda code: code.rstrip("\n"),
    "unicode": _unicode,
    "in a class": lambda code: "class C:\n" + textwrap.indent(code, "    "),
    "long names": _long_names,
}
FUNCTIONS = _functions()


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.sampled_from(FUNCTIONS), st.sampled_from(sorted(GUISES)), st.integers(0, 2**32))
def test_every_tamper_is_small_different_undoable_and_described(code: str, guise: str, seed: int) -> None:
    clean = GUISES[guise](code)
    if not _parses(clean):
        return
    source = Source(clean)
    rng = random.Random(seed)
    for operator in OPERATORS.values():
        sites = list(operator.sites(source, rng))
        for site in rng.sample(sites, min(1, len(sites))):
            mutation = mutate(source, operator, site, rng)
            if mutation is None:
                continue
            bug = mutation.bug
            assert mutation.text == splice(clean, mutation.edits)
            assert byte_code(mutation.text) not in (None, byte_code(clean))
            assert bug.suggestion is not None
            assert apply_suggestion(mutation.text, bug.spans[0], bug.suggestion) == clean
            assert quotes_what_is_there(bug.description, mutation.text, clean), bug.description
            text = TextMap(mutation.text)
            for span in bug.spans:
                lines = text.lines(span)
                assert len(lines) == 1 or operator.name in SEVERAL_LINES
                first, last = text.line_span(lines[0])[0], text.line_span(lines[-1])[1]
                assert span.end == last, "a span ends where its line does"
                assert not mutation.text[first : span.start].strip(), "a span leaves out the indentation alone"
                assert not mutation.text[span.start].isspace() or operator.name == "early-return"
            assert 8 <= len(bug.description.split()) <= 60
            assert "{" not in re.sub(r"`[^`]*`", "", bug.description)
            if guise == "CR LF":
                assert "\n" not in bug.suggestion.replace("\r\n", "")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(FUNCTIONS), st.integers(0, 2**32))
def test_one_seed_gives_one_tamper(code: str, seed: int) -> None:
    name = random.Random(seed).choice(list(OPERATORS))

    def made() -> list[object]:
        rng, source = random.Random(seed), Source(code)
        return [mutate(source, OPERATORS[name], site, rng) for site in OPERATORS[name].sites(source, rng)]

    assert made() == made()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(FUNCTIONS), st.sampled_from(["as it is", "unicode", "CR LF", "tabs"]))
def test_the_code_of_a_node_is_what_the_standard_library_says(code: str, guise: str) -> None:
    text = GUISES[guise](code)
    source = Source(text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Call | ast.Compare | ast.Return) and source.is_target(node):
            code_of_node = source.code(node).replace("\r\n", "\n")
            assert code_of_node == ast.get_source_segment(text.replace("\r\n", "\n"), node)


def test_every_site_can_be_described_even_where_no_code_is_short_enough_to_be_quoted() -> None:
    rng = random.Random(0)
    for code in map(_long_names, FUNCTIONS[::2]):
        if not _parses(code):
            continue
        source = Source(code)
        for name, operator in OPERATORS.items():
            for site in operator.sites(source, rng):
                fitting = [p for p in operator.phrasings if placeholders(p) <= site.facts.keys()]
                assert fitting, (name, site.facts)


def test_the_corpus_of_this_test_is_not_small() -> None:
    assert len(FUNCTIONS) > 200


def test_most_operators_find_sites_in_the_standard_library() -> None:
    rng = random.Random(0)
    found: set[str] = set()
    for code in FUNCTIONS[::3]:
        source = Source(code)
        found |= {name for name, operator in OPERATORS.items() if any(True for _ in operator.sites(source, rng))}
    assert len(found) >= 50, sorted(OPERATORS.keys() - found)


@pytest.mark.parametrize("text", ["def f(:\n", "x = '\0'\n", "(" * 500 + ")" * 500, "x = '\ud800'\n"])
def test_what_is_not_python_is_a_syntax_error(text: str) -> None:
    with pytest.raises(SyntaxError):
        Source(text)
