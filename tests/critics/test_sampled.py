"""The bundled critic: exact lines, its own measure of silence, and the same words for the same seed."""

from __future__ import annotations

import random
import textwrap
from dataclasses import replace

import pytest

from momus.critics import open_critic
from momus.critics.sampled import SampledCritic
from momus.critics.windowed import WORDLESS, _indented
from momus.critique import Comment, Critique, TextMap, parse, render
from momus.errors import MomusError
from momus.models.bundled import Bundle
from momus.models.dialect import Dialect, stripped_line
from momus.records import Sampled, Task
from tiny_run import TinyRun


@pytest.fixture(scope="module")
def bundle(tiny_run: TinyRun) -> Bundle:
    return tiny_run.opened("onnx")


def tasks_of(run: TinyRun, count: int) -> list[Task]:
    return [Task(id=f.id, question=f.doc, answer=f.code) for f in run.functions["dev"][:count]]


def one(critic: SampledCritic, answer: str, seed: int = 0) -> Sampled:
    (sampled,) = critic.critique([Task(id="t", question="Do it.", answer=answer)], seed=seed)
    return sampled


def test_every_highlight_is_a_whole_line_of_the_answer(tiny_run: TinyRun, bundle: Bundle) -> None:
    """Over real functions, also indented, with other line ends, cut in the middle, or full of odd characters."""
    rng = random.Random(1)
    critic = SampledCritic(bundle, threshold=0.0, drafts=1, comments=1)
    disguises = (
        lambda code: code,
        lambda code: textwrap.indent(code, "        "),
        lambda code: textwrap.indent(code, "\t"),
        lambda code: code.replace("\n", "\r\n"),
        lambda code: code[: rng.randrange(20, len(code))],
        lambda code: code.replace("e", "é\u0301").replace("self", "🎉<|bug|>"),
        lambda code: "\n\n" + code + "\n \n",
    )
    spoken = 0
    for n, task in enumerate(tasks_of(tiny_run, 14)):
        answer = disguises[n % len(disguises)](task.answer)
        text = TextMap(answer)
        sampled = one(critic, answer, seed=n)
        assert sampled.error is None and sampled.left_out is None
        for comment in sampled.critique:
            assert comment.highlight == stripped_line(text, text.line(comment.highlight.start))
            assert comment.text and 0 <= (comment.confidence or 0) <= 1
            spoken += 1
        assert parse(render(sampled.critique, answer), answer).critique == sampled.critique.without_metadata()
    assert spoken == 14


def test_a_threshold_above_one_is_silence_and_zero_speaks_of_everything(tiny_run: TinyRun, bundle: Bundle) -> None:
    silent, loud = SampledCritic(bundle, threshold=2.0), SampledCritic(bundle, threshold=0.0, drafts=1, comments=1)
    tasks = tasks_of(tiny_run, 6)
    for sampled in silent.critique(tasks, seed=0):
        assert len(sampled.critique) == 0 and sampled.error is None and sampled.logprob is None
    for sampled in loud.critique(tasks, seed=0):
        assert len(sampled.critique) == 1 and sampled.logprob is not None and sampled.logprob < 0


def test_imports_comments_and_docstrings_are_never_suspected(bundle: Bundle) -> None:
    critic = SampledCritic(bundle, threshold=0.0, drafts=1, comments=9)
    answer = '    import os\n    @cached\n    def f(x):\n        """Doc."""\n        # why\n        return x\n'
    assert [s.line for s in critic.suspicions(Task(id="t", question="", answer=answer))] == [3, 6]
    text = TextMap(answer)
    assert {text.line(c.highlight.start) for c in one(critic, answer).critique} == {3, 6}
    assert len(one(critic, "import os\nimport sys\n").critique) == 0
    broken = "import os\nx = (\n"
    assert len(one(critic, broken).critique) == 2, "what does not parse is suspected line by line"


