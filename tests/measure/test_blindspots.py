"""The blind-spot card, from results to a bundle's folder and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from planted import Planted, make_tamper, oracle

from momus.critics.trivial import Empty
from momus.errors import MomusError
from momus.measure import measure
from momus.measure.blindspots import FILE, card, load, save, table
from momus.records import Tamper


def category(tamper: Tamper, name: str) -> Tamper:
    return tamper.model_copy(update={"bugs": tuple(b.model_copy(update={"category": name}) for b in tamper.bugs)})


@pytest.fixture
def results() -> dict[str, object]:
    inserted = [category(make_tamper(i), "off-by-one" if i % 3 else "aliasing") for i in range(12)]
    natural = [category(make_tamper(i), "off-by-one" if i else "security") for i in range(3)]
    blind = Planted(
        "half",
        lambda task: oracle(task) if int(task.id[1]) % 2 == 0 else oracle(task.model_copy(update={"answer": ""})),
    )
    blind.by_id = True  # which half it finds is told by the ids
    sets = [measure([blind, Empty()], bugs, label=name, draws=50) for name, bugs in (("a", inserted), ("b", natural))]
    return {"data": [found.to_json() for found in sets]}


def test_a_card_goes_into_a_bundle_and_comes_back(results: dict[str, object], tmp_path: Path) -> None:
    made = card(results, "half", inserted=["a"], natural=["b"], command="momus measure ...")
    assert set(made.recall["inserted"]) == {"off-by-one", "aliasing"}
    assert made.recall["inserted"]["aliasing"].n == 4
    assert made.recall["natural"]["security"].mean == 1.0
    assert save(made, tmp_path).name == FILE
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert load(tmp_path) == made
    assert load(tmp_path / "elsewhere") is None


def test_the_table_begins_with_the_blindest_class_and_marks_few(results: dict[str, object]) -> None:
    said = table(card(results, "half", inserted=["a"], natural=["b"]))
    lines = said.splitlines()
    assert lines[2].startswith("all bugs")
    assert "n=4*" in said and "fewer than 10 bugs" in said
    assert lines[-3].startswith("security")  # not among the inserted ones
    assert "classed by what their fix changes" in lines[-2]
    recalls = [float(line.split()[1]) for line in lines[3:5]]
    assert recalls == sorted(recalls)


def test_what_is_missing_is_named(results: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="no data set 'c': those there are 'a', 'b'"):
        card(results, "half", inserted=["c"])
    with pytest.raises(MomusError, match="no critic 'bundled'"):
        card(results, "bundled", inserted=["a"])
    with pytest.raises(MomusError, match="one data set of each kind"):
        card(results, "half", inserted=["a", "b"])
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(MomusError, match="can't read the blind-spot card"):
        load(tmp_path)


def test_review_prints_the_card_of_the_bundle_or_says_that_there_is_none(
    results: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from momus.cli.review import command
    from momus.models import bundled

    monkeypatch.setattr(bundled, "SHIPPED", tmp_path)
    asked = ["--blind-spots", "--critic", "bundled"]
    with pytest.raises(MomusError, match="ships no blind-spot card"):
        CliRunner().invoke(command, asked, standalone_mode=False, catch_exceptions=False)
    save(card(results, "half", inserted=["a"]), tmp_path)
    said = CliRunner().invoke(command, asked, standalone_mode=False, catch_exceptions=False)
    assert said.return_value == 0
    assert "off-by-one" in said.output and "aliasing" in said.output
