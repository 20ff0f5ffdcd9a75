"""The critic over a real model: what it says with solutions at hand, and what it says of its silence."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from momus.critics import open_critic
from momus.critics.automatic import AUTO, LocalName, model_of
from momus.critics.local.critic import LocalCritic
from momus.critics.local.fixing import unopposed
from momus.critics.local.request import VERSION
from momus.critics.local.store import ScanStore
from momus.critics.solutions.asking import subject_of
from momus.critics.solutions.critic import LACKS, SolutionsCritic
from momus.critics.solutions.depth import DEPTHS
from momus.critics.solutions.hearing import hear
from momus.critics.solutions.writing import write
from momus.critique import Comment, Critique, Span
from momus.errors import MomusError
from momus.evidence.votes import Gate
from momus.match import apply_suggestion
from momus.models.local import LocalModel, open_local
from momus.raters.solutions import CONTRADICTED, KEPT, SolutionsRater, agreement
from momus.records import Comparison, Sampled, Task

QUESTION = "Write total(values), the sum of a list of numbers.\ntotal([1, 2]) == 3\ntotal([]) == 0"
WRONG = "def total(values):\n    result = 0\n    for value in values:\n        result = value\n    return result\n"
RIGHT = WRONG.replace("result = value", "result += value")
EIGHT = ["def total(values):\n    return sum(values)\n"] * 8


@pytest.fixture(scope="module")
def model(smollm2: Path) -> Iterator[LocalModel]:
    yield open_local(str(smollm2), threads=1)


def task(answer: str = WRONG, question: str = QUESTION, **more: object) -> Task:
    return Task(id="t", question=question, answer=answer, **more)  # type: ignore[arg-type]


def stored(model: LocalModel, folder: Path, texts: list[str]) -> Path:
    """A folder of scans in which these are the solutions that the model has written to the question."""

    class Written:
        tokens = model.tokens

    store = ScanStore(folder, f"{model.digest}/{model.mode}/{VERSION}")
    subject = subject_of(task())
    assert subject is not None
    store.texts = lambda key, make: ScanStore.texts(store, key, lambda: texts)  # type: ignore[method-assign]
    assert write(Written(), QUESTION, subject, n=len(texts), store=store) == texts  # type: ignore[arg-type]
    return folder


def test_a_contradicted_answer_gets_one_comment_and_a_right_one_none(model: LocalModel, tmp_path: Path) -> None:
    critic = SolutionsCritic("solutions", model, scans=stored(model, tmp_path, EIGHT))
    wrong, right = critic.critique([task(), task(RIGHT)], seed=0)
    assert (wrong.error, right.error, wrong.lacks, right.lacks) == (None, None, None, None)
    assert not right.critique.comments
    [comment] = wrong.critique.comments
    assert "8 of 8 solutions (all alike) written independently" in comment.text
    assert comment.witness is not None and comment.witness.startswith("total(")
    assert comment.confidence == pytest.approx(0.9) and comment.severity == "high"
    assert comment.evidence is not None and comment.evidence.badge == "outvoted"
    assert comment.evidence.by == "8 of 8 independent solutions" and comment.evidence.call == comment.witness
    if comment.suggestion is not None:
        names: dict[str, object] = {}
        exec(apply_suggestion(WRONG, comment.highlight, comment.suggestion), names)  # of a fixed list of edits
        assert eval("total([1, 2, 5])", names) == 8


def test_silence_for_want_of_agreement_is_said(model: LocalModel, tmp_path: Path) -> None:
    texts = [f"def total(values):\n    return {n}\n" for n in range(8)]
    [said] = SolutionsCritic("s", model, scans=stored(model, tmp_path, texts)).critique([task()], seed=0)
    assert said.lacks == LACKS and not said.critique.comments and said.error is None


def test_joined_to_the_scan_it_speaks_first(model: LocalModel, tmp_path: Path) -> None:
    critic = LocalCritic("m", model, solutions=True, scans=stored(model, tmp_path, EIGHT))
    assert critic.name == "local:m+solutions" and critic.runs
    [said] = critic.critique([task()], seed=0)
    assert said.error is None and "8 of 8 solutions" in said.critique.comments[0].text
    plain = LocalCritic("m", model)
    assert plain.version != critic.version and plain.version in critic.version
    quick = LocalCritic("m", model, solutions=True, depth="quick", scans=tmp_path)
    [said] = quick.critique([task()], seed=0)
    assert not any("solutions" in comment.text for comment in said.critique)


def test_auto_asks_examples_and_solutions() -> None:
    assert LocalName.of(f"m{''.join(AUTO)}") == LocalName("m", examples=True, solutions=True)


@pytest.mark.parametrize(
    ("given", "depth", "more"),
    [
        (task(), "normal", True),
        (task(), "thorough", True),
        (task(), "quick", False),
        (task(run=False), "normal", False),
        (task(question=""), "normal", False),
        (task(question="Write total(values), the sum of a list of numbers."), "normal", False),
        (task("x = 1\n"), "normal", False),
        (
            task('def total(v):\n    """The sum of a list of numbers.\n\n    >>> total([1])\n    1\n    """\n', ""),
            "normal",
            False,
        ),
        (
            task('def total(v):\n    """The sum of a list of numbers.\n\n    >>> total([1])\n    1\n    """\n', ""),
            "thorough",
            True,
        ),
    ],
)
def test_the_time_that_is_told_counts_solutions_only_where_some_are_written(
    model: LocalModel, given: Task, depth: str, more: bool
) -> None:
    plain = LocalCritic("m", model).expected_s(given)
    told = LocalCritic("m", model, examples=True, solutions=True, depth=depth).expected_s(given)
    assert told == plain + (DEPTHS[depth].seconds if more else 0)


def test_without_a_sandbox_nothing_is_written(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("momus.sandbox.selftest.why_not", lambda: "bubblewrap is missing")
    monkeypatch.setattr(
        "momus.critics.solutions.outvoted.write", lambda *_, **__: pytest.fail("solutions were written")
    )
    [said] = LocalCritic("m", model, solutions=True).critique([task()], seed=0)
    assert said.error is None and said.left_out is not None and "no sandbox" in said.left_out


def test_a_fix_that_solutions_speak_against_where_the_code_is_right_is_left_out() -> None:
    subject = subject_of(task())
    assert subject is not None
    heard = hear(task(RIGHT), subject, EIGHT, gate=Gate(), calls=8)
    start = RIGHT.index("+=")
    worse, same = (
        Comment(Span(start, start + 2), "It should be another.", "wrong-operator", "high", suggestion)
        for suggestion in ("=", "+= 0 +")
    )
    bare = Comment(Span(0, 3), "Here is something.")
    assert heard.speaks and not heard.contradictions
    assert unopposed(task(RIGHT), [worse, same, bare], heard) == [same, bare]
    silent = hear(task(RIGHT), subject, EIGHT[:4], gate=Gate(), calls=8)
    assert not silent.speaks and unopposed(task(RIGHT), [worse], silent) == [worse]


def test_where_nothing_may_run_it_says_so(model: LocalModel) -> None:
    [said] = SolutionsCritic("s", model).critique([task(run=False)], seed=0)
    assert said.error is not None and "running code is turned off" in said.error
    [said] = LocalCritic("m", model, solutions=True).critique([task(run=False)], seed=0)
    assert said.error is None


def test_without_a_question_the_model_is_asked_nothing(model: LocalModel) -> None:
    [said] = SolutionsCritic("s", model).critique([task(question="")], seed=0)
    assert said.lacks == LACKS and said.error is None


@pytest.mark.parametrize(
    ("name", "model_", "examples", "solutions"),
    [
        ("m", "m", False, False),
        ("m+examples", "m", True, False),
        ("m+examples+solutions", "m", True, True),
        ("a/b.gguf+solutions", "a/b.gguf", False, True),
        ("m+solutions+examples", "m", True, True),
    ],
)
def test_a_name_says_what_is_joined_to_the_scan(name: str, model_: str, examples: bool, solutions: bool) -> None:
    named = LocalName.of(name)
    assert named == LocalName(model_, examples, solutions)
    assert LocalName.of(str(named).removeprefix("local:")) == named
    assert model_of(f"local:{name}") == model_


def test_other_names_name_no_local_model() -> None:
    assert model_of("auto") == model_of("solutions") == ""
    assert model_of("solutions:x.gguf") == "x.gguf"
    assert model_of("linter:ruff") is None and model_of("examples") is None


def test_an_unknown_depth_is_refused_before_a_model_is_opened() -> None:
    with pytest.raises(MomusError, match="there is no depth 'deep': choose one of quick, normal, thorough"):
        open_critic("solutions:nowhere.gguf", depth="deep")


def comparison(answer: str, *comments: Comment | None) -> Comparison:
    said = [Sampled(task_id="t", critic="c", critique=Critique(() if c is None else (c,))) for c in comments]
    return Comparison(id="c", task=task(answer), critiques=tuple(said))


def test_the_rater_scores_claims_by_what_the_solutions_give() -> None:
    def comment(answer: str, code: str, suggestion: str | None) -> Comment:
        at = answer.index(code)
        return Comment(Span(at, at + len(code)), "Wrong.", "other", "high", suggestion)

    def hears(asked: Task):  # type: ignore[no-untyped-def]
        subject = subject_of(asked)
        assert subject is not None
        return hear(asked, subject, EIGHT, gate=Gate(), calls=6)

    rater = SolutionsRater(hears)
    wrong = rater.rate(
        comparison(
            WRONG,
            comment(WRONG, "result = value", "result += value"),
            comment(WRONG, "result = value", None),
            comment(WRONG, "return result", "return -result"),
            None,
        )
    )
    assert [form.comprehensiveness for form in wrong.forms] == [7, 4, 1, 1]
    assert wrong.order[0] == (0,) and wrong.order[1] == (1,) and wrong.rationale == CONTRADICTED
    right = rater.rate(comparison(RIGHT, None, comment(RIGHT, "return result", "return result + 1")))
    assert right.order == ((0,), (1,)) and right.forms[1].fake_problem == 7
    assert right.rationale == KEPT
    said = agreement({CONTRADICTED: [1, 8], KEPT: [9, 2], "by utility": [5, 5]})
    assert "8 of 10 answers with a reference bug and 1 of 10 without one" in said
    silent = SolutionsRater(lambda asked: hear(asked, subject_of(asked), [], gate=Gate()))  # type: ignore[arg-type]
    assert silent.rate(comparison(WRONG, None)).forms[0].overall is None
