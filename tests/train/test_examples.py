"""What each position of an example should say, by hand on a function of three lines; files of examples come back."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from momus.critique import Comment, Span
from momus.errors import MomusError
from momus.models.dialect import MAX_LINES, Dialect
from momus.records import Bug, Tamper, Task
from momus.train.examples import (
    Example,
    ExampleFile,
    Kind,
    Verdict,
    code_example,
    comments_of,
    critique_example,
    fits,
    random_offset,
)

ANSWER = "def f(x):\n    y = x\n    return y\n"
TASK = Task(id="t", question="Add one.", answer=ANSWER)
SECOND = Span(ANSWER.index("y = x"), ANSWER.index("y = x") + 5)
THIRD = Span(ANSWER.index("return y"), ANSWER.index("return y") + 8)


def comment(span: Span, text: str = "Off by one.") -> Comment:
    return Comment(span, text, "wrong-operator", "high", "y = x + 1")


def asked(example: Example, kind: Kind) -> list[tuple[int, int]]:
    """(token read, token to say) wherever a loss of this kind is carried."""
    at = np.flatnonzero(example.kinds == kind)
    return [(int(example.ids[i]), int(example.targets[i])) for i in at]


def scanned(example: Example) -> list[tuple[int, int]]:
    """(line marker, verdict) of the scan."""
    at = np.flatnonzero(example.kinds == Kind.SCAN)
    return [(int(example.ids[i]), int(example.verdicts[i])) for i in at]


def touched(example: Example, dialect: Dialect) -> list[str]:
    """The runs of the answer's tokens that are called a bug's, markers as `|`."""
    runs, last = [], -2
    end = list(example.ids).index(dialect.scan)
    for i in np.flatnonzero(example.verdicts[:end] == Verdict.BUG):
        token = int(example.ids[i])
        said = "|" if token in dialect.markers else dialect.tokenizer.decode([token])
        runs[-1:] = [runs[-1] + said] if i == last + 1 else [*runs[-1:], said]
        last = i
    return runs


def test_code_predicts_every_next_token_and_ends_with_the_answer(dialect: Dialect) -> None:
    example = code_example(TASK, dialect)
    assert (example.kinds == Kind.CODE).all()
    assert (example.ids[1:] == example.targets[:-1]).all()
    assert example.ids[0] == dialect.question and example.targets[-1] == dialect.markers[2]
    assert dialect.scan not in example.ids and dialect.critique not in example.targets


def test_the_scan_calls_the_bugs_line_a_bug_and_every_other_one_right(dialect: Dialect) -> None:
    example = critique_example(TASK, [comment(SECOND)], dialect)
    m = dialect.markers
    assert scanned(example) == [(m[0], Verdict.OK), (m[1], Verdict.BUG), (m[2], Verdict.OK)]
    silent = critique_example(TASK, None, dialect)
    assert all(verdict == Verdict.OK for _, verdict in scanned(silent))
    assert touched(silent, dialect) == [] and touched(example, dialect) == ["|"]  # without the twin, the line alone


@pytest.mark.parametrize(
    ("twin", "expected"),
    [
        ("def f(x):\n    y = x + 1\n    return y\n", ["|"]),  # the end is missing: the line end is where it shows
        ("def f(x):\n    y = z\n    return y\n", ["x|"]),
        ("def f(x):\n    y = x\n    y += 1\n    return y\n", ["|    "]),  # a lost line: the next one begins
        ("def f(x):\n    return y\n", ["y = x|"]),  # a line too many
        (ANSWER, ["|"]),
    ],
)
def test_the_tokens_that_differ_from_the_twin_are_called_the_bugs(
    dialect: Dialect, twin: str, expected: list[str]
) -> None:
    example = critique_example(TASK, [comment(SECOND)], dialect, twin=twin)
    assert [run.lstrip(" ") or "    " for run in touched(example, dialect)] == expected
    end = list(example.ids).index(dialect.scan)
    start = list(example.ids).index(dialect.answer) + 1
    assert (example.verdicts[start:end] != Verdict.NONE).all() and (example.verdicts[:start] == Verdict.NONE).all()


def test_the_decision_is_to_speak_and_of_which_line(dialect: Dialect) -> None:
    example = critique_example(TASK, [comment(SECOND)], dialect)
    assert asked(example, Kind.DECISION) == [(dialect.critique, dialect.open), (dialect.open, dialect.markers[1])]


def test_the_quote_is_forced_and_the_words_are_learned_to_the_end(dialect: Dialect) -> None:
    example = critique_example(TASK, [comment(SECOND)], dialect)
    said = [target for _, target in asked(example, Kind.COMMENT)]
    encode = dialect.tokenizer.encode
    mended = [dialect.suggest, *encode("y = x + 1"), dialect.unsuggest]
    assert said[: len(mended)] == mended  # before the words, which are of it
    category, severity, *words = said[len(mended) :]
    assert words == [*encode("Off by one."), dialect.end]
    assert dialect.categories[category] == "wrong-operator" and dialect.severities[severity] == "high"
    # between the marker and what is said, nothing is asked: the quote is the line, and then it closes
    opened = list(example.ids).index(dialect.open)
    closed = list(example.ids).index(dialect.close)
    assert (example.kinds[opened + 1 : closed] == Kind.NONE).all()
    assert dialect.tokenizer.decode(example.ids[opened + 2 : closed].tolist()) == "y = x"


def test_silence_is_one_decision(dialect: Dialect) -> None:
    example = critique_example(TASK, None, dialect)
    assert asked(example, Kind.DECISION) == [(dialect.critique, dialect.end)]
    assert asked(example, Kind.COMMENT) == []
    assert (critique_example(TASK, [], dialect).ids == example.ids).all()


def test_code_is_asked_in_a_critique_too_but_not_across_the_scan(dialect: Dialect) -> None:
    example = critique_example(TASK, None, dialect)
    plain = code_example(TASK, dialect)
    assert asked(example, Kind.CODE)[: len(plain.ids)] == list(zip(plain.ids, plain.targets, strict=True))
    scan = list(example.ids).index(dialect.scan)
    assert example.kinds[scan] == Kind.NONE and len(asked(example, Kind.CODE)) <= scan


def test_a_second_comment_is_speech_but_its_line_a_decision(dialect: Dialect) -> None:
    example = critique_example(TASK, [comment(SECOND), comment(THIRD)], dialect)
    decisions = asked(example, Kind.DECISION)
    m = dialect.markers
    assert decisions == [(dialect.critique, dialect.open), (dialect.open, m[1]), (dialect.open, m[2])]
    assert [target for _, target in asked(example, Kind.COMMENT)].count(dialect.open) == 1
    assert [verdict for _, verdict in scanned(example)] == [Verdict.OK, Verdict.BUG, Verdict.BUG]


def test_where_only_the_places_are_known_nothing_is_asked_of_the_words(dialect: Dialect) -> None:
    example = critique_example(TASK, [comment(SECOND), comment(THIRD)], dialect, described=False)
    assert asked(example, Kind.COMMENT) == []
    assert [target for _, target in asked(example, Kind.DECISION)] == [
        *(dialect.open, dialect.markers[1], dialect.markers[2])
    ]
    assert dialect.end not in example.targets[-1:]


def test_an_offset_moves_the_markers_everywhere(dialect: Dialect) -> None:
    plain = critique_example(TASK, [comment(SECOND)], dialect)
    moved = critique_example(TASK, [comment(SECOND)], dialect, offset=9)
    assert (plain.kinds == moved.kinds).all()
    differing = {(int(a), int(b)) for a, b in zip(plain.ids, moved.ids, strict=True) if a != b}
    assert differing == {(dialect.markers[n], dialect.markers[n + 9]) for n in range(3)}


def test_the_scan_stage_ends_with_the_last_verdict(dialect: Dialect) -> None:
    whole = critique_example(TASK, [comment(SECOND)], dialect)
    part = whole.until_critique()
    assert part.kinds[-1] == Kind.SCAN and scanned(part) == scanned(whole)
    assert dialect.critique not in part.ids and asked(part, Kind.DECISION) == []


def test_blanks_are_refused(dialect: Dialect) -> None:
    assert not fits(Task(id="t", question="", answer="\n \n")) and not fits(Task(id="t", question="", answer=""))
    assert fits(Task(id="t", question="", answer="x\n" * MAX_LINES))
    assert not fits(Task(id="t", question="", answer="x\n" * (MAX_LINES + 1)))
    with pytest.raises(ValueError, match="blanks"):
        critique_example(Task(id="t", question="", answer="\n"), None, dialect)


def test_markers_start_late_in_the_share_asked_for_and_always_fit() -> None:
    rng = random.Random(0)
    offsets = [random_offset(TASK, rng, 0.5) for _ in range(400)]
    assert 0.4 < sum(offset > 0 for offset in offsets) / 400 < 0.6
    assert max(offsets) <= MAX_LINES - 3 and max(offsets) > 100
    assert random_offset(Task(id="t", question="", answer="x\n" * MAX_LINES), rng, 1.0) == 0
    assert not any(random_offset(TASK, rng, 0.0) for _ in range(50))


def test_the_gold_critique_follows_the_order_of_the_answer() -> None:
    bugs = tuple(Bug(spans=(span,), category="other", description=name) for span, name in ((THIRD, "b"), (SECOND, "a")))
    assert [c.text for c in comments_of(Tamper(task=TASK, twin=ANSWER, bugs=bugs))] == ["a", "b"]


def test_examples_come_back_from_a_file(dialect: Dialect, tmp_path: Path) -> None:
    examples = [code_example(TASK, dialect), critique_example(TASK, [comment(SECOND)], dialect)]
    assert ExampleFile.write(tmp_path / "deep" / "examples.npz", iter(examples)) == 2
    read = ExampleFile(tmp_path / "deep" / "examples.npz")
    assert len(read) == 2 and read.lengths.tolist() == [len(e.ids) for e in examples]
    for i, example in enumerate(examples):
        for part in ("ids", "targets", "kinds", "verdicts"):
            assert (getattr(read[i], part) == getattr(example, part)).all()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["examples.npz"]
    assert ExampleFile.write(tmp_path / "none.npz", []) == 0 and len(ExampleFile(tmp_path / "none.npz")) == 0


def test_a_file_that_is_no_examples_is_one_sentence(dialect: Dialect, tmp_path: Path) -> None:
    path = tmp_path / "examples.npz"
    ExampleFile.write(path, [code_example(TASK, dialect)] * 50)
    whole = path.read_bytes()
    with np.load(path) as arrays:
        parts = dict(arrays)
    for raw in (b"", b"no zip at all", whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(raw)
        with pytest.raises(MomusError, match="cannot read training examples from") as error:
            ExampleFile(path)
        assert "\n" not in str(error.value)
    np.savez(path, **{name: array for name, array in parts.items() if name != "kinds"})  # type: ignore[arg-type]
    with pytest.raises(MomusError, match="kinds"):
        ExampleFile(path)
    np.savez(path, **{**parts, "targets": parts["targets"][:-1]})  # type: ignore[arg-type]
    with pytest.raises(MomusError, match="unequal length"):
        ExampleFile(path)
    with pytest.raises(MomusError, match="cannot read"):
        ExampleFile(tmp_path / "absent.npz")
