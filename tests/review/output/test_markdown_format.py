"""Markdown in which nothing but our own structure is live, checked by a CommonMark parser."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from report_builders import HOSTILE, PAGER, at, file_of, plain_report, reports, texts

from momus.review.finding import Report
from momus.review.output import FORMATS, Options
from momus.review.output.markdown import MARKER, code_span, escape, fenced
from momus.review.output.visible import one_line, visible

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def tokens(markdown: str) -> Iterator[Token]:
    for token in PARSER.parse(markdown):
        yield token
        yield from token.children or []


def kinds(markdown: str) -> set[str]:
    return {token.type for token in tokens(markdown)}


@quick
@given(texts)
def test_text_of_any_origin_is_paragraphs_of_text_and_code(text: str) -> None:
    assert kinds(escape(text)) <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
        "code_inline",
        "softbreak",
    }


@quick
@given(texts)
def test_it_is_shown_letter_for_letter(text: str) -> None:
    shown = "".join(t.content for t in tokens(escape(text)) if t.type in ("text", "text_special", "code_inline"))
    letters = re.compile(r"[\s`]")  # backticks may turn into a code span
    assert letters.sub("", shown) == letters.sub("", visible(text))


@quick
@given(texts)
def test_nothing_that_a_host_makes_live_stands_outside_of_code(text: str) -> None:
    plain = "\n".join(
        "".join(c.content if c.type in ("text", "text_special") else " " for c in token.children or [])
        for token in PARSER.parse(escape(text))
        if token.type == "inline"
    )
    assert not re.search(r"@\w|#\d|//\w|www\.\w|\bGH-\d", plain)


@given(st.text(max_size=12) | st.sampled_from(HOSTILE))
def test_a_code_span_and_a_fence_hold_anything(text: str) -> None:
    spans = [t for t in tokens(f"a {code_span(text)} b") if t.type != "inline"]
    assert [t.type for t in spans] == ["paragraph_open", "text", "code_inline", "text", "paragraph_close"]
    assert spans[2].content.strip() == one_line(text).strip()
    block, after = PARSER.parse(fenced(visible(text), "text") + "\nafter")[:2]
    assert (block.type, after.type) == ("fence", "paragraph_open")


@quick
@given(reports())
def test_a_review_has_our_structure_and_no_other(report: Report) -> None:
    written = FORMATS["markdown"](report, Options())
    assert written.startswith(MARKER + "\n")
    found = list(tokens(written.removeprefix(MARKER)))
    assert not {t.type for t in found} & {"html_block", "html_inline", "link_open", "image", "hr", "table_open"}
    assert [t.type for t in found].count("heading_open") == 1
    assert len([t for t in found if t.type == "fence" and t.info == "text"]) == len(report.findings)


def test_it_reads_as_a_comment() -> None:
    written = FORMATS["markdown"](plain_report(), Options())
    assert "### Momus: 2 findings in 3 files (1 high, 1 medium); 1 file not reviewed" in written
    assert "**high** wrong-operator 87% at `src/pager.py:3:13`" in written
    assert "   3 │     start = number * size\n     │             ^^^^^^^^^^^^^\n" in written
    assert "-     start = number * size\n+     start = (number - 1) * size\n" in written
    assert "- **not reviewed**: `src/broken.py`: It is not UTF-8: save it as UTF-8." in written


def test_mentions_and_addresses_are_shown_as_code() -> None:
    assert escape("ask @octo or see https://x.example/a_b (#12)") == (
        "ask `@octo` or see `https://x.example/a_b` (`#12`)"
    )
    assert escape("use `a*b` not a*b") == "use `a*b` not a\\*b"
    assert escape("1. one") == "1\\. one"
    assert escape("- one") == "\\- one"


def test_a_comment_too_long_for_the_host_is_cut_and_says_so() -> None:
    comments = [at(PAGER, "found", text=f"{n} " + "word " * 300) for n in range(60)]
    written = FORMATS["markdown"](Report((file_of("a.py", PAGER, *comments),)), Options())
    assert len(written.encode()) <= 60_100
    shown = written.count("**medium**")
    assert f"{60 - shown} more findings would not fit here." in written
