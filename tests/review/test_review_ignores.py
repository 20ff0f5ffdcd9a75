"""Ignore comments: what they cover, what is said of them, and how they are written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from critic_doubles import Says, on_word, only, review_in
from hypothesis import given, settings
from hypothesis import strategies as st

from momus.critique import Comment, Span
from momus.review.finding import FileReport
from momus.review.ignores import Layout
from momus.review.silence import silence, with_ignores
from momus.review.source import Source


def reviewed(folder: Path, text: str, *, category: str = "off-by-one", cut: str = "bare") -> FileReport:
    (folder / "a.py").write_bytes(text.encode())
    return only(review_in(folder, Says(on_word("bad", category=category), cut=cut), "a.py"))


def kinds(file: FileReport) -> list[str]:
    return [note.kind for note in file.notes if note.kind.startswith("ignore")]


@pytest.mark.parametrize(
    "text",
    [
        "x = bad  # momus: ignore[off-by-one] it is known\n",
        "x = bad  # noqa  # momus: ignore[wrong-call, off-by-one] it is known\n",
        "x = bad  # momus: ignore it is known\n",
        "# momus: ignore[off-by-one] it is known\nx = bad\n",
        "# momus: ignore[off-by-one] it is known\n# another comment\n\nx = bad\n",
        "x = f(\n    bad,  # momus: ignore[off-by-one] it is known\n)\n",
        'x = """\nbad\n"""  # momus: ignore[off-by-one] it is known\n',
        'y = 1\n# momus: ignore[off-by-one] it is known\nx = """\n1\nbad\n"""\n',
        "x = 1 + \\\n    bad + \\\n    2  # momus: ignore[off-by-one] it is known\n",
        "x = bad (  # momus: ignore[off-by-one] it is known\n",  # does not parse
        "x = bad  # momus: ignore[off-by-one] it is known\r\ny = 1\r\n",
    ],
)
def test_a_comment_beside_or_above_silences_and_its_reason_is_kept(tmp_path: Path, text: str):
    file = reviewed(tmp_path, text)
    assert not file.findings
    assert [(finding.state, finding.reason) for finding in file.hidden] == [("ignored", "it is known")]
    assert kinds(file) == ["ignored"]


@pytest.mark.parametrize(
    "text",
    [
        "x = bad  # momus: ignore[wrong-call] other matter\n",
        "y = 1  # momus: ignore[off-by-one] elsewhere\nx = bad\n",
        'x = "# momus: ignore[off-by-one] in a string", bad\n',
        'x = """\n# momus: ignore[off-by-one] in a string\n"""\nx = bad\n',
        "x = bad  # momus: ignore[] nothing named\n",
        "x = bad  # momus: ignored by nobody\n",
    ],
)
def test_what_does_not_speak_of_it_silences_nothing(tmp_path: Path, text: str):
    assert len(reviewed(tmp_path, text).findings) == 1


def test_a_whole_file_is_left_alone_and_the_critic_never_sees_it(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = bad\n# momus: ignore-file written by a machine\n")
    critic = Says(on_word("bad"))
    file = only(review_in(tmp_path, critic, "a.py"))
    assert critic.tasks == []
    assert [(note.kind, "written by a machine" in note.text) for note in file.notes] == [("ignored-file", True)]


def test_comments_that_lack_a_reason_or_a_use_or_sense_are_noted_with_their_line(tmp_path: Path):
    text = (
        "x = bad  # momus: ignore[off-by-one]\n"
        "y = 1  # momus: ignore[off-by-one] not so\n"
        "z = bad  # momus: ignore[of-by-one] typo\n"
        "w = 1  # momus: silence\n"
    )
    file = reviewed(tmp_path, text)
    assert [(note.kind, note.line) for note in file.notes if note.line] == [
        ("ignore-without-reason", 1),
        ("ignore-unknown-category", 3),
        ("ignore-not-understood", 4),
        ("ignore-unused", 2),
    ]
    assert len(file.findings) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = bad\n", "x = bad  # momus: ignore[off-by-one]\n"),
        ("x = bad  # why\n", "x = bad  # why  # momus: ignore[off-by-one]\n"),
        ('x = """\nbad\n"""\ny = 1', 'x = """\nbad\n"""  # momus: ignore[off-by-one]\ny = 1'),
        ("x = 1 + \\\n  bad\n", "x = 1 + \\\n  bad  # momus: ignore[off-by-one]\n"),
        ("x = bad + \\\n  1\n", "x = bad + \\\n  1  # momus: ignore[off-by-one]\n"),
        ("x = (bad,\r\n  1)\r\n", "x = (bad,  # momus: ignore[off-by-one]\r\n  1)\r\n"),
        (
            "x = bad  # momus: ignore[wrong-call] other\n",
            "x = bad  # momus: ignore[off-by-one, wrong-call] other\n",
        ),
        ("\ufeffx = 'é', bad\n", "\ufeffx = 'é', bad  # momus: ignore[off-by-one]\n"),
    ],
)
def test_written_comments_silence_and_change_nothing_else(tmp_path: Path, text: str, wanted: str):
    file = reviewed(tmp_path, text)
    (tmp_path / "a.py").chmod(0o755)
    assert silence(file, tmp_path / "a.py") == (1, [])
    assert (tmp_path / "a.py").read_bytes() == wanted.encode()
    assert (tmp_path / "a.py").stat().st_mode & 0o777 == 0o755
    again = only(review_in(tmp_path, Says(on_word("bad", category="off-by-one")), "a.py"))
    assert not again.findings
    assert len(again.hidden) == 1


def test_a_file_that_changed_meanwhile_or_cannot_take_comments_is_left_alone(tmp_path: Path):
    file = reviewed(tmp_path, "x = bad\n")
    (tmp_path / "a.py").write_text("x = 2\n")
    covered, left = silence(file, tmp_path / "a.py")
    assert (covered, len(left)) == (0, 1)
    assert (tmp_path / "a.py").read_text() == "x = 2\n"
    file = reviewed(tmp_path, 'x = """bad\n')
    covered, left = silence(file, tmp_path / "a.py")
    assert covered == 0
    assert left
    assert (tmp_path / "a.py").read_text() == 'x = """bad\n'


PIECES = [
    '"""',
    "'",
    "a = 1\n",
    "\\\n",
    "# c\n",
    "(",
    ")",
    "\n",
    "f'{x}'",
    'f"""\n{x}\n"""',
    "b = '''\n'''\n",
    "  ",
    "if x:\n",
    " y\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@settings(max_examples=300, deadline=None)
def test_a_comment_written_on_any_line_of_any_program_leaves_the_program_the_same(text: str):
    try:
        before = ast.dump(ast.parse(text))
    except SyntaxError:
        return
    source = Source("a.py", text, code=text)
    layout = Layout(source)
    from momus.review.finding import Finding

    for number in range(1, source.map.line_count + 1):
        start, end = source.map.line_span(number)
        if not text[start:end].strip():
            continue
        span = Span(start, end)
        finding = Finding("a.py", span, Comment(span, "x"), "c", "", "", "", number, 1, number, end - start + 1)
        written, covered, left = with_ignores(source, [finding])
        assert ast.dump(ast.parse(written)) == before
        assert covered + len(left) == 1
        assert number in layout.run(number)
