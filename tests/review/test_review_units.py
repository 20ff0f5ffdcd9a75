"""Units: every line has one owner, and what a critic says of a unit lands on the same characters of the file."""

from __future__ import annotations

import ast
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critique import Comment, Span
from momus.review.files import read
from momus.review.source import Source
from momus.review.units import OVERLAP_LINES, WINDOW_LINES, cut, regions

SHOP = '''"""A shop."""
import os
import sys as system
from decimal import Decimal, ROUND_UP

RATE = Decimal("0.19")


class Cart:
    """What is to be bought."""

    limit = 10

    @property
    def total(self):
        """Sum of all prices.

        With tax.
        """
        return sum(self.prices) * (1 + RATE)

    def add(self, price):
        def check(p):
            return p > 0
        if check(price):
            self.prices.append(rounded(price))

    class Inner:
        def deep(self):
            return os.sep


if True:
    def rounded(value, places=2):
        return value.quantize(Decimal(10) ** -places, ROUND_UP)

print(Cart)
'''


def source_of(text: str, name: str = "shop.py") -> Source:
    return Source(name, text, code=text)


def units_of(text: str, how: str = "bare") -> dict[str, object]:
    source = source_of(text)
    return {unit.name: unit for unit in cut(source, regions(source), how)}


def test_functions_methods_class_bodies_and_module_code_are_units():
    units = units_of(SHOP)
    assert list(units) == ["<module>", "Cart", "Cart.total", "Cart.add", "Cart.Inner.deep", "rounded"]
    assert units["Cart.add"].task.answer == (
        "def add(self, price):\n    def check(p):\n        return p > 0\n    if check(price):\n"
        "        self.prices.append(rounded(price))\n"
    )
    assert "limit = 10" in units["Cart"].task.answer
    assert "def total" not in units["Cart"].task.answer
    assert units["Cart.total"].task.answer.startswith("@property\ndef total")
    assert units["Cart.total"].task.question == "Sum of all prices."


def test_a_class_with_nothing_but_methods_is_not_put_to_the_critic():
    units = units_of('class A:\n    """Doc."""\n\n    def f(self):\n        return 1\n')
    assert list(units) == ["A.f"]


def test_context_holds_the_imports_and_signatures_in_use_and_nothing_else():
    units = units_of(SHOP, "context")
    assert units["Cart.add"].task.answer.startswith("def rounded(value, places=2): ...\ndef add(self, price):\n")
    assert units["rounded"].task.answer.startswith(
        "from decimal import Decimal\nfrom decimal import ROUND_UP\ndef rounded("
    )
    assert units["Cart.Inner.deep"].task.answer.startswith("import os\ndef deep")
    assert units["Cart.total"].task.answer.startswith("RATE = Decimal('0.19')\n@property")
    ast.parse(units["Cart.add"].task.answer)


def test_a_unit_s_context_stands_apart_with_the_imports_the_class_and_the_signatures_that_it_uses():
    units = units_of(SHOP, "unit")
    add = units["Cart.add"].task
    assert add.answer.startswith("def add(self, price):\n")
    assert add.context == "def rounded(value, places=2): ...\n\nclass Cart:\n"
    assert units["Cart.total"].task.context == "RATE = Decimal('0.19')\n\nclass Cart:\n"
    assert units["rounded"].task.context == "from decimal import Decimal\nfrom decimal import ROUND_UP\n"
    assert units["Cart.Inner.deep"].task.context == "import os\n\nclass Inner:\n"
    assert {unit.task.question for unit in units.values()} == {""}
    at = add.answer.index("price")
    placed = units["Cart.add"].in_file(Comment(Span(at, at + 5), "x", suggestion="cost"), SHOP)
    assert placed is not None and placed.highlight.of(SHOP) == "price" and placed.suggestion == "cost"


def test_of_its_class_a_method_sees_how_it_is_made_and_what_it_calls():
    text = """\
class A(Base, metaclass=M):
    def __init__(self, size: int, *, name='n') -> None:
        self.size = size

    def grow(self, by):
        return self.size + by + self._left(by)

    def _left(self, by: int) -> int:
        return 0

    def other(self):
        return 1


@dataclass
class B:
    size: int
    limit: float = 0.5

    def over(self):
        return self.limit
"""
    units = units_of(text, "unit")
    made = "    def __init__(self, size: int, *, name='n') -> None: ...\n"
    assert units["A.grow"].task.context == (f"class A(Base):\n{made}    def _left(self, by: int) -> int: ...\n")
    assert units["A.__init__"].task.context == "class A(Base):\n"
    assert units["B.over"].task.context == "class B:\n    size: int\n    limit: float = 0.5\n"


