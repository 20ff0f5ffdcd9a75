"""The critique format: what is written is read back, no text breaks the reader, positions are exact."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.critique import (
    CATEGORIES,
    SEVERITIES,
    SILENCE,
    Comment,
    Critique,
    Span,
    TextMap,
    answer_of_reply,
    occurrences,
    parse,
    render,
)

# Text that is out to break a reader: fences, backtick runs, line ends of every kind, wide and combining characters.
FENCES = ["```", "````", "`", "\\```", " ```", "   ```py", "    ```", "~~~", "#2", "suggestion", "off-by-one", "high"]
SPACES = ["\n", "\r\n", "\r", "\t", "   ", "    ", "\u2028", "\x0c", "\x00"]
WORDS = [
    "x = 1",
    "for i in range(n):",
    "'''",
    '"""',
    "ab",
    "e\u0301",
    "👩\u200d👩\u200d👧",
    "🐍",
    "\ud800",
    SILENCE,
    "漢字",
]
NASTY = st.sampled_from([*FENCES, *SPACES, *WORDS])
ANY_TEXT = st.one_of(
    st.text(max_size=60), st.lists(NASTY, max_size=14).map("".join), st.lists(NASTY, max_size=8).map("\n".join)
)


@st.composite
def critiques(draw: st.DrawFn) -> tuple[Critique, str]:
    answer = draw(ANY_TEXT.filter(bool))
    comments = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(answer) - 1))
        comments.append(
            Comment(
                Span(start, draw(st.integers(start + 1, len(answer)))),
                draw(ANY_TEXT),
                draw(st.sampled_from(CATEGORIES)),
                draw(st.sampled_from(SEVERITIES)),
                draw(st.none() | ANY_TEXT),
                draw(st.none() | st.floats(0, 1)),
                draw(st.none() | ANY_TEXT),
            )
        )
    return Critique(tuple(comments)), answer


@given(critiques())
def test_what_is_rendered_is_parsed_back_whole(pair: tuple[Critique, str]) -> None:
    critique, answer = pair
    parsed = parse(render(critique, answer), answer)
    assert parsed.critique == critique.without_metadata()
    assert parsed.unanchored == ()
    assert parsed.preamble == ""


@given(critiques())
def test_rendering_twice_changes_nothing(pair: tuple[Critique, str]) -> None:
    critique, answer = pair
    once = render(critique, answer)
    assert render(parse(once, answer).critique, answer) == once


@given(ANY_TEXT, ANY_TEXT)
def test_parse_takes_any_text_and_anchors_only_what_stands_in_the_answer(text: str, answer: str) -> None:
    for comment in parse(text, answer).critique:
        quote = comment.highlight.of(answer)
        assert quote
        assert quote in text.replace("\r\n", "\n") or quote in text


@given(critiques(), st.data())
def test_parse_takes_a_critique_that_was_cut_or_garbled(pair: tuple[Critique, str], data: st.DataObject) -> None:
    critique, answer = pair
    text = render(critique, answer)
    cut = data.draw(st.integers(0, len(text)))
    parsed = parse(text[:cut] + data.draw(NASTY) + text[cut + 1 :], answer)
    for comment in parsed.critique:
        assert comment.highlight.end <= len(answer)


def test_the_format_reads_as_the_paper_shows_it() -> None:
    answer = "xs = [1]\nfor i in range(len(xs) + 1):\n    print(xs[i])\n"
    start = answer.index("for")
    critique = Critique(
        (Comment(Span(start, start + 28), "One past the end.", "off-by-one", "high", "for i in range(len(xs)):"),)
    )
    assert render(critique, answer) == (
        "```python off-by-one high\nfor i in range(len(xs) + 1):\n```\nOne past the end.\n"
        "\n```suggestion\nfor i in range(len(xs)):\n```\n"
    )


def test_silence_is_a_critique() -> None:
    assert render(Critique(), "x = 1\n") == SILENCE + "\n"
    parsed = parse(SILENCE, "x = 1\n")
    assert (parsed.critique, parsed.preamble, parsed.unanchored) == (Critique(), "", ())


def test_a_quote_that_stands_twice_names_the_one_it_means() -> None:
    answer = "x += 1\ny = x\nx += 1\n"
    critique = Critique((Comment(Span(13, 19), "Twice."),))
    text = render(critique, answer)
    assert "#2" in text.splitlines()[0]
    assert parse(text, answer).critique == critique
    assert parse(text.replace("#2", "#3"), answer).critique == Critique()
    assert parse(text.replace(" #2", ""), answer).critique.comments[0].highlight == Span(0, 6)


def test_overlapping_occurrences_are_told_apart() -> None:
    critique = Critique((Comment(Span(1, 3), "Middle."),))
    assert occurrences("aa", "aaa") == [0, 1]
    assert parse(render(critique, "aaa"), "aaa").critique == critique


def test_a_fence_in_the_answer_is_met_by_a_longer_fence() -> None:
    answer = 'doc = """\n```\ncode\n```\n"""\n'
    critique = Critique((Comment(Span(0, len(answer) - 1), "Says ```` in passing.\n```\nshown\n```\nEnd."),))
    text = render(critique, answer)
    assert text.startswith("````python")
    assert parse(text, answer).critique == critique


