"""A study ends in a report that holds every figure, and two studies can be compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from momus.measure.ballots import origin_of
from momus.measure.edits import drafted_by
from momus.measure.report import write_report
from momus.measure.report.catalogue import RECIPES
from momus.measure.report.source import read_source
from momus.records import Choice, Comparison, Rating, Tamper, read_jsonl
from momus.study.graph import read_manifest

pytestmark = pytest.mark.timeout(1200)


def test_the_report_lacks_no_figure(whole: Path) -> None:
    html = (whole / "report" / "report.html").read_text(encoding="utf-8")
    assert "Not drawn" not in html
    for recipe in RECIPES:
        assert f'<section id="{recipe.slug}">' in html, recipe.heading
    assert "momus study tiny.toml" in html and str(whole) not in html


def test_whatever_is_not_of_people_says_so(whole: Path) -> None:
    data = whole / "report" / "report-data"
    for recipe in RECIPES:
        body = json.loads((data / f"{recipe.slug}.json").read_text(encoding="utf-8"))
        assert "simulated" in body["simulated"] or "judged by code" in body["simulated"], recipe.heading
    assert all(rating.simulated for rating in read_jsonl(whole / "evidence" / "ratings.jsonl", Rating))
    assert all(choice.simulated for choice in read_jsonl(whole / "evidence" / "choices.jsonl", Choice))
    html = (whole / "report" / "report.html").read_text(encoding="utf-8")
    about = html[: html.index("<section")]
    assert "all ratings are simulated" in about and "bugs written by hand" in about


def test_all_critics_of_an_answer_stand_in_one_comparison(whole: Path) -> None:
    comparisons = list(read_jsonl(whole / "evidence" / "comparisons.jsonl", Comparison))
    assert {origin_of(c) for c in comparisons} == {"inserted", "natural", "clean"}
    assert any(len(c.bugs) > 1 for c in comparisons)
    for comparison in comparisons:
        critics = [sampled.critic for sampled in comparison.critiques]
        assert len(critics) == len(set(critics))
        assert {"sft", "ppo", "ppo+fsbs@50", "sft+fsbs@75", "surprisal", "empty", "everything", "random"} <= set(
            critics
        )
        assert ("gold" in critics) == ("simulated-human" in critics) == bool(comparison.bugs)
        assert any(drafted_by(critic) == "ppo+fsbs@50" for critic in critics) == bool(comparison.bugs)


def test_the_family_has_four_sizes_whose_compute_is_recorded(whole: Path) -> None:
    body = json.loads((whole / "scaling" / "scaling.json").read_text(encoding="utf-8"))
    for family in body["families"]:
        costs = [size["flops"] for size in family["sizes"]]
        assert len(costs) == 4 and costs == sorted(costs) and costs[-1] > 4 * costs[0]
        assert all({"cbi_fix", "preferred"} <= size["measures"].keys() for size in family["sizes"])
    assert body["multiplier"]["verdict"]
    size = next(size for size in body["families"][0]["sizes"] if size["name"] == "xs")
    parts = [read_manifest(whole, f"scaling-xs-{stage}") for stage in ("pretrain", "scan")]
    assert sum(part["flops"] for part in parts if part is not None) == pytest.approx(size["flops"])
    discriminators = json.loads((whole / "discriminators" / "discriminators.json").read_text(encoding="utf-8"))
    assert {size["name"] for size in discriminators["families"][0]["sizes"]} == {"xs", "s", "l", "own"}
    assert {"sft", "ppo"} <= discriminators["wrong_tenth"].keys()


def test_natural_and_scattered_bugs_stand_beside_the_measured_items(whole: Path) -> None:
    further = list(read_jsonl(whole / "report-items" / "items.jsonl", Tamper))
    natural = [tamper for tamper in further if not any(bug.operator for bug in tamper.bugs)]
    assert len(natural) == 8 and 1 <= len(further) - len(natural) <= 4
    assert {len(tamper.bugs) for tamper in further if tamper not in natural} <= {2, 3}
    measured = json.loads((whole / "evidence" / "measured.json").read_text(encoding="utf-8"))
    assert [data["label"] for data in measured["data"]] == ["tampers", "natural bugs"]
    card = json.loads((whole / "evidence" / "blindspots.json").read_text(encoding="utf-8"))
    assert set(card["recall"]) == {"inserted", "natural"} and all(card["recall"].values())


def test_two_studies_are_compared(whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(whole / "evidence", other / "evidence")
    assert read_source(whole).name == "tiny" and read_source(other).name == "other"
    written = write_report(whole, tmp_path / "both.html", other=other, draws=20)
    html = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert written.missing == () and html.index("What moved") < html.index('<section id="fig-1a">')
    assert "tiny: critics" in html and "other: critics" in html