@pytest.mark.parametrize(
    ("top", "question"),
    [
        ('# Task: "Add two\n# numbers."\n', "Add two\nnumbers."),
        ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n# PROMPT:\n#   Add two numbers.\n", "Add two numbers."),
        ('"""Question: Add two numbers.\n\nAs ever."""\n', "Add two numbers.\n\nAs ever."),
        ("# Adds two numbers.\n", ""),
        ('"""Adds two numbers."""\n', ""),
        ("import os\n# Task: no\n", ""),
        ("# Copyright\n\n# Task: a later comment is a remark like any other\n", ""),
    ],
)
def test_the_question_of_a_unit_is_the_task_that_the_file_states_at_its_top(top: str, question: str):
    unit = units_of(top + 'def f(a, b):\n    """Doc."""\n    return a + b\n', "unit")["f"]
    assert unit.task.question == question


def test_a_unit_is_whole_unless_no_model_would_take_it_in():
    body = "".join(f"    x{n} = {n}\n" for n in range(300))
    source = source_of(f"def long(a):\n{body}")
    (whole,) = cut(source, regions(source), "unit")
    assert whole.task.answer == source.code
    source = source_of(f"def long(a):\n{body}{body}")
    first, second = cut(source, regions(source), "unit")
    assert (first.task.context, second.task.context) == ("", "def long(a):\n    ...\n")
    assert second.task.answer.startswith("    x")


def test_a_whole_file_is_one_unit_for_a_critic_that_wants_it():
    units = units_of(SHOP, "file")
    assert list(units) == ["<module>"]
    assert units["<module>"].task.answer == SHOP


def test_a_comment_on_context_alone_is_nobodys():
    unit = units_of(SHOP, "context")["Cart.add"]
    assert unit.in_file(Comment(Span(0, 10), "x"), SHOP) is None


def test_a_highlight_that_runs_out_of_context_keeps_its_own_part_and_loses_its_suggestion():
    unit = units_of(SHOP, "context")["Cart.add"]
    own = unit.task.answer.index("def add")
    placed = unit.in_file(Comment(Span(5, own + 7), "x", suggestion="y"), SHOP)
    assert placed is not None
    assert placed.highlight.of(SHOP) == "def add"
    assert placed.suggestion is None


def test_a_highlight_over_the_gap_that_a_method_leaves_is_cut_to_its_first_run():
    text = "a = 1\n\n\ndef f():\n    return a\n\n\nb = 2\n"
    unit = units_of(text)["<module>"]
    answer = unit.task.answer
    placed = unit.in_file(Comment(Span(answer.index("a = 1"), answer.index("b = 2") + 5), "x", suggestion="z"), text)
    assert placed is not None
    assert placed.highlight.of(text).strip() == "a = 1"
    assert placed.suggestion is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_multi_line_suggestion_comes_back_with_the_files_indentation_and_line_ends(end: str):
    text = end.join(["class A:", "    def f(self):", "        if x:", "            return 1", "        return 2", ""])
    unit = units_of(text)["A.f"]
    quote = "if x:\n        return 1"
    at = unit.task.answer.index(quote)
    placed = unit.in_file(Comment(Span(at, at + len(quote)), "x", suggestion="if not x:\n        return 1"), text)
    assert placed is not None
    assert placed.highlight.of(text) == f"if x:{end}            return 1"
    assert placed.suggestion == f"if not x:{end}            return 1"


def test_a_long_function_is_cut_in_overlapping_windows_that_repeat_its_head():
    body = "".join(f"    x{n} = {n}\n" for n in range(300))
    text = f"def long(a,\n         b):\n{body}"
    source = source_of(text)
    windows = cut(source, regions(source), "bare")
    assert len(windows) > 3
    assert all(len(window.lines) <= WINDOW_LINES for window in windows)
    assert sorted({line for window in windows for line in window.lines}) == list(range(1, 303))
    for before, after in pairwise(windows):
        assert len(set(before.lines) & set(after.lines)) == OVERLAP_LINES
        assert after.task.answer.startswith("def long(a,\n         b):\n    ...\n")
    assert len({window.task.id for window in windows}) == len(windows)