def test_it_speaks_of_the_lines_that_reach_the_threshold_the_gravest_first(tiny_run: TinyRun, bundle: Bundle) -> None:
    task = max(tasks_of(tiny_run, 14), key=lambda task: len(task.answer))
    judged = sorted((bundle.gate.confidence(s), s.line) for s in SampledCritic(bundle).suspicions(task))[::-1]
    threshold = (judged[2][0] + judged[3][0]) / 2
    critic = SampledCritic(bundle, threshold=threshold, drafts=1)
    (sampled,) = critic.critique([task], seed=0)
    text = TextMap(task.answer)
    assert [text.line(comment.highlight.start) for comment in sampled.critique] == [line for _, line in judged[:3]]
    confidences = [comment.confidence or 0 for comment in sampled.critique]
    assert confidences == pytest.approx([confidence for confidence, _ in judged[:3]], abs=1e-4)
    (fewer,) = SampledCritic(bundle, threshold=threshold, drafts=1, comments=1).critique([task], seed=0)
    assert fewer.critique.comments == sampled.critique.comments[:1]


def test_critiques_differ_by_seed_and_repeat_with_it(tiny_run: TinyRun, bundle: Bundle) -> None:
    task = tasks_of(tiny_run, 1)[0]
    critic = SampledCritic(bundle, threshold=0.0, drafts=2, comments=1)
    first = list(critic.critique([task], n=3, seed=7))
    assert [sampled.i for sampled in first] == [0, 1, 2]
    assert len({sampled.critique.comments[0].text for sampled in first}) == 3
    assert list(critic.critique([task], n=3, seed=7)) == first
    assert next(iter(critic.critique([task], seed=8))).critique != first[0].critique


@pytest.mark.parametrize("answer", ["", "\n", " \n\t\n\r\n"])
def test_an_answer_without_code_gets_silence(bundle: Bundle, answer: str) -> None:
    sampled = one(SampledCritic(bundle, threshold=0.0), answer)
    assert len(sampled.critique) == 0 and sampled.error is None and sampled.left_out is None
    assert SampledCritic(bundle).suspicions(Task(id="t", question="", answer=answer)) == []


def test_a_long_answer_is_reviewed_whole_and_what_is_left_out_is_said(bundle: Bundle) -> None:
    body = "".join(f"value_{n} = compute({n})\n" for n in range(200))
    long_line = "data = '" + "x y" * 9_000 + "'\n"
    critic = SampledCritic(bundle, threshold=0.0, drafts=1, comments=2)
    answer = body + long_line + "last = 1\n"
    suspicions = critic.suspicions(Task(id="t", question="", answer=answer))
    assert [s.line for s in suspicions] == [*range(1, 201), 202]
    sampled = one(critic, answer)
    assert sampled.left_out == "line 201: too long for the model's context"
    assert len(sampled.critique) == 2 and sampled.error is None


def test_a_line_that_fills_half_the_context_can_still_be_remarked_on(bundle: Bundle) -> None:
    """The quote repeats the line: there has to be room for it twice."""
    dialect = bundle.dialect
    spare = (bundle.arch.context - 176 - 4 - len(dialect.asked("Do it."))) // 2
    line = "x = 1"
    while len(dialect.line(line + " + 1")) + 2 <= spare:
        line += " + 1"
    sampled = one(SampledCritic(bundle, threshold=0.0, comments=1), line)
    assert sampled.error is None and sampled.left_out is None and len(sampled.critique) == 1


class Scripted(Dialect):
    """The real dialect, but whatever was drawn reads as the comment that is asked for."""

    def __init__(self, real: Dialect, text: str, suggestion: str | None) -> None:
        super().__init__(real.tokenizer)
        self.words, self.proposed = text, suggestion

    def read(self, tokens, answer):  # type: ignore[no-untyped-def]
        read = super().read(tokens, answer)
        comments = tuple(replace(c, text=self.words, suggestion=self.proposed) for c in read.critique)
        return replace(read, critique=Critique(comments))


