"""The page: it stands alone, runs nothing, and each comment and its highlight lead to each other."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from hypothesis import HealthCheck, given, settings
from report_builders import HOSTILE, at, file_of, plain_report, reports

from momus.critique import Comment, Span, TextMap
from momus.review.finding import Cell, FileReport, Report
from momus.review.output import FORMATS, Options
from momus.review.output.page import rows
from momus.review.output.syntax import colours
from momus.review.output.visible import visible

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "article", "nav", "details"),
    *("summary", "div", "span", "p", "h1", "h2", "h3", "ul", "ol", "li", "a", "b", "code", "pre"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "title", "dir", "aria-label"}
VOID = {"meta"}


class Page(HTMLParser):
    """Reads a page as a browser's parser would, and notes everything in it that could act."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.policy = ""
        self.style = ""
        self.open: list[str] = []
        self.highlights: dict[str, str] = {}
        self.comments: dict[str, str] = {}
        self._marks: list[str] = []
        self._note = ""
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {key: value or "" for key, value in attrs}
        self.tags.add(tag)
        self.attributes |= set(fields)
        if tag not in VOID:
            self.open.append(tag)
        if fields.get("http-equiv") == "Content-Security-Policy":
            self.policy = fields["content"]
        if "href" in fields:
            self.links.append(fields["href"])
        if "id" in fields:
            self.ids.append(fields["id"])
        if tag == "a" and "mark" in fields.get("class", "").split():
            self._marks = [name for name in fields["class"].split() if re.fullmatch(r"m\d+", name)]
        if tag == "article":
            self._note = fields["id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "a":
            self._marks = []
        if tag == "article":
            self._note = ""

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.style += data
        for name in self._marks:
            self.highlights[name] = self.highlights.get(name, "") + data
        if self._note:
            self.comments[self._note] = self.comments.get(self._note, "") + data


def page_of(report: Report) -> Page:
    return Page(FORMATS["html"](report, Options()))


def squeezed(text: str) -> str:
    return re.sub(r"[\s`]", "", text)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_any_review_is_inert_and_linked(report: Report) -> None:
    page = page_of(report)
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert len(set(page.ids)) == len(page.ids)
    assert all(link[0] == "#" and link[1:] in page.ids for link in page.links)
    for number, finding in enumerate(report.findings, 1):
        assert squeezed(visible(finding.comment.text)) in squeezed(page.comments[f"c{number}"])
        wanted = squeezed(visible(finding.quote.replace("\r", "\n")))
        assert wanted in squeezed(page.highlights[f"m{number}"]) or not wanted


def test_the_policy_lets_in_the_one_style_and_nothing_else() -> None:
    written = FORMATS["html"](plain_report(), Options())
    page = Page(written)
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert page.policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert written.count("<style>") == 1
    assert not re.search(r"url\(|@import|https?:", page.style)


def test_hostile_text_is_only_text() -> None:
    text = " ".join(HOSTILE[:6])
    code = f"x = '''{text}'''\n"
    report = Report((file_of(text.replace("/", "_"), code, at(code, "x", text=text, suggestion=text, witness=text)),))
    written = FORMATS["html"](report, Options())
    page = Page(written)
    assert "script" not in page.tags and "img" not in page.tags
    assert "onerror" not in page.attributes
    assert "alert(1)" in page.comments["c1"]


def test_code_and_comment_point_at_each_other() -> None:
    page = page_of(plain_report())
    assert page.highlights == {"m1": "number * size", "m2": "range(start, start + size + 1)"}
    assert {"#c1", "#c2", "#m1", "#m2"} <= set(page.links)
    for number in (1, 2):
        assert f"body:has(#c{number}:is(:hover,:focus-within,:target)) .m{number}" in page.style


def test_overlapping_highlights_are_both_marked() -> None:
    code = "value = compute(a + b)\n"
    report = Report((file_of("a.py", code, at(code, "compute(a + b)"), at(code, "a + b"), at(code, "+ b)")),))
    assert page_of(report).highlights == {"m1": "compute(a + b)", "m2": "a + b", "m3": "+ b)"}


def test_what_can_not_be_seen_at_the_start_of_a_later_line_is_highlighted_too() -> None:
    code = "x = 1\n \x1f\n"
    assert page_of(Report((file_of("a.py", code, at(code, "\n \x1f")),))).highlights == {"m1": " <U+001F>"}


def test_a_long_file_is_cut_around_the_findings() -> None:
    code = "".join(f"line_{n} = {n}\n" for n in range(1, 400))
    file = file_of("a.py", code, at(code, "line_100 = 100"), at(code, "line_103 = 103"), at(code, "line_300 = 300"))
    cut = rows(file, TextMap(code), dict(enumerate(file.findings, 1)))
    assert [(row.lines.start, row.lines.stop - 1, row.findings, row.label) for row in cut] == [
        (95, 101, (1,), "94 lines"),
        (102, 108, (2,), ""),
        (295, 305, (3,), "186 lines"),
    ]


@settings(max_examples=60, deadline=None)
@given(reports())
def test_rows_show_every_highlighted_line_once(report: Report) -> None:
    for file in report.files:
        text = TextMap(file.text)
        numbered = dict(enumerate(file.findings, 1))
        cut = rows(file, text, numbered)
        shown = [line for row in cut for line in row.lines]
        assert sorted(set(shown)) == shown
        assert sorted(n for row in cut for n in row.findings) == list(numbered)
        assert all(set(text.lines(finding.span)) <= set(shown) for finding in file.findings)


def test_the_cells_of_a_notebook_are_apart() -> None:
    code = "a = 1\nb = a / 0\nc = b\n"
    cells = (Cell(1, None, 0, 1, 1), Cell(2, None, 1, 2, 3))
    report = Report((file_of("n.ipynb", code, at(code, "a = 1"), at(code, "a / 0"), cells=cells),))
    written = FORMATS["html"](report, Options())
    assert written.index("Cell 1") < written.index("Cell 2")
    assert re.findall(r'class="n">(\d+)<', written) == ["1", "1", "2"]


def test_files_without_findings_are_listed() -> None:
    written = FORMATS["html"](
        Report((FileReport("clean.py", "x\n"), FileReport("bad.py", error="Not UTF-8."))), Options()
    )
    assert "Nothing found in 1 file" in written
    assert "<li><code>clean.py</code></li>" in written
    assert "<li class=failed><b>Not reviewed</b> <code>bad.py</code> Not UTF-8.</li>" in written


def test_code_is_coloured_by_what_it_is() -> None:
    code = "def f():\n    # why\n    return 'é' if None else 1\n"
    said = [(code[a:b], kind) for a, b, kind in colours(TextMap(code))]
    assert ("def", "keyword") in said and ("# why", "comment") in said and ("None", "keyword") in said
    assert any("é" in piece and kind == "string" for piece, kind in said)
    assert colours(TextMap("x = (\n")) == []


def test_only_the_end_of_a_line_can_be_meant() -> None:
    code = "a = 1\nb = 2\n"
    page = page_of(Report((file_of("a.py", code, Comment(Span(5, 6), "Here.")),)))
    assert page.highlights == {"m1": " "}
