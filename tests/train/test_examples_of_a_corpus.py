"""From functions and records to example files: only operators that train, and twins beside their tampers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from momus.corpus.functions import Function
from momus.models.dialect import Dialect
from momus.records import Bug, Span, Tamper, Task
from momus.train.config import DataConfig
from momus.train.examples import ExampleFile, Kind, Verdict
from momus.train.prepare import Builder, build, pretrain_examples, scan_examples, sft_examples

DATA = DataConfig(max_tokens=500, marker_offset=0.5)
TASK = Task(id="t", question="Add.", answer="def f(a, b):\n    return a - b\n")
AT = TASK.answer.index("return")
BUG = Bug(spans=(Span(AT, AT + 12),), category="wrong-operator", description="It subtracts.", suggestion="return a + b")
TAMPER = Tamper(task=TASK, twin=TASK.answer.replace("-", "+"), bugs=(BUG,))


def same(a: ExampleFile, b: ExampleFile) -> bool:
    return all(
        np.array_equal(getattr(a, part), getattr(b, part)) for part in ("ids", "targets", "kinds", "verdicts", "starts")
    )


@pytest.fixture(scope="module")
def functions(stdlib_functions: dict[str, list[Function]]) -> list[Function]:
    return stdlib_functions["train"][:40]


@pytest.mark.parametrize("builder", [pretrain_examples, scan_examples, sft_examples], ids=lambda b: b.__name__)
def test_a_seed_gives_the_same_file_and_nothing_too_long(
    builder, functions: list[Function], tiny_corpus: Path, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    tokenizer = tiny_corpus / "tokenizer" / "tokenizer.json"
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        count = build(functions[:15], builder, tokenizer, DATA, tmp_path / f"{name}.npz", seed=seed, jobs=1)
        made.append(ExampleFile(tmp_path / f"{name}.npz"))
        assert count == len(made[-1]) > 5 and made[-1].lengths.max() <= DATA.max_tokens
    assert same(made[0], made[1]) and not same(made[0], made[2])


def test_more_processes_give_the_same_file(functions: list[Function], tiny_corpus: Path, tmp_path: Path) -> None:
    tokenizer = tiny_corpus / "tokenizer" / "tokenizer.json"
    items = (functions * 2)[:70]  # more than one chunk
    for jobs in (1, 2):
        build(items, pretrain_examples, tokenizer, DATA, tmp_path / f"{jobs}.npz", seed=0, jobs=jobs)
    assert same(ExampleFile(tmp_path / "1.npz"), ExampleFile(tmp_path / "2.npz"))


def test_a_tokenizer_is_not_taken_for_another(functions: list[Function], tiny_corpus: Path, tmp_path: Path) -> None:
    """The same process builds with both."""
    from momus.corpus.tokenizer import train
    from momus.models.dialect import SPECIALS

    train([f.code for f in functions], SPECIALS, tmp_path / "tokenizer.json", size=470)
    for name, path in (("large", tiny_corpus / "tokenizer" / "tokenizer.json"), ("small", tmp_path / "tokenizer.json")):
        build(functions[:5], pretrain_examples, path, DATA, tmp_path / f"{name}.npz", seed=0, jobs=1)
    assert ExampleFile(tmp_path / "small.npz").ids.max() < 470 <= ExampleFile(tmp_path / "large.npz").ids.max()


def test_a_tamper_is_followed_by_its_twin(functions: list[Function], dialect: Dialect) -> None:
    pairs = 0
    for function in functions[:12]:
        examples = sft_examples(function, dialect, DATA, 0)
        assert len(examples) in (0, 2)
        if examples:
            tampered, twin = examples
            assert Verdict.BUG in tampered.verdicts[tampered.kinds == Kind.SCAN]
            assert Verdict.BUG not in twin.verdicts
            assert twin.targets[-1] == dialect.end and twin.kinds[-1] == Kind.DECISION
            pairs += 1
    assert pairs >= 6


def test_the_scan_stage_sees_several_bugs_at_once_and_no_critique(functions: list[Function], dialect: Dialect) -> None:
    made = [example for function in functions for example in scan_examples(function, dialect, DATA, 0)]
    bugs = [int((example.verdicts[example.kinds == Kind.SCAN] == Verdict.BUG).sum()) for example in made]
    assert len(made) > 30 and min(bugs[::2]) >= 1 and max(bugs) >= 3
    assert set(bugs[1::2]) == {0}  # each is followed by its twin
    assert not any(dialect.critique in example.ids for example in made)


@pytest.mark.parametrize("builder", [scan_examples, sft_examples], ids=lambda b: b.__name__)
def test_a_round_more_is_other_bugs_in_the_same_functions(
    builder: Builder, functions: list[Function], dialect: Dialect
) -> None:
    one, two = (
        [[e.ids.tolist() for e in builder(f, dialect, DATA.model_copy(update={"rounds": n}), 0)] for f in functions]
        for n in (1, 2)
    )
    assert all(more[: len(once)] == once for once, more in zip(one, two, strict=True))
    again = [(more[len(once) :: 2], once) for once, more in zip(one, two, strict=True)]
    fresh = [tampered not in once for tampereds, once in again for tampered in tampereds]
    assert sum(fresh) > 20 and sum(fresh) > 0.8 * len(fresh), "the shortest have no other bug"


def test_a_record_with_its_bugs_is_used_as_it_is(dialect: Dialect) -> None:
    tampered, twin = sft_examples(TAMPER, dialect, DATA, 0)
    said = tampered.targets[tampered.kinds == Kind.COMMENT].tolist()
    assert dialect.tokenizer.decode(said).startswith("return a + bIt subtracts.")
    assert twin.targets[-1] == dialect.end
    assert scan_examples(TAMPER, dialect, DATA, 0) == []


def test_a_bug_that_nobody_described_teaches_its_place_alone(dialect: Dialect) -> None:
    undescribed = TAMPER.model_copy(update={"bugs": (BUG.model_copy(update={"description": ""}),)})
    tampered, _ = sft_examples(undescribed, dialect, DATA, 0)
    assert (tampered.kinds != Kind.COMMENT).all()
    assert (tampered.kinds == Kind.DECISION).sum() == 2


@pytest.mark.parametrize(
    "odd",
    [
        TAMPER.model_copy(update={"bugs": ()}),
        TAMPER.model_copy(update={"twin": "\n"}),
        TAMPER.model_copy(update={"twin": "x = 1\n" * 200}),
        TAMPER.model_copy(
            update={"bugs": (Bug(spans=(Span(len(TASK.answer) - 1, len(TASK.answer)),), category="other"),)}
        ),
    ],
    ids=["no bug", "blank twin", "long twin", "the end of a line"],
)
def test_records_that_fit_no_example_are_left_out_or_used_without_a_fault(odd: Tamper, dialect: Dialect) -> None:
    assert len(sft_examples(odd, dialect, DATA, 0)) in (0, 2)


def test_a_bug_on_a_blank_line_teaches_nothing(dialect: Dialect) -> None:
    task = TASK.model_copy(update={"answer": "def f(a):\n\n    return a\n"})
    blank = task.answer.index("\n\n") + 1
    odd = Tamper(task=task, twin=TASK.answer, bugs=(Bug(spans=(Span(blank, blank + 1),), category="other"),))
    assert sft_examples(odd, dialect, DATA, 0) == []


def test_operators_that_are_held_out_never_train(functions: list[Function], dialect: Dialect) -> None:
    from momus.tamper import OPERATORS
    from momus.train.prepare import _trained_operators

    held_out = {name for name, operator in OPERATORS.items() if operator.held_out}
    assert len(held_out) >= 4 and held_out.isdisjoint(_trained_operators())
    assert held_out | set(_trained_operators()) == set(OPERATORS)
