"""The critics that know nothing do exactly that, the same way each time."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from momus.critics import open_critic
from momus.critics.protocol import each
from momus.critics.trivial import body_lines
from momus.critique import Critique, TextMap, parse, render
from momus.records import Task

ANSWER = "def f(x):\n\n    y = x  \n    return y\n"
TEXT = st.lists(st.sampled_from(["x = 1", "", "   ", "\té = 2 ", "\r", "\n", "\u2028", "👩\u200d👩\u200d👧"])).map(
    "\n".join
)


def task(answer: str = ANSWER, name: str = "t") -> Task:
    return Task(id=name, question="q", answer=answer)


def quotes(name: str, answer: str = ANSWER, seed: int = 0, **options: int | None) -> list[str]:
    (sampled,) = open_critic(name, **options).critique([task(answer)], seed=seed)
    assert sampled.error is None
    return [comment.highlight.of(answer) for comment in sampled.critique]


def test_empty_says_nothing_and_everything_says_it_of_every_code_line() -> None:
    assert quotes("empty") == []
    assert quotes("everything") == ["def f(x):", "y = x", "return y"]


def test_random_draws_one_line_or_as_many_as_it_is_told() -> None:
    assert len(quotes("random")) == 1
    assert len(quotes("random", comments=2)) == 2
    assert sorted(quotes("random", comments=None)) == sorted(quotes("everything"))


def test_random_depends_on_the_seed_and_the_task_alone() -> None:
    critic = open_critic("random")
    several = list(critic.critique([task(name=str(i)) for i in range(5)], seed=3))
    assert next(iter(critic.critique([task(name="3")], seed=3))) == several[3]
    drawn = Counter(quotes("random", seed=seed)[0] for seed in range(300))
    assert set(drawn) == {"y = x", "return y"}, "a signature is never drawn before the body"
    assert min(drawn.values()) > 100  # 150 each, give or take


def test_body_lines_leave_out_what_does_nothing() -> None:
    code = 'import os\n\n@cache\ndef f(\n    x,\n):\n    """Doc."""\n    # why\n'
    code += "    if x:\n        return (\n            1)\n"
    assert body_lines(TextMap(code)) == (9, 10, 11)
    assert body_lines(TextMap("def broken(:\n    x\n")) == (1, 2)
    assert body_lines(TextMap("import os\n")) == (1,)


def test_n_critiques_of_each_task_are_numbered_and_in_order() -> None:
    found = list(open_critic("random").critique([task(name="a"), task(name="b")], n=3, seed=0))
    assert [(s.task_id, s.i) for s in found] == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2)]


@given(TEXT)
def test_any_answer_is_critiqued_with_exact_quotes(answer: str) -> None:
    for name in ("everything", "random", "empty"):
        (sampled,) = open_critic(name).critique([task(answer)], seed=1)
        assert sampled.error is None
        assert parse(render(sampled.critique, answer), answer).critique == sampled.critique.without_metadata()
        for comment in sampled.critique:
            assert len(TextMap(answer).lines(comment.highlight)) == 1
            assert comment.highlight.of(answer) == comment.highlight.of(answer).strip()


def test_a_task_that_breaks_a_critic_is_an_error_and_the_next_one_is_done() -> None:
    def write(task: Task, i: int) -> Critique:
        if task.id == "bad":
            raise ZeroDivisionError
        return Critique()

    found = list(each("c", [task(name="a"), task(name="bad"), task(name="b")], 1, write))
    assert [(s.task_id, s.error, s.finish) for s in found] == [
        ("a", None, "stop"),
        ("bad", "ZeroDivisionError", "error"),
        ("b", None, "stop"),
    ]
