"""Inside a highlight nothing but an exact quote of the answer can be written."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.models.quote import DONE, Masker, QuoteSpace

ANSWER = """def total(xs):
    result = 0

    for x in xs:
        result += x
    return result


def naïve(xs):\t
    return result  # ½ “of” 😀 é
"""

# every kind of line ending, blanks, equal lines, combining marks, and what looks like a fence
answers = st.lists(
    st.one_of(
        st.sampled_from(["", "    ", "return x", "    return x", "```", "x", "é́ = '😀'", "a\u2028b"]),
        st.text(max_size=12),
    ),
    max_size=12,
).flatmap(lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines)))


def walk(masker: Masker, rng: random.Random, limit: int = 400) -> list[int]:
    """A random quote, the closer left out."""
    state, tokens = masker.start(), []
    while state != DONE:
        allowed = masker.allowed(state)
        assert len(allowed)
        token = int(rng.choice(list(allowed)))
        if len(tokens) > limit and 1 in allowed:
            token = 1
        state = masker.advance(state, token)
        tokens.append(token)
    return tokens[:-1]


@given(answers, st.integers(0, 1000))
@settings(max_examples=300, deadline=None)
def test_every_walk_through_lines_is_an_exact_line(vocabulary: Any, answer: str, seed: int) -> None:
    space = QuoteSpace(answer)
    masker = space.masker(vocabulary)
    if not space.lines:
        assert not any(line.strip() for line in re.split("\r\n|\r|\n", answer))
        assert len(masker.allowed(masker.start())) == 0
        return
    tokens = walk(masker, random.Random(seed))
    span = masker.locate(tokens)
    assert span is not None
    line = span.of(answer)
    assert vocabulary.quote_line(tokens[0] - 2, line) == tokens
    assert line == line.strip() and line and "\n" not in line
    assert span == space.lines[tokens[0] - 2]


@given(answers, st.integers(0, 1000), st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_every_walk_through_substrings_is_an_exact_substring(
    vocabulary: Any, answer: str, seed: int, min_chars: int
) -> None:
    masker = QuoteSpace(answer, "substring", min_chars).masker(vocabulary)
    if sum(not c.isspace() for c in answer) < min_chars:
        assert len(masker.allowed(masker.start())) == 0
        return
    tokens = walk(masker, random.Random(seed))
    span = masker.locate(tokens)
    assert span is not None
    assert vocabulary.encode(span.of(answer)) == tokens
    assert sum(not c.isspace() for c in span.of(answer)) >= min_chars


def test_every_line_can_be_reached(vocabulary: Any) -> None:
    space = QuoteSpace(ANSWER)
    masker = space.masker(vocabulary)
    assert [span.of(ANSWER) for span in space.lines.values()] == [s.strip() for s in ANSWER.split("\n") if s.strip()]
    for number, span in space.lines.items():
        state = masker.start()
        for token in [*vocabulary.quote_line(number, span.of(ANSWER)), vocabulary.close]:
            assert token in masker.allowed(state)
            state = masker.advance(state, token)
        assert state == DONE and len(masker.allowed(state)) == 0


def test_every_substring_can_be_reached(vocabulary: Any) -> None:
    answer = "ab 😀ab"
    masker = QuoteSpace(answer, "substring", 2).masker(vocabulary)
    for start in range(len(answer)):
        for end in range(start + 1, len(answer) + 1):
            text = answer[start:end]
            located = masker.locate(vocabulary.encode(text))
            if sum(not c.isspace() for c in text) >= 2:
                assert located is not None and located.of(answer) == text
                assert located.start == answer.index(text)
            else:
                assert located is None


def test_equal_lines_are_told_apart_by_number_and_the_first_stands_for_all_without(
    vocabulary: Any, plain_vocabulary: Any
) -> None:
    answer = "x = 1\nreturn x\n\n  return x\n"
    space = QuoteSpace(answer)
    numbered = space.masker(vocabulary)
    assert numbered.locate(vocabulary.quote_line(2, "return x")) == space.lines[2]
    assert numbered.locate(vocabulary.quote_line(4, "return x")) == space.lines[4]
    plain = space.masker(plain_vocabulary)
    assert plain.locate(plain_vocabulary.encode("return x")) == space.lines[2]


def test_a_line_that_begins_another_may_end_or_go_on(plain_vocabulary: Any) -> None:
    masker = QuoteSpace("foo\nfoobar\n").masker(plain_vocabulary)
    assert masker.forced_run(masker.start()) == plain_vocabulary.encode("foo")
    state = masker.start()
    for token in plain_vocabulary.encode("foo"):
        state = masker.advance(state, token)
    assert sorted(masker.allowed(state)) == sorted([plain_vocabulary.close, *plain_vocabulary.encode("b")])


def test_a_numbered_line_is_forced_to_its_closer_once_its_number_stands(vocabulary: Any) -> None:
    masker = QuoteSpace(ANSWER).masker(vocabulary)
    assert masker.forced_run(masker.start()) == []
    state = masker.advance(masker.start(), 2 + 5)
    assert masker.forced_run(state) == [*vocabulary.encode("result += x"), vocabulary.close]
    assert masker.forced_run(DONE) == []


@pytest.mark.parametrize("mode", ["lines", "substring"])
def test_what_is_not_allowed_is_refused(vocabulary: Any, mode: Any) -> None:
    masker = QuoteSpace(ANSWER, mode).masker(vocabulary)
    with pytest.raises(ValueError, match="does not continue a quote"):
        masker.advance(masker.start(), vocabulary.end)
    with pytest.raises(ValueError, match="does not continue a quote"):
        masker.advance(DONE, vocabulary.close)
    assert masker.locate(vocabulary.encode("no such code")) is None


def test_substrings_of_tokens_that_split_a_character_keep_to_its_borders() -> None:
    class Halves:
        open, close = 0, 1

        def encode(self, text: str) -> list[int]:
            return [b + 2 for b in text.encode()]

        def decode(self, ids: list[int]) -> str:
            return bytes(i - 2 for i in ids).decode("utf-8", "replace")

        def quote_line(self, number: int, text: str) -> list[int]:
            return self.encode(text)

    masker = QuoteSpace("é😀", "substring", 1).masker(Halves())
    starts = {int(i) - 2 for i in masker.allowed(masker.start())}
    assert starts == {"é".encode()[0], "😀".encode()[0]}


def test_a_vocabulary_that_does_not_spell_is_refused(vocabulary: Any) -> None:
    class Mute:
        open, close = 0, 1

        def quote_line(self, number: int, text: str) -> list[int]:
            return [2]

    with pytest.raises(TypeError, match="encode and decode"):
        QuoteSpace(ANSWER, "substring").masker(Mute())
    with pytest.raises(ValueError, match="lines or substring"):
        QuoteSpace(ANSWER, "words")  # type: ignore[arg-type]


@given(answers.filter(lambda a: bool(QuoteSpace(a).lines)))
@settings(max_examples=200, deadline=None)
def test_the_regular_expression_takes_exact_quotes_only(answer: str) -> None:
    space = QuoteSpace(answer)
    lines = {span.of(answer) for span in space.lines.values()}
    pattern = re.compile(space.to_regex("<q>", "</q>"))
    inside = re.compile(space.to_regex("<q>", "</q>", inside=True))
    for line in lines:
        assert pattern.fullmatch(f"<q>{line}</q>wrong. <q>{line}</q>again\n".replace("again", "more"))
        assert inside.fullmatch(f"{line}</q>wrong.")
        other = line + "~"
        if other not in lines:
            assert not pattern.fullmatch(f"<q>{other}</q>wrong.")
    assert pattern.fullmatch("") and not pattern.fullmatch("<q>") and not inside.fullmatch("")


def test_the_grammar_has_one_literal_a_distinct_line() -> None:
    space = QuoteSpace('say("hi\\n")\nx\tx = [1]\n  x\tx = [1]\n')
    grammar = space.to_ebnf("```python\n", "\n```\n")
    assert grammar.splitlines() == [
        "root ::= text (open quote close text)*",
        "text ::= [^`]*",
        'open ::= "```python\\n"',
        'close ::= "\\n```\\n"',
        'quote ::= "say(\\"hi\\\\n\\")" | "x\\tx = [1]"',
    ]
    assert space.to_ebnf("`", "`", inside=True).startswith("root ::= quote close text (open quote close text)*\n")


def test_no_grammar_where_there_is_none() -> None:
    for space, markers, message in (
        (QuoteSpace("x", "substring"), ("`", "`"), "lines"),
        (QuoteSpace("\n \n"), ("`", "`"), "no grammar"),
        (QuoteSpace("x"), ("", "`"), "opener and a closer"),
    ):
        with pytest.raises(ValueError, match=message):
            space.to_regex(*markers)
        with pytest.raises(ValueError, match=message):
            space.to_ebnf(*markers)


def test_a_masker_is_built_once(vocabulary: Any) -> None:
    space = QuoteSpace(ANSWER)
    assert space.masker(vocabulary) is space.masker(vocabulary)


def test_what_stands_behind_a_quote_is_written_with_it(vocabulary: Any) -> None:
    answer = "x = 1\ny = 2\nz = 3\n"
    spans = QuoteSpace(answer).lines
    behind = {1: (7, 8), 3: (9,)}
    masker = QuoteSpace(answer, once=True, behind=behind).masker(vocabulary)
    for number, span in spans.items():
        quote = vocabulary.quote_line(number, span.of(answer))
        state = masker.start()
        for token in quote:
            state = masker.advance(state, token)
        assert masker.locate(quote) == span
        run = [vocabulary.close, *behind.get(number, ())]
        assert masker.forced_run(state) == run
        for token in run:
            state = masker.advance(state, token)
        assert state == DONE
        assert masker.locate([*quote, *run[:-1]]) == span  # so that a critique knows what it has quoted
    rest = QuoteSpace(answer, once=True, behind=behind).masker(vocabulary, frozenset((spans[1],)))
    state = rest.start()
    for token in vocabulary.quote_line(3, "z = 3"):
        state = rest.advance(state, token)
    assert rest.forced_run(state) == [vocabulary.close, 9]
    with pytest.raises(ValueError, match="written behind"):
        QuoteSpace(answer, "substring", behind={1: (7,)})
