"""Reading: declared encodings, marks, and one sentence for what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momus.errors import MomusError
from momus.review.files import read
from momus.review.source import Unreadable


def test_a_declared_encoding_is_read_and_written_back():
    data = "# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1")
    source = read("a.py", data)
    assert "name = 'é'" in source.text
    assert source.encoding == "iso-8859-1"
    assert source.to_bytes(source.text) == data


def test_a_byte_order_mark_is_no_part_of_the_text_and_is_said():
    data = b"\xef\xbb\xbfx = 1\n"
    source = read("a.py", data)
    assert source.text == "x = 1\n"
    assert [note.kind for note in source.notes] == ["byte-order-mark"]
    assert source.to_bytes(source.text) == data


def test_line_ends_stay_as_they_are():
    assert read("a.py", b"a\r\nb\rc\n").text == "a\r\nb\rc\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x = 1\ny = '\xe9'\n", "not UTF-8 (byte 0xe9 on line 2)"),
        (b"# coding: ascii\nx = '\xc3\xa9'\n", "not ascii (byte 0xc3 on line 2)"),
        (b"# coding: klingon\n", "klingon"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding problem"),
        ("x = 1\n".encode("utf-16"), "UTF-16"),
        (b"\x7fELF\x00\x01", "binary"),
        (b"# coding: rot13\nk = 1\n", "rot13"),
        (b"# coding: unicode_escape\nx = '\\ud800'\n", "unicode_escape"),
    ],
)
def test_what_cannot_be_read_says_why_in_one_line(data: bytes, said: str):
    with pytest.raises(Unreadable) as error:
        read("a.py", data)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert ":" in str(error.value)  # what to do about it


def test_a_syntax_error_is_kept_with_its_line_and_a_nul_in_the_tail_is_one():
    assert read("a.py", b"x = 1\ny = (\n").syntax_error is not None
    assert read("a.py", b"x = 1\n" * 2000 + b"\0").syntax_error is not None
    assert read("a.py", b"x = 1\n").syntax_error is None


def test_nesting_too_deep_for_the_parser_is_a_syntax_error():
    assert read("a.py", b"x = " + b"(" * 5000 + b")" * 5000).syntax_error is not None


@given(st.binary(max_size=200), st.sampled_from(["a.py", "a.ipynb"]))
def test_any_bytes_are_read_or_refused_in_one_sentence(data: bytes, name: str):
    try:
        source = read(name, data)
    except MomusError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert len(source.code) == len(source.text)
        source.text.encode("utf-8")
