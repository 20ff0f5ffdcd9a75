"""What each kind of work needs of a row, in words that people read, and the columns that are meant by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Imported = Literal["tamper", "rate", "write", "team", "compare", "judge", "grade", "canary"]
Columns = dict[str, str | list[str]]  # a field's name to the column that it is in; to several, where it is `many`


@dataclass(frozen=True, slots=True)
class Field:
    """`names` are how others call it, the likeliest first, in small letters with `_` between words."""

    name: str
    label: str
    names: tuple[str, ...]
    needed: bool = False
    many: bool = False
    hint: str = ""


_ID = Field(
    "id", "Id", ("id", "task_id", "uid", "example_id", "record_id"), hint="made of the text where there is none"
)
_QUESTION = Field(
    "question",
    "Question",
    ("question", "prompt", "instruction", "problem_description", "text", "description", "input", "query"),
)
_ANSWER = Field(
    "answer",
    "Answer (the code)",
    ("answer", "code", "solution", "response", "completion", "output", "generated_code", "canonical_solution"),
    needed=True,
)
_TESTS = Field(
    "tests",
    "Tests",
    ("tests", "test", "test_code", "test_list", "unit_tests", "assertions"),
    hint="a program that runs after the answer and fails where it is wrong",
)
_MORE = (
    Field("prelude", "Code that runs before the answer", ("prelude", "test_setup_code", "setup_code", "imports")),
    Field("entry_point", "Name of the function under test", ("entry_point", "function_name", "func_name")),
    Field(
        "language",
        "Programming language",
        ("language", "lang", "programming_language"),
        hint="Python, unless told",
    ),
    Field(
        "context",
        "Code around the answer",
        ("context",),
        hint="shown, not reviewed",
    ),
    Field(
        "group",
        "Problem",
        ("group", "problem", "problem_id", "question_id"),
        hint="rows of the same problem stay together in splits and statistics",
    ),
    Field("split", "Split", ("split", "subset")),
    Field("source", "Source", ("source", "dataset", "repo", "repository")),
    Field("licence", "Licence", ("licence", "license")),
)
_BUGGY = replace(_ANSWER, label="Code with the bug", names=("buggy", "buggy_code", "answer", "code", "before", "bad"))
_FIXED = Field(
    "fixed",
    "Code without the bug",
    ("fixed", "fixed_code", "twin", "canonical_solution", "solution", "reference", "after", "good"),
    needed=True,
)
_BUG = (
    Field("description", "What the bug is", ("description", "explanation", "bug_description", "message")),
    Field("category", "Category of the bug", ("category", "bug_type", "subtype", "kind")),
    Field(
        "severity",
        "Severity",
        ("severity",),
        hint="low, medium or high",
    ),
    Field(
        "lines",
        "Lines of the bug",
        ("bug_lines", "lines"),
        hint="numbers; found by comparing, where not told",
    ),
)
_CRITIQUE = Field(
    "critique",
    "Critique to begin from",
    ("critique", "review", "feedback", "comments", "comment", "suggestion"),
    needed=True,
    hint="quotes and comments as on the format page, a list of comments, or plain text",
)
_TASK = (_ID, _QUESTION, _ANSWER, _TESTS, *_MORE)
_ASKED = replace(_QUESTION, names=tuple(name for name in _QUESTION.names if name != "description"))
_BUGS = (_ID, _ASKED, _BUGGY, _FIXED, _TESTS, *_BUG, *_MORE)
_PAIR = (
    _ID,
    _QUESTION,
    Field(
        "first",
        "First answer",
        (
            "answer_a",
            "answer_1",
            "response_a",
            "response_1",
            "completion_a",
            "completion_1",
            "model_a_answer",
            "text1",
            "text_1",
            "a",
            "chosen",
        ),
        needed=True,
    ),
    Field(
        "second",
        "Second answer",
        (
            "answer_b",
            "answer_2",
            "response_b",
            "response_2",
            "completion_b",
            "completion_2",
            "model_b_answer",
            "text2",
            "text_2",
            "b",
            "rejected",
        ),
        needed=True,
    ),
    Field(
        "first_maker",
        "Who wrote the first",
        ("maker_a", "model_a", "model_1", "chosen_model"),
        hint="the column's name, unless told; kept from raters",
    ),
    Field("second_maker", "Who wrote the second", ("maker_b", "model_b", "model_2", "rejected_model")),
    Field("first_critique", "Critique of the first", ("critique_a", "critique_1", "review_a", "critique_first")),
    Field("second_critique", "Critique of the second", ("critique_b", "critique_2", "review_b", "critique_second")),
    Field(
        "language",
        "Programming language",
        ("language", "lang", "programming_language"),
        hint="Python, unless told",
    ),
    Field("group", "Problem", ("group", "problem", "problem_id", "question_id")),
)
_PASSES = Field(
    "passes",
    "The one that passes its tests",
    ("passes", "correct", "winner", "label", "gold"),
    needed=True,
    hint="first or second, a or b",
)
FIELDS: dict[Imported, tuple[Field, ...]] = {
    "tamper": _TASK,
    "write": (_ID, _QUESTION, replace(_ANSWER, names=("answer", "buggy", *_ANSWER.names[1:])), _TESTS, *_MORE),
    "team": (_ID, _QUESTION, _ANSWER, _CRITIQUE, _TESTS, *_MORE),
    "rate": (
        _ID,
        _QUESTION,
        _ANSWER,
        Field(
            "critiques",
            "Critiques to compare (two or more)",
            ("critique",),
            needed=True,
            many=True,
            hint="each column's name is its critic's, and kept from raters",
        ),
        replace(_FIXED, needed=False, names=("fixed", "twin", "fixed_code")),
        *_BUG,
        _TESTS,
        *_MORE,
    ),
    "compare": _PAIR,
    "judge": (*_PAIR[:4], _PASSES, *_PAIR[4:]),
    "grade": _BUGS,
    "canary": (
        *_BUGS[:5],
        Field(
            "proved",
            "The tests have shown it",
            ("verified", "proved", "proof"),
            needed=True,
            hint="yes where the tests pass without the bug and fail with it",
        ),
        *_BUGS[5:],
    ),
}


def guess(kind: Imported, columns: Iterable[str], remembered: Mapping[str, Columns] | None = None) -> Columns:
    """The column of each field: as it was chosen before (for this kind, then for another), else by its name.

    A column stands for one field only, and the fields that are needed choose first.
    """
    there = list(dict.fromkeys(columns))
    before = remembered or {}
    found: Columns = {}
    taken: set[str] = set()
    for field in sorted(FIELDS[kind], key=lambda field: not field.needed):
        chosen = _chosen(field, there, [before.get(kind, {}), *before.values()], taken)
        if chosen:
            found[field.name] = chosen if field.many else chosen[0]
            taken |= set(chosen)
    return {field.name: found[field.name] for field in FIELDS[kind] if field.name in found}


def columns_in(mapping: Columns) -> set[str]:
    """All columns that a mapping names."""
    return {column for value in mapping.values() for column in ([value] if isinstance(value, str) else value)}


def _chosen(field: Field, there: list[str], before: list[Columns], taken: set[str]) -> list[str]:
    for mapping in before:
        if (old := mapping.get(field.name)) is not None:
            old = [old] if isinstance(old, str) else old
            if all(column in there and column not in taken for column in old):
                return old
    plain = {column: _plain(column) for column in there if column not in taken}
    if field.many:
        return [column for column, name in plain.items() if any(_like(name, one) for one in field.names)]
    for name in field.names:
        for column, said in plain.items():
            if said == name or said.rpartition(".")[2] == name:
                return [column]
    return []


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower()).strip("_")


def _like(column: str, name: str) -> bool:
    """`critique_1`, `gpt_critique`, `critiques.a`: a column of several of one thing."""
    return name in re.split(r"[_.]", re.sub(r"critiques", "critique", column)) or column == name
