"""Records: what is written is read back, a bad line is named, a killed run leaves no half file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from momus.critique import CATEGORIES, SEVERITIES, Comment, Critique, Span
from momus.records import (
    Bug,
    Rating,
    RecordError,
    Sampled,
    Surroundings,
    Tamper,
    Task,
    dump_line,
    read_jsonl,
    write_jsonl,
)

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
SPANS = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda p: Span(p[0], p[0] + p[1]))
TASKS = st.builds(Task, id=TEXT, question=TEXT, answer=TEXT, tests=st.none() | TEXT, group=st.none() | TEXT)
BUGS = st.builds(
    Bug,
    spans=st.lists(SPANS, min_size=1, max_size=3).map(tuple),
    category=st.sampled_from(CATEGORIES),
    severity=st.sampled_from(SEVERITIES),
    suggestion=st.none() | TEXT,
)
TAMPERS = st.builds(Tamper, task=TASKS, twin=TEXT, bugs=st.lists(BUGS, max_size=3).map(tuple))
COMMENTS = st.builds(
    Comment, SPANS, TEXT, st.sampled_from(CATEGORIES), st.sampled_from(SEVERITIES), st.none() | TEXT, st.floats(0, 1)
)
SAMPLED = st.builds(
    Sampled,
    task_id=TEXT,
    critic=TEXT,
    critique=st.lists(COMMENTS, max_size=3).map(lambda c: Critique(tuple(c))),
    logprob=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    error=st.none() | TEXT,
)
TASK = Task(id="a", question="q", answer="x = 1\n")


@given(st.one_of(TASKS, TAMPERS, SAMPLED))
def test_a_line_reads_back_as_the_record_it_was(record: Task | Tamper | Sampled) -> None:
    line = dump_line(record)
    assert line.count("\n") == 1 and "\r" not in line
    assert json.loads(line)["schema_version"] == 1
    assert type(record).model_validate_json(line) == record


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(TAMPERS, max_size=4))
def test_a_file_reads_back_in_order(tmp_path: Path, records: list[Tamper]) -> None:
    path = tmp_path / "new" / "tampers.jsonl"
    assert write_jsonl(path, records) == len(records)
    assert list(read_jsonl(path, Tamper)) == records


def test_defaults_are_left_out_of_a_line() -> None:
    assert json.loads(dump_line(TASK)) == {"schema_version": 1, "id": "a", "question": "q", "answer": "x = 1\n"}


def test_a_lone_surrogate_is_replaced_and_positions_stay() -> None:
    critique = Critique((Comment(Span(2, 3), "a\ud800b"),))
    read = Sampled.model_validate_json(dump_line(Sampled(task_id="t", critic="c", critique=critique)).encode())
    assert read.critique.comments[0].text == "a\ufffdb"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "b", "question": "q"}', r"file\.jsonl:2: not a Task: answer: Field required"),
        (b'{"id": "b", "question": "q", "answer": "", "colour": 1}', r":2: not a Task: colour: "),
        (b'{"schema_version": 2, "id": "b", "question": "q", "answer": ""}', r":2: not a Task: schema_version: "),
        (b'{"id": "b", "quest', r":2: not a Task: the line: Invalid JSON"),
        (b'{"id": "\xff", "question": "q", "answer": ""}', r":2: not a Task: the line: Invalid JSON"),
        (b"[]", r":2: not a Task: the line: "),
    ],
)
def test_a_bad_line_is_named_and_what_came_before_it_is_read(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(dump_line(TASK).encode() + line + b"\n")
    records = read_jsonl(path, Task)
    assert next(records) == TASK
    with pytest.raises(RecordError, match=message):
        next(records)


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    line = dump_line(TASK).encode().rstrip()
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n  \n" + line)
    assert list(read_jsonl(path, Task)) == [TASK, TASK]


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_jsonl(tmp_path / "none.jsonl", Task))


def test_a_writer_that_dies_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    write_jsonl(path, [TASK])

    def dying():  # type: ignore[no-untyped-def]
        yield TASK
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_jsonl(path, dying())
    assert list(read_jsonl(path, Task)) == [TASK]


def test_values_outside_the_closed_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown category"):
        Bug(spans=(Span(0, 1),), category="nonsense")
    with pytest.raises(ValueError, match="at least 1"):
        Bug(spans=(), category="other")
    with pytest.raises(ValueError, match="less than or equal to 7"):
        Rating(comparison_id="c", critique=0, rater="r", attribute="cbi", score=8)
    bad = (
        '{"task_id": "t", "critic": "c", "critique": {"comments": [{"highlight": {"start": 3, "end": 1}, "text": ""}]}}'
    )
    with pytest.raises(ValueError, match="a span needs"):
        Sampled.model_validate_json(bad)


def test_a_program_is_prelude_answer_and_tests() -> None:
    assert TASK.program() is None
    task = TASK.model_copy(update={"tests": "assert x == 1", "prelude": "import math"})
    assert task.program() == "import math\nx = 1\n\nassert x == 1"
    assert task.program("x = 2") == "import math\nx = 2\nassert x == 1"


def test_an_answer_goes_back_into_the_file_that_it_is_cut_from():
    code = "a = 1\r\nclass A:\r\n    def f(self):\r\n        return 1\r\n\r\nb = 2"
    around = Surroundings(code=code, lines=(3, 4), indent="    ")
    put = around.with_answer("def f(self):\n    return 2\n")
    assert put == "a = 1\r\nclass A:\r\n    def f(self):\n        return 2\n\r\nb = 2"
    assert (around.line_in_answer(4), around.line_in_answer(5)) == (2, None)
    assert Surroundings(code=code, lines=(1, 6)).with_answer("x") is None
