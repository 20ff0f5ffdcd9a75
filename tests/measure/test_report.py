"""The report: every figure where there is data, none without its n, its interval and what was simulated."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from full_run import write_run
from rated import comparison, rate

from momus.errors import MomusError
from momus.measure.figure import Figure
from momus.measure.report import Written, write_report
from momus.measure.report.catalogue import RECIPES
from momus.measure.report.charts import Dots, Lines, Series, draw
from momus.measure.report.compare import difference
from momus.measure.report.embed import embedded
from momus.measure.report.source import read_source
from momus.records import write_jsonl


class Page(HTMLParser):
    """What a browser would see: tags by id, links, attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "first"
    folder.mkdir()
    return write_run(folder)


@pytest.fixture(scope="module")
def report(run: Path) -> tuple[Written, str]:
    output = run.parent / "report.html"
    written = write_report(run, output, command="momus measure report first", draws=100)
    return written, output.read_text(encoding="utf-8")


def test_every_figure_is_drawn_where_its_data_is_there(report: tuple[Written, str]) -> None:
    written, html = report
    assert written.missing == ()
    assert set(written.drawn) == {recipe.heading for recipe in RECIPES}
    of_the_paper = ("1a", "1b", "4", "5a", "5b", *map(str, range(6, 15)))
    assert {f"Figure {number}" for number in of_the_paper} <= set(written.drawn)
    assert html.count("<svg ") == len(RECIPES)
    assert "Not drawn" not in html


def test_every_figure_says_its_n_its_interval_and_its_command(report: tuple[Written, str]) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", report[1], re.DOTALL)
    assert len(captions) == len(RECIPES)
    for caption in captions:
        assert caption.startswith("n: ")
        assert "95%" in caption
        assert "<code>momus measure report first</code>" in caption
    assert sum("<code>momus rate --rater simulated-a --seed 0</code>" in caption for caption in captions) >= 8


def test_what_was_simulated_is_said_at_the_top_and_at_each_figure_of_ratings(report: tuple[Written, str]) -> None:
    html = report[1]
    assert "all ratings are simulated" in html[: html.index("<section")]
    for name in ("fig-1a", "fig-1b", "fig-6", "fig-7", "fig-8", "fig-10", "fig-11", "fig-12", "table-3"):
        section = html[html.index(f'<section id="{name}">') :]
        assert "Simulated raters: simulated-a, simulated-b" in section[: section.index("</section>")], name
    body = json.loads((report[0].data / "fig-14.json").read_text())
    assert body["simulated"] == "simulated choosers"


def test_the_page_stands_alone_and_runs_nothing(report: tuple[Written, str]) -> None:
    page = Page(report[1])
    assert all(link.startswith("#") for link in page.links)
    assert not [a for a in page.attributes if a[1] in ("src", "style") or a[1].startswith("on")]
    assert "<script" not in report[1] and "@import" not in report[1]
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert "default-src 'none'; style-src 'sha256-" in report[1]
    assert 'name="viewport"' in report[1]


def test_the_data_of_every_figure_stands_beside_the_page(report: tuple[Written, str]) -> None:
    data = report[0].data
    for recipe in RECIPES:
        assert (data / f"{recipe.slug}.png").read_bytes().startswith(b"\x89PNG"), recipe.number
        body = json.loads((data / f"{recipe.slug}.json").read_text())
        rows = list(csv.DictReader((data / f"{recipe.slug}.csv").open()))
        assert body["figure"] == recipe.number
        assert len(rows) == len(body["data"]) > 0
        assert {"series", "row", "mean", "low", "high", "n"} <= set(rows[0])
    assert not list(data.glob("*.partial"))
    board = (data / "leaderboard.md").read_text()
    assert "| `bundled+fsbs@75` |" in board and "simulated raters" in board


def test_the_numbers_of_a_figure_are_those_of_the_statistics(run: Path, report: tuple[Written, str]) -> None:
    source = read_source(run, draws=100)
    assert source.summary is not None
    standing = source.summary.parts["inserted"].standings[0]
    first = json.loads((report[0].data / "fig-1a.json").read_text())["data"][0]
    assert (first["row"], first["mean"], first["n"]) == (standing.critic, round(standing.elo, 6), standing.duels)


def test_the_known_multiplier_and_audit_are_read_as_they_were_written(report: tuple[Written, str]) -> None:
    reading = json.loads((report[0].data / "fig-5b.json").read_text())["reading"]
    assert "Compute that sft needs to match rl: 31.6x" in reading
    rows = json.loads((report[0].data / "section-3-6.json").read_text())["data"]
    assert [(row["row"], row["mean"]) for row in rows] == [("critique", 0.24), ("control", 0.06)]