def test_what_does_not_parse_is_cut_at_definitions_by_their_look():
    text = "import os\n\n@deco\ndef f(:\n    return 1\n\ndef g():\n    return 2\n"
    source = source_of(text)
    assert source.syntax_error is not None
    found = regions(source)
    assert [(region.name, region.lines) for region in found] == [
        ("<module>", (1, 2)),
        ("f", (3, 4, 5, 6)),
        ("g", (7, 8)),
    ]


def test_a_chain_of_elifs_too_deep_for_recursion_is_still_cut():
    text = "if a == 0:\n    pass\n" + "".join(f"elif a == {n}:\n    b = {n}\n" for n in range(1, 3000))
    source = source_of(text)
    found = regions(source)
    assert sum(len(region.lines) for region in found) == text.count("\n")
    assert cut(source, found, "context")


def test_twenty_thousand_lines_are_all_put_to_the_critic():
    text = "".join(f"def f{n}(x):\n    y = x + {n}\n    return y\n\n" for n in range(5000))
    source = source_of(text)
    covered = {line for unit in cut(source, regions(source), "context") for line in unit.lines}
    assert len(covered) >= 20_000 - 5000


# --- properties -------------------------------------------------------------------------------------------------------

names = st.sampled_from(["a", "bee", "π", "名", "f"])
values = st.sampled_from(["1", "'é😀'", '"""x\n  y\n"""', "[\n1,\n  2]", "a + \\\n    b", "f(a, b)", "lambda: 0"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0, in_class: bool = False) -> str:
    """Statements, as lines that end with a newline and begin at the margin."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["simple", "def", "class", "if", "comment", "blank", "decorated"]))
        name = draw(names)
        if kind in ("simple", "comment", "blank") or depth > 2:
            tail = draw(st.sampled_from(["", "  # 😀", "; x = 2"]))
            made.append({"comment": "# note é\n", "blank": "\n"}.get(kind, f"{name} = {draw(values)}{tail}\n"))
            continue
        inner = draw(blocks(depth=depth + 1)) + "pass\n"
        indent = draw(st.sampled_from(["  ", "    ", "\t"]))
        # lines inside a string stay where they are
        body, quoted = "", False
        for line in inner.splitlines(keepends=True):
            body += line if quoted or not line.strip() else indent + line
            quoted ^= line.count('"""') % 2 == 1
        head = {"def": f"def {name}(x):\n", "class": f"class {name}:\n", "if": "if x:\n"}
        made.append(head.get(kind, f"@deco\nasync def {name}(x):\n") + body)
    return "".join(made)


@given(blocks(), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_line_belongs_to_exactly_one_region(text: str, end: str, broken: bool):
    text = text.replace("\n", end) + ("def (" if broken else "")
    source = source_of(text)
    lines = sorted(line for region in regions(source) for line in region.lines)
    assert lines == list(range(1, source.map.line_count + 1))
    assert (source.syntax_error is not None) == broken


@given(blocks(), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["bare", "unit", "context", "file"]), st.data())
@settings(max_examples=200, deadline=None)
def test_a_highlight_on_a_units_own_lines_lands_on_the_same_characters(
    text: str, end: str, how: str, data: st.DataObject
):
    text = text.replace("\n", end)
    source = source_of(text)
    units = cut(source, regions(source), how)
    if not units:
        return
    unit = data.draw(st.sampled_from(units))
    first = unit.pieces[0].answer
    answer = unit.task.answer
    start = data.draw(st.integers(first, len(answer) - 1))
    stop = data.draw(st.integers(start + 1, len(answer)))
    placed = unit.in_file(Comment(Span(start, stop), "x"), text)
    assert placed is not None
    quote = placed.highlight.of(text).replace("\r\n", "\n").replace("\r", "\n")
    own = set(unit.lines)
    assert set(source.map.lines(placed.highlight)) <= own or not placed.highlight.of(text).strip()
    wanted = "".join(answer[start:stop].split())
    got = "".join(quote.split())
    assert wanted.startswith(got)  # a gap cuts it
    if set(range(min(own), max(own) + 1)) == own:
        assert wanted == got


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_cut_without_loss_and_without_an_error(text: str):
    source = read("x.py", text.encode())
    lines = sorted(line for region in regions(source) for line in region.lines)
    assert lines == list(range(1, source.map.line_count + 1))
    for how in ("bare", "unit", "context", "file"):
        cut(source, regions(source), how)
