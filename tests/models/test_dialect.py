"""The critic's own language: what is put into tokens comes back, and nothing that a text holds is mistaken for it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critique import CATEGORIES, SEVERITIES, Comment, Critique, Span, TextMap
from momus.models.dialect import MAX_LINES, QUESTION_TOKENS, SPECIALS, Dialect, quoted_line, stripped_line
from momus.models.protocol import Prompt

ANSWER = "def f(xs):\n    total = 0\n\n    for x in xs:\n        total += x\n    total += 1\n    return total\n"

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
# Lines of code-like text; what ends a line (LF, CR) is added when they are joined.
lines = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n"), max_size=30)


@st.composite
def answers(draw: st.DrawFn) -> str:
    parts = draw(st.lists(lines, min_size=1, max_size=12))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return ending.join(parts) + draw(st.sampled_from(["", ending]))


def speak(critique: Critique, answer: TextMap, dialect: Dialect, offset: int = 0) -> list[int]:
    tokens = [token for comment in critique for token in dialect.comment(comment, answer, offset)[0]]
    return [*tokens, dialect.end]


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_critique_on_whole_lines_comes_back(dialect: Dialect, data: st.DataObject) -> None:
    text = TextMap(data.draw(answers()))
    if not text.code_lines:
        return
    comments = []
    for number in data.draw(st.lists(st.sampled_from(text.code_lines), max_size=3)):
        span = stripped_line(text, number)
        assert span is not None
        comments.append(
            Comment(
                span,
                data.draw(texts),
                data.draw(st.sampled_from(CATEGORIES)),
                data.draw(st.sampled_from(SEVERITIES)),
                data.draw(st.none() | texts),
            )
        )
    critique = Critique(tuple(comments))
    assert dialect.read(speak(critique, text, dialect), text).critique == critique


def test_choices_are_the_opener_the_marker_and_the_words(dialect: Dialect) -> None:
    text = TextMap(ANSWER)
    span = stripped_line(text, 2)
    assert span is not None
    tokens, chosen = dialect.comment(Comment(span, "Wrong.", "wrong-constant", "high", "total = 1"), text)
    close = tokens.index(dialect.close)
    assert tokens[:2] == [dialect.open, dialect.markers[1]]
    assert chosen[:2] == [True, True] and not any(chosen[2 : close + 1]) and all(chosen[close + 1 :])
    assert dialect.tokenizer.decode(tokens[2:close]) == "total = 0"
    mend = dialect.mend("total = 1")
    assert tokens[close + 1 : close + 1 + len(mend)] == mend
    category, severity, *words = tokens[close + 1 + len(mend) :]
    assert [dialect.categories[category], dialect.severities[severity]] == ["wrong-constant", "high"]
    assert dialect.tokenizer.decode(words) == "Wrong."


def test_a_suggestion_is_read_wherever_it_stands(dialect: Dialect) -> None:
    """Models may write it behind the words too: what it is does not hang on its place."""
    text = TextMap(ANSWER)
    head = dialect.quote(2, text.line_text(2))
    words = dialect.tokenizer.encode("Begin at one.")
    for tail in ([*dialect.mend("total = 1"), *words], [*words, *dialect.mend("total = 1")]):
        (comment,) = dialect.read([*head, *tail, dialect.end], text).critique
        assert comment.suggestion == "total = 1" and comment.text == "Begin at one."


@given(text=st.lists(st.sampled_from([*SPECIALS, "<|", "|>", " ", "\n", "quote"]), max_size=12).map("".join))
@settings(max_examples=60, deadline=None)
def test_text_that_looks_like_a_special_token_never_becomes_one(dialect: Dialect, text: str) -> None:
    specials = {dialect.tokenizer.id(token) for token in SPECIALS}
    assert specials.isdisjoint(dialect.tokenizer.encode(text))
    encoded = dialect.prompt(Prompt(text, text))
    kept = [token for token in encoded.ids if token in specials]
    assert kept[:2] == [dialect.question, dialect.answer]
    markers = [dialect.markers[number - 1] for number in encoded.lines]
    assert kept[2:] == [*markers, dialect.scan, *markers, dialect.critique]


def test_a_prompt_holds_each_line_before_its_marker_and_scans_them_in_order(dialect: Dialect) -> None:
    encoded = dialect.prompt(Prompt("Sum up.", ANSWER))
    assert encoded.lines == (1, 2, 4, 5, 6, 7)  # the third is blank
    assert [encoded.ids[i] for i in encoded.scan] == [dialect.markers[n - 1] for n in encoded.lines]
    assert encoded.ids[encoded.scan[0] - 1] == dialect.scan and encoded.ids[-1] == dialect.critique
    body = encoded.ids[encoded.ids.index(dialect.answer) + 1 : encoded.scan[0] - 1]
    read, line = [], []
    for token in body:
        if token in dialect.markers:
            read.append(dialect.tokenizer.decode(line))
            line = []
        else:
            line.append(token)
    assert read == [part for part in ANSWER.splitlines() if part.strip()]


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_do_not_change_a_prompt(dialect: Dialect, ending: str) -> None:
    assert dialect.prompt(Prompt("q", ANSWER.replace("\n", ending))) == dialect.prompt(Prompt("q", ANSWER))


def test_blank_lines_cannot_be_quoted(dialect: Dialect) -> None:
    text = TextMap("a = 1\n \t \n\x0c\nb = 2\n")
    assert dialect.prompt(Prompt("", text.text)).lines == (1, 4)
    assert stripped_line(text, 2) is None and stripped_line(text, 3) is None
    assert dialect.read([dialect.open, dialect.markers[1], dialect.close, dialect.end], text).critique == Critique()
    assert dialect.prompt(Prompt("", " \n\n")).lines == ()


def test_a_window_holds_as_many_lines_as_there_are_markers(dialect: Dialect) -> None:
    most = "x = 1\n" * MAX_LINES
    assert len(dialect.prompt(Prompt("", most)).lines) == MAX_LINES
    with pytest.raises(ValueError, match="at most 128 lines, not 129"):
        dialect.prompt(Prompt("", most + "x"))
    with pytest.raises(ValueError, match="at most 128 lines"):
        dialect.prompt(Prompt("", most), offset=1)


def test_markers_tell_equal_lines_apart(dialect: Dialect) -> None:
    text = TextMap("x += 1\ny = 2\nx += 1\nx += 1\n")
    for number in (1, 3, 4):
        span = stripped_line(text, number)
        assert span is not None
        said = Critique((Comment(span, "Once too often."),))
        assert dialect.read(speak(said, text, dialect), text).critique == said


def test_an_offset_shifts_every_marker(dialect: Dialect) -> None:
    plain, shifted = dialect.prompt(Prompt("q", ANSWER)), dialect.prompt(Prompt("q", ANSWER), offset=40)
    assert plain.lines == shifted.lines and plain.scan == shifted.scan
    moved = {dialect.markers[n - 1]: dialect.markers[n + 39] for n in plain.lines}
    assert tuple(moved.get(token, token) for token in plain.ids) == shifted.ids


def test_a_long_question_is_cut_at_its_end(dialect: Dialect) -> None:
    ids = dialect.prompt(Prompt("Sort the list. " * 100_000, "x = 1")).ids
    assert ids.index(dialect.answer) == QUESTION_TOKENS + 1
    assert dialect.tokenizer.decode(ids[1:8]).startswith("Sort the")


def test_a_highlight_of_several_lines_is_quoted_by_its_first_and_keeps_its_suggestion_to_itself(
    dialect: Dialect,
) -> None:
    text = TextMap(ANSWER)
    start = ANSWER.index("for x")
    several = Comment(Span(start, ANSWER.index("total += 1") - 5), "Both.", suggestion="total = sum(xs)")
    tokens, chosen = dialect.comment(several, text)
    assert len(tokens) == len(chosen) and dialect.suggest not in tokens
    (read,) = dialect.read(tokens, text).critique
    assert read.highlight == stripped_line(text, 4) and read.text == "Both." and read.suggestion is None


def test_a_highlight_that_begins_on_a_blank_line_is_quoted_by_the_first_with_code(dialect: Dialect) -> None:
    text = TextMap(ANSWER)
    blank = ANSWER.index("\n\n") + 1
    assert quoted_line(Span(blank, blank + 12), text) == 4
    assert dialect.comment(Comment(Span(blank, blank + 12), "x"), text)[0][1] == dialect.markers[3]
    assert quoted_line(Span(blank, blank + 1), text) is None
    with pytest.raises(ValueError, match="blanks"):
        dialect.comment(Comment(Span(blank, blank + 1), "x"), text)


def test_a_suggestion_for_a_part_of_a_line_is_not_told_as_one_for_the_line(dialect: Dialect) -> None:
    start = ANSWER.index("0")
    tokens, _ = dialect.comment(Comment(Span(start, start + 1), "One.", suggestion="1"), TextMap(ANSWER))
    assert dialect.suggest not in tokens


def test_output_cut_off_anywhere_is_read_as_far_as_it_goes(dialect: Dialect) -> None:
    text = TextMap(ANSWER)
    spans = [stripped_line(text, number) for number in (2, 5)]
    said = Critique(tuple(Comment(s, "A word or two.", "aliasing", "low", "mended") for s in spans if s is not None))
    tokens = speak(said, text, dialect)
    for end in range(len(tokens) + 1):
        read = dialect.read(tokens[:end], text).critique
        assert [c.highlight for c in read] == [c.highlight for c in said][: len(read)]
        assert all(c.suggestion in (None, "mended") for c in read)  # never half of one
    assert read == said


def test_any_tokens_at_all_are_read_without_a_fault(dialect: Dialect) -> None:
    rng = random.Random(5)
    text = TextMap(ANSWER)
    grammar = [[t] for t in (dialect.open, dialect.close, dialect.suggest, dialect.unsuggest, dialect.end)]
    grammar += [[marker] for marker in dialect.markers[:9]]
    grammar += [[dialect.open, *dialect.quote_line(n, text.line_text(n)), dialect.close] for n in text.code_lines]
    whole = {stripped_line(text, number) for number in text.code_lines}
    read = 0
    for _ in range(400):
        pieces = [
            rng.choice(grammar) if rng.random() < 0.7 else [rng.randrange(dialect.tokenizer.size)] for _ in range(30)
        ]
        tokens = [token for piece in pieces for token in piece]
        for comment in dialect.read(tokens, text).critique:
            assert comment.highlight in whole
            read += 1
    assert read > 50


def test_a_quote_that_is_not_its_line_to_the_letter_is_counted_and_not_shown(dialect: Dialect) -> None:
    text = TextMap(ANSWER)
    quote = dialect.quote_line(2, text.line_text(2))
    exact, other = [dialect.open, *quote, dialect.close], [dialect.open, quote[0], *quote[2:], dialect.close]
    written = dialect.read([*exact, *dialect.tokenizer.encode("a"), *other, dialect.open, dialect.end], text)
    assert [comment.text for comment in written.critique] == ["a"] and written.unanchored == 2


def test_settled_takes_off_the_end_and_a_highlight_that_was_cut_off(dialect: Dialect) -> None:
    whole = dialect.write([Comment(Span(0, 5), "No.", "other", "low")], TextMap("x = 1\ny = 2\n"))
    assert dialect.settled(whole) == len(whole) - 1 == dialect.settled(whole[:-1])
    cut = [*whole[:-1], dialect.open, dialect.markers[1]]
    assert dialect.settled(cut) == dialect.settled([*whole[:-1], dialect.open]) == len(whole) - 1
    quote = dialect.quote(2, "y = 2")
    assert dialect.settled([*whole[:-1], *quote, dialect.suggest]) == len(whole) - 1  # of a mend that was cut off
    mended = [*whole[:-1], *quote, *dialect.mend("y = 3")]
    assert dialect.settled(mended) == len(mended)
    assert dialect.settled([dialect.open]) == dialect.settled([dialect.end]) == dialect.settled([]) == 0