def test_two_runs_are_compared_and_what_moved_comes_first(run: Path) -> None:
    other = run.parent / "second"
    other.mkdir()
    write_run(other, lift=1.5, seed=1)
    for name in ("scaling.json", "study.json", "audit.json", "discriminators.json"):
        (other / name).unlink()
    output = run.parent / "both.html"
    written = write_report(run, output, other=other, draws=50)
    html = output.read_text()
    assert html.index("What moved") < html.index('<section id="fig-1a">')
    assert "first: Elo" in html and "second: Elo" in html
    assert "No data in second." in html
    assert len(written.drawn) == len(RECIPES)
    moved = re.search(r"<tr><td>Figure 1b: bundled\+fsbs@25</td>(.*?)</tr>", html)
    assert moved is not None
    with pytest.raises(MomusError, match="the same name"):
        write_report(run, output, other=run)


def test_a_difference_of_independent_figures_adds_their_widths_in_squares() -> None:
    found = difference(Figure(0.5, 0.44, 0.53, 10), Figure(0.6, 0.56, 0.68, 20))
    assert (found.mean, found.n) == (pytest.approx(0.1), 10)
    assert found.low == pytest.approx(0.1 - 0.05)  # 0.04 and 0.03
    assert found.high == pytest.approx(0.1 + 0.1)  # 0.08 and 0.06


