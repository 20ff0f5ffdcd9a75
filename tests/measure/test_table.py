"""What stands in the tables is what was measured."""

from __future__ import annotations

from planted import Planted, make_tamper, oracle

from momus.critics.trivial import Empty, Everything
from momus.critique import Critique
from momus.measure import markdown, measure
from momus.measure.table import columns, rich_slice, rich_table
from momus.records import Tamper, Task


def test_a_markdown_table_has_a_row_for_each_critic_with_its_intervals(tampers: list[Tamper]) -> None:
    results = measure([Planted("oracle", oracle), Empty()], tampers, label="planted", draws=50)
    lines = markdown(results, ["length"]).splitlines()
    assert lines[0] == "**planted: 4 answers to 4 problems**"
    header, rule, first, second = (line.strip("| ").split(" | ") for line in lines[2:6])
    assert len(header) == len(rule) == len(first) == len(second)
    cells = dict(zip(header, first, strict=True))
    assert cells["critic"] == "`oracle`"
    assert cells["place@1 %"] == "100.0 (39.8–100.0)"
    assert cells["chance, as many lines as @3 %"] == "25.0 (9.9–70.2)"
    assert cells["twin test, place"] == "+1.00 (-0.20–+1.00)"
    assert dict(zip(header, second, strict=True))["place@1 %"] == "0.0 (0.0–60.2)"
    assert "| `oracle` | 100.0 / +1.00 |" in lines


def test_columns_without_a_figure_are_left_out(tampers: list[Tamper]) -> None:
    shown = [c.measure for c in columns(measure([Everything()], tampers, k=1))]
    assert len(shown) == len(set(shown))
    assert "surprisal@1" not in shown and "clean_flagged" not in shown and "bugs_found" not in shown
    with_clean = measure([Everything()], tampers, [Task(id="c", question="", answer="x = 1\n")])
    assert "clean_flagged" in [c.measure for c in columns(with_clean)]


def test_failures_have_a_column_where_there_are_any(tampers: list[Tamper]) -> None:
    def broken(task: Task) -> Critique:
        raise ValueError("no")

    text = markdown(measure([Planted("broken", broken), Empty()], tampers))
    assert "| failed |" in text
    row = next(line for line in text.splitlines() if "`broken`" in line)
    assert row.endswith("| 8 |")


def test_a_terminal_shows_the_same(tampers: list[Tamper]) -> None:
    from rich.console import Console

    results = measure([Planted("oracle", oracle)], [*tampers, make_tamper(9, pad=40)], label="planted")
    console = Console(width=250, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(rich_table(results))
    console.print(rich_slice(results, "length"))
    text = console.export_text()
    assert "planted: 5 answers to 5 problems" in text
    assert "47.8–100.0" in text and "[dim]" not in text
    assert "31+" in text