def scripted(bundle: Bundle, answer: str, text: str, suggestion: str | None) -> Comment:
    dialect = Scripted(bundle.dialect, text, suggestion)
    critic = SampledCritic(replace(bundle, dialect=dialect), threshold=0.0, drafts=1, comments=1, mend=False)
    (comment,) = one(critic, answer).critique
    return comment


@pytest.mark.parametrize(("indent", "ending"), [("", "\n"), ("    ", "\n"), ("\t\t", "\n"), ("  ", "\r\n")])
def test_the_further_lines_of_a_suggestion_are_indented_as_the_file_is(
    bundle: Bundle, indent: str, ending: str
) -> None:
    """The model reads a method dedented; what it proposes goes back to where the method stands."""
    answer = f"{indent}return 1{ending}"
    comment = scripted(bundle, answer, "Two lines.", "if x:\n    return 2\n\nreturn 1")
    assert comment.suggestion == f"if x:\n{indent}    return 2\n\n{indent}return 1".replace("\n", ending)
    mended = answer[: comment.highlight.start] + comment.suggestion + answer[comment.highlight.end :]
    assert textwrap.dedent(mended.replace("\r\n", "\n")) == "if x:\n    return 2\n\nreturn 1\n"


def test_only_the_indentation_that_the_window_lost_is_added() -> None:
    assert _indented("a\n    b\n\n    c", "        ", "    line") == "a\n        b\n\n        c"
    assert _indented("a\nb", "\t    ", "    line") == "a\n\tb"
    assert _indented("a\n  b", "  ", "  line") == "a\n  b"


def test_a_suggestion_of_what_stands_there_is_none(bundle: Bundle) -> None:
    assert scripted(bundle, "    x = 1\n", "Fine?", "x = 1").suggestion is None
    assert scripted(bundle, "    x = 1\n", "Remove it.", "").suggestion == ""


def test_a_remark_without_words_gets_plain_ones(bundle: Bundle) -> None:
    assert scripted(bundle, "x = 1\n", "", None).text == WORDLESS


def test_a_task_that_makes_it_fail_gets_an_error_and_the_others_their_critiques(bundle: Bundle) -> None:
    class Failing(Dialect):
        def prompt(self, prompt, offset=0):  # type: ignore[no-untyped-def]
            if "fail" in prompt.answer:
                raise RuntimeError("the runtime broke")
            return super().prompt(prompt, offset)

    critic = SampledCritic(replace(bundle, dialect=Failing(bundle.dialect.tokenizer)), threshold=0.0, drafts=1)
    tasks = [Task(id=name, question="", answer=f"{name} = 1\n") for name in ("a", "fail", "b")]
    found = list(critic.critique(tasks, seed=0))
    assert [sampled.task_id for sampled in found] == ["a", "fail", "b"]
    assert [sampled.finish == "error" for sampled in found] == [False, True, False]
    assert found[1].error == "the runtime broke"


def test_it_opens_by_name_with_its_options(tiny_run: TinyRun) -> None:
    critic = open_critic("bundled", bundle=str(tiny_run.bundle8), runtime="numpy", threshold=2.0, comments=1)
    assert critic.name == "bundled"
    (sampled,) = critic.critique([Task(id="t", question="", answer="x = 1\n")], seed=0)
    assert sampled.critic == "bundled" and len(sampled.critique) == 0
    versions = {
        SampledCritic(tiny_run.opened(), threshold=threshold, drafts=drafts).version
        for threshold in (None, 0.5)
        for drafts in (1, 4)
    }
    assert len(versions) == 4
    with pytest.raises(MomusError, match="at least one draft and one comment"):
        open_critic("bundled", bundle=tiny_run.bundle8, drafts=0)
    with pytest.raises(MomusError, match="no bundle in"):
        open_critic("bundled", bundle="nowhere")