def test_figures_without_data_are_listed_with_what_they_need(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    comparisons = [comparison(i, ["a", "b"]) for i in range(6)]
    write_jsonl(folder / "comparisons.jsonl", comparisons)
    write_jsonl(folder / "ratings.jsonl", rate(comparisons, lambda i, place, critic: 1 + (i + 3 * place) % 7))
    written = write_report(folder, tmp_path / "r.html", draws=20)
    html = (tmp_path / "r.html").read_text()
    assert written.drawn == ("Figure 1a",)  # one rater: no agreement
    assert "no data: needs scaling.json" in html
    assert "Simulated." not in html  # ann is a person


def test_without_ratings_code_says_which_bugs_were_caught_and_the_figure_says_so(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "measured"
    folder.mkdir()
    shutil.copy(run / "measured.json", folder)
    assert write_report(folder, tmp_path / "r.html").drawn == ("Figure 1b", "Twin test")
    body = json.loads((tmp_path / "r-data" / "fig-1b.json").read_text())
    assert body["simulated"] == "judged by code, not by people"
    rows = {(row["series"], row["row"]): row["mean"] for row in body["data"]}
    assert (rows["held: fix@3", "bundled"], rows["held: place@3", "empty"]) == (1.0, 0.0)


def test_what_is_no_run_is_one_sentence(run: Path, tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="is no folder"):
        write_report(tmp_path / "nowhere", tmp_path / "r.html")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MomusError, match=r"holds nothing to report on: a report reads comparisons\.jsonl"):
        write_report(tmp_path / "empty", tmp_path / "r.html")
    (tmp_path / "empty" / "scaling.json").write_text("{")
    with pytest.raises(MomusError, match="mend it, or take it out"):
        write_report(tmp_path / "empty", tmp_path / "r.html")
    (tmp_path / "empty" / "scaling.json").write_text('{"families": [{}]}')
    with pytest.raises(MomusError, match="hold families of sizes"):
        write_report(tmp_path / "empty", tmp_path / "r.html")


def test_one_task_in_two_splits_is_refused(tmp_path: Path) -> None:
    comparisons = [
        c.model_copy(update={"task": c.task.model_copy(update={"split": split})})
        for c, split in ((comparison(0, ["a", "b"]), "train"), (comparison(1, ["a", "b"]), "heldout"))
    ]
    write_jsonl(tmp_path / "comparisons.jsonl", comparisons)
    with pytest.raises(MomusError, match="no figure on them means anything"):
        read_source(tmp_path)


def test_of_many_critics_the_pairs_are_those_with_the_best_and_a_dial_is_one_track(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    names = ["simulated-human+b@50", *(f"{name}@{dial}" for name in "ab" for dial in (10, 25, 50, 75)), "c", "d"]
    inserted = [comparison(i, names) for i in range(4)]
    natural = [comparison(10 + i, names, kind="natural") for i in range(4)]
    quality = {name: (1, 2, 3, 5, 6)[place % 5] for place, name in enumerate(names)} | {names[0]: 7, "d": 7}
    write_jsonl(folder / "comparisons.jsonl", [*inserted, *natural])
    scores = [
        row
        for attribute in ("overall", "cbi", "comprehensiveness", "nitpick", "fake_problem")
        for row in rate([*inserted, *natural], lambda i, place, critic: quality[critic], attribute=attribute)  # type: ignore[arg-type]
    ]
    write_jsonl(folder / "ratings.jsonl", scores)
    write_report(folder, tmp_path / "r.html", draws=20)
    pairs = json.loads((tmp_path / "r-data" / "table-3.json").read_text())
    assert len(pairs["data"]) == len(names) - 1 and "stands highest of those that write alone" in pairs["reading"]
    assert all(" over " in row["row"] and "d" in row["row"].split(" over ") for row in pairs["data"])
    for number in ("8", "12"):
        rows = json.loads((tmp_path / "r-data" / f"fig-{number}.json").read_text())["data"]
        assert {row["series"] for row in rows} == {"a", "b", "c", "d", "simulated-human+b"}, number
        assert [row["row"] for row in rows if row["series"] == "a"] == ["10", "25", "50", "75"]


def test_a_study_is_read_by_its_evidence_and_its_notes_stand_at_the_top(run: Path, tmp_path: Path) -> None:
    study = tmp_path / "mine"
    shutil.copytree(run, study / "evidence")
    manifest = study / "evidence" / "manifest.json"
    manifest.write_text(json.dumps({"command": "momus study mine.toml", "notes": ["bugs <b>written</b> by hand"]}))
    assert read_source(study).name == "mine"
    write_report(study, tmp_path / "r.html", draws=20)
    html = (tmp_path / "r.html").read_text()
    assert "mine: bugs &lt;b&gt;written&lt;/b&gt; by hand" in html[: html.index("<section")]
    assert "momus study mine.toml" in html


def test_names_from_records_are_text_whatever_they_hold(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    names = ["<script>alert(1)</script>", "$\\frac{1}$", "nul\u202e\x07"]
    comparisons = [comparison(i, names) for i in range(4)]
    write_jsonl(folder / "comparisons.jsonl", comparisons)
    write_jsonl(folder / "ratings.jsonl", rate(comparisons, lambda i, place, critic: 1 + (i + 2 * place) % 7))
    write_report(folder, tmp_path / "r.html", draws=20)
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "\u202e" not in html and "\x07" not in html
    assert "$\\frac{1}$" in html


def test_charts_differ_by_mark_and_keep_nothing_of_their_own_styles() -> None:
    figures = (Figure(0.5, 0.4, 0.6, 9), None)
    svg, png = draw(Dots(("a", "b"), (Series("x", figures), Series("y", figures)), "%", True), "one")
    again, _ = draw(Dots(("a", "b"), (Series("x", figures), Series("y", figures)), "%", True), "one")
    assert svg == again
    assert png.startswith(b"\x89PNG")
    assert "style" not in svg and "<metadata" not in svg
    assert re.search(r'id="one-', svg) and not re.search(r'id="(?!one-)', svg)
    empty, _ = draw(Lines((), "x", "y"), "empty")
    assert empty.startswith("<svg")


def test_styles_become_attributes_and_references_follow_their_ids() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
        "<metadata>when</metadata><defs><style>*{}</style><path id='p'/></defs>"
        "<use xlink:href='#p' style='fill: #fff; clip-path: url(#p)'/>"
        "<text style=\"font: bold 10px 'X'; text-anchor: middle\">a &lt; b</text></svg>"
    )
    found = embedded(svg, "f")
    assert 'href="#f-p"' in found and 'clip-path="url(#f-p)"' in found and 'id="f-p"' in found
    assert 'font-size="10px"' in found and 'font-weight="bold"' in found and 'text-anchor="middle"' in found
    assert "a &lt; b" in found and "when" not in found and "style" not in found


def test_the_command_writes_the_page_and_says_what_had_no_data(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "part"
    folder.mkdir()
    shutil.copy(run / "audit.json", folder)
    arguments = [sys.executable, "-m", "momus", "measure", "report", str(folder), "-o", str(tmp_path / "r.html")]
    done = subprocess.run([*arguments, "--json"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["drawn"] == ["Section 3.6"]
    assert told["no_data"]["Figure 14"] == "needs choices.jsonl"
    assert str(tmp_path) not in (tmp_path / "r.html").read_text()
    assert "momus measure report part -o r.html" in (tmp_path / "r.html").read_text()
    failed = subprocess.run([*arguments[:5], str(tmp_path / "no")], capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stderr.count("\n")) == (2, 1)


def test_the_command_makes_a_blind_spot_card(run: Path, tmp_path: Path) -> None:
    arguments = ["--critic", "bundled", "--inserted", "held", "--natural", "nat", "--bundle", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "momus", "measure", "blind-spots", str(run / "measured.json"), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "off-by-one" in done.stdout
    assert json.loads((tmp_path / "blindspots.json").read_text())["sets"] == {"inserted": ["held"], "natural": ["nat"]}
