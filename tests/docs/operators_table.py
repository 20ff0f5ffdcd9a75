"""Writes the table of operators into docs/tamper.md: python tests/docs/operators_table.py"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from textwrap import dedent

from momus.tamper import OPERATORS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tamper.md"
_PLACE = re.compile(r"(?<=<!-- operators -->\n).*(?=<!-- /operators -->)", re.DOTALL)


def table() -> str:
    """The table in markdown, an operator a line."""
    examples = _examples()
    held_out = sum(operator.held_out for operator in OPERATORS.values())
    lines = [
        f"{len(OPERATORS)} operators, {held_out} of them held out.",
        "",
        "| Operator | Category | Severity | For example | Held out |",
        "| --- | --- | --- | --- | --- |",
    ]
    for operator in OPERATORS.values():
        clean, old, new = examples[operator.name]
        changed = " becomes ".join(map(_code, _changed(clean, clean.replace(old, new))))
        mark = "**held out**" if operator.held_out else ""
        lines.append(f"| `{operator.name}` | {operator.category} | {operator.severity} | {changed} | {mark} |")
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """A page with the table as it is now."""
    return _PLACE.sub(lambda _: table(), page)


def _examples() -> dict[str, tuple[str, str, str]]:
    path = ROOT / "tests" / "tamper" / "test_operators_examples.py"
    spec = importlib.util.spec_from_file_location("operator_examples", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    examples: dict[str, tuple[str, str, str]] = module.EXAMPLES
    return examples


def _changed(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, with their indentation relative to each other."""
    a, b = before.splitlines(keepends=True), after.splitlines(keepends=True)
    while a and b and a[0] == b[0]:
        del a[0], b[0]
    while a and b and a[-1] == b[-1]:
        del a[-1], b[-1]
    shifted = dedent("".join([*a, *b])).splitlines()
    return " ⏎ ".join(shifted[: len(a)]), " ⏎ ".join(shifted[len(a) :])


def _code(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`" if text else "nothing"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