def test_an_indented_fence_inside_a_quote_does_not_end_it() -> None:
    answer = 'def f():\n    """\n    ```\n    f()\n    ```\n    """\n'
    parsed = parse(f"```python\n{answer}```\nWrong docstring.\n", answer)
    assert [c.highlight.of(answer) + "\n" for c in parsed.critique] == [answer]


def test_a_quote_that_is_not_in_the_answer_is_kept_but_never_anchored() -> None:
    parsed = parse("Hello.\n```python off-by-one\ny = 2\n```\nWrong.\n\n```suggestion\ny = 3\n```\n", "x = 1\n")
    assert parsed.critique == Critique()
    assert parsed.preamble == "Hello."
    assert [(u.quote, u.text) for u in parsed.unanchored] == [("y = 2", "Wrong."), ("y = 3", "")]


def test_an_unclosed_quote_and_a_second_suggestion_are_not_lost() -> None:
    answer = "x = 1\n"
    parsed = parse("```py\nx = 1\n```\nA\n```suggestion\na\n```\n```suggestion\nb\n```\n```py\nx = 1\n", answer)
    assert [c.suggestion for c in parsed.critique] == ["a"]
    assert [u.reason for u in parsed.unanchored] == [
        "a second suggestion for one comment",
        "the quote's fence is not closed",
    ]


def test_unknown_words_in_the_info_string_fall_back() -> None:
    comment = parse("```python made-up-category catastrophic\nx = 1\n```\nHm.\n", "x = 1\n").critique.comments[0]
    assert (comment.category, comment.severity) == ("other", "medium")


def test_a_comment_outside_the_closed_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown category"):
        Comment(Span(0, 1), "x", category="nonsense")
    with pytest.raises(ValueError, match="severity"):
        Comment(Span(0, 1), "x", severity="fatal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="span"):
        Span(3, 3)
    with pytest.raises(ValueError, match="runs past"):
        render(Critique((Comment(Span(0, 9), "x"),)), "short")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Here:\n```python\nx = 1\ny = 2\n```\nDone.", "x = 1\ny = 2\n"),
        ("Small:\n```\na\n```\nand large:\n```\nbb = 1\ncc = 2\n```\n", "bb = 1\ncc = 2\n"),
        ("one\ntwo\nthree\n```\nx = 1\n```\n", None),
        ("no code at all", None),
        ("", None),
        ("```\n\n```", None),
        ("```python\r\nx = 1\r\ny = 2\r\n```\r\n", "x = 1\r\ny = 2\r\n"),
        ("```python\nx = 1", "x = 1\n"),
    ],
)
def test_an_answer_is_the_largest_block_of_a_reply_that_is_half_code(reply: str, answer: str | None) -> None:
    assert answer_of_reply(reply) == answer


@given(ANY_TEXT)
def test_an_answer_is_taken_from_any_reply_without_raising(reply: str) -> None:
    found = answer_of_reply(reply)
    assert found is None or found.strip()


# Naive oracles for TextMap: the text is cut into lines first, then everything is counted.
def _lines_of(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)


def _line_column(text: str, offset: int) -> tuple[int, int]:
    before = 0
    lines = _lines_of(text)
    for number, line in enumerate(lines, 1):
        if offset < before + len(line):
            return number, offset - before + 1
        before += len(line)
    open_line = not lines or lines[-1][-1] in "\r\n"
    return (len(lines) + 1, 1) if open_line else (len(lines), len(lines[-1]) + 1)


@given(ANY_TEXT, st.data())
def test_positions_agree_with_counting(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    text_map = TextMap(text)
    line, column = _line_column(text, offset)
    assert text_map.line_column(offset) == (line, column)
    assert text_map.line(offset) == line
    prefix = text[offset - column + 1 : offset]
    assert text_map.utf16_column(offset) == 1 + sum(2 if ord(ch) > 0xFFFF else 1 for ch in prefix)
    assert text_map.byte_column(offset) == 1 + sum(len(ch.encode("utf-8", "surrogatepass")) for ch in prefix)
    assert text_map.byte_offset(offset) == sum(len(ch.encode("utf-8", "surrogatepass")) for ch in text[:offset])
    start, end = text_map.line_span(line)
    assert text[start:end] == text[start:end].rstrip("\r\n")
    if offset <= end:  # not between the line's last character and the next line
        assert text_map.offset(line, column) == offset
        assert text_map.offset_of_byte_column(line, text_map.byte_column(offset) - 1) == offset


@given(ANY_TEXT)
def test_lines_are_counted_as_python_counts_them(text: str) -> None:
    assert TextMap(text).line_count == max(1, len(_lines_of(text)))


@given(ANY_TEXT.filter(bool), st.data())
def test_a_span_touches_the_lines_of_its_characters(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert list(TextMap(text).lines(Span(start, end))) == sorted({_line_column(text, o)[0] for o in range(start, end)})


def test_a_column_off_the_line_is_clamped_to_it() -> None:
    for text in ("ab\ncd\n", "äb\ncd\n"):
        text_map = TextMap(text)
        assert text_map.offset(1, 99) == 2
        assert text_map.offset(99) == len(text)
        assert text_map.offset_of_byte_column(1, 99) == 2
    assert TextMap("äb").offset_of_byte_column(1, 1) == 0  # inside the two bytes of the first character
