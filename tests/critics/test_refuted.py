"""What a look at the code refutes is not said: claims of names that nothing binds, where something does."""

from __future__ import annotations

import pytest

from momus.critics import sampled, searched
from momus.critics.refuted import CLAIM, refuted, unrefuted
from momus.critics.sampled import SampledCritic
from momus.critics.searched import SearchedCritic
from momus.critique import Comment, Critique, TextMap
from momus.models.dialect import stripped_line
from momus.records import Task
from tiny_reward import TinyReward
from tiny_run import TinyRun

ANSWER = "def total(prices, rate):\n    due = sum(prices)\n    return due + due * rate\n"


def said_of(code: str, line: int, category: str = CLAIM) -> tuple[Comment, TextMap]:
    text = TextMap(code)
    place = stripped_line(text, line)
    assert place is not None
    return Comment(place, "`it` is not defined here.", category), text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (ANSWER, 3),
        ("import os\n\n\ndef here():\n    return os.getcwd() + name()\n\n\ndef name():\n    return 'x'\n", 5),
        ("def f(rows):\n    return [row.id for row in rows if len(row)]\n", 2),
        ("def f(xs):\n    for x in xs:\n        last = x\n    return last\n", 4),
        ("def f():\n    pass\n", 2),
        ("class A:\n    size = 3\n\n    def f(self):\n        return self.sise\n", 5),
    ],
    ids=["parameters", "module", "comprehension", "loop", "no name at all", "an attribute is no name"],
)
def test_a_name_is_bound_that_was_said_to_be_not(code: str, line: int) -> None:
    assert refuted(*said_of(code, line))
    assert not refuted(*said_of(code, line, "wrong-variable")), "what is a matter of judgement is left alone"


FIELDS = """\
import typing as t


class InfoDict(t.TypedDict):
    name: str


class Exit(RuntimeError):
    code: t.Final[int]

    def __init__(self, code=0):
        self.code = code


flag: bool
"""


def test_no_return_is_missing_where_none_may_stand() -> None:
    wrong = [line for line in range(1, FIELDS.count("\n") + 1) if FIELDS.split("\n")[line - 1].strip()]
    said = {line for line in wrong if not refuted(*said_of(FIELDS, line, "missing-return"))}
    assert said == {11, 12}, "only in the function can it be"
    assert not refuted(*said_of("def f(x:\n    x\n", 2, "missing-return")), "of what does not parse nothing is refuted"
    nested = "def f():\n    class A:\n        x: int\n    return A\n"
    assert not refuted(*said_of(nested, 4, "missing-return"))


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (ANSWER.replace("due * rate", "due * rates"), 3),
        (ANSWER.replace("sum(prices)", "added(prices)"), 2),
        ("def f():\n    print(late)\n    late = 1\n", 2),
        ("def f(x):\n    del x\n    return x\n", 3),
        ("from os import *\n\n\ndef f():\n    return getcwd()\n", 5),
        ("class A:\n    size = 3\n\n    def f(self):\n        return size\n", 5),
        ("def f(x:\n    return x\n", 2),
        ("x = '\x00'\n", 1),
    ],
    ids=["misspelt", "elsewhere", "too late", "deleted", "a star", "class scope", "no Python", "a null byte"],
)
def test_a_claim_that_may_be_true_stands(code: str, line: int) -> None:
    assert not refuted(*said_of(code, line))


def test_a_critique_keeps_its_other_comments() -> None:
    wrong, text = said_of(ANSWER, 3)
    other, _ = said_of(ANSWER, 2, "wrong-call")
    assert unrefuted(Critique((other, wrong)), text).comments == (other,)
    assert unrefuted(Critique(), text) == Critique()


def test_the_bundled_critic_does_not_say_it_but_where_it_explores(
    tiny_run: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    critic = SampledCritic(tiny_run.opened("onnx"), threshold=0.0, drafts=1, explore=True)
    task = Task(id="t", question="Add.", answer=ANSWER)
    assert all(each.critique.comments for each in critic.critique([task], n=2, seed=0))
    monkeypatch.setattr(sampled, "refuted", lambda comment, text: True)
    first, explored = critic.critique([task], n=2, seed=0)
    assert not first.critique.comments and first.error is None
    assert explored.critique.comments, "it is there to be rated, as it was written"


def test_nor_does_a_search_but_the_paper_s(tiny_reward: TinyReward, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, task = tiny_reward.opened("onnx"), Task(id="t", question="Add.", answer=ANSWER)
    monkeypatch.setattr(searched, "unrefuted", lambda critique, text: Critique())
    told = {}
    for mode in ("momus", "paper"):
        settings = searched.SearchSettings(n=3, rounds=2, mode=mode, max_tokens=16)
        critic = SearchedCritic(bundle, settings=settings, threshold=0.0, modifier=5.0)
        (said,) = critic.critique([task], seed=0)
        assert said.error is None
        told[mode] = len(said.critique)
    assert told["paper"] > 0 == told["momus"]
