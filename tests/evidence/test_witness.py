"""Evidence on comments, by the real sandbox: each badge where its definition holds, and not where it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from momus.badges import Evidence
from momus.critique import Comment, Critique, Span
from momus.evidence.claims import Claim, claims_of
from momus.evidence.running import Limits, Result
from momus.evidence.witness import Prover, is_cheap
from momus.records import Sampled, Surroundings, Task, dump_line

MEAN = "def mean(xs):\n    return sum(xs) / (len(xs) + 1)\n"
ASKED = "Give the mean.\n>>> mean([1, 3])\n2.0\n"


def evidence(
    answer: str, old: str, new: str | None, question: str = "q", text: str = "This is wrong.", **more: Any
) -> Evidence | None:
    """The evidence on one comment, which suggests `new` in the place of `old`."""
    start = answer.index(old)
    comment = Comment(Span(start, start + len(old)), text, suggestion=new, **more)
    task = Task(id="t", question=question, answer=answer)
    prover = Prover(everything=True, limits=Limits(timeout_s=60, idle_s=1))
    (told,) = prover.critique(task, Critique((comment,)))
    return told.evidence


def test_proved_where_an_example_says_that_the_suggestion_is_right() -> None:
    found = evidence(MEAN, "(len(xs) + 1)", "len(xs)", ASKED)
    assert found is not None
    assert (found.badge, found.call, found.got, found.fixed) == ("proved", "mean([1, 3])", "1.3333333333333333", "2.0")
    assert (found.promised, found.by) == ("2.0", "the question")
    raising = evidence("def f(xs):\n    return xs[1]\n", "xs[1]", "xs[0]", ">>> f([7])\n7\n")
    assert raising is not None and (raising.badge, raising.got) == ("proved", "IndexError: list index out of range")


def test_never_proved_on_a_clean_answer() -> None:
    clean = MEAN.replace("(len(xs) + 1)", "len(xs)")
    for new in ("(len(xs) + 1)", "max(1, len(xs))", "len(xs) * 1"):
        found = evidence(clean, "len(xs)", new, ASKED)
        assert found is not None and found.badge != "proved"
    broken = evidence(clean, "len(xs)", "(len(xs) + 1)", ASKED)
    assert broken is not None and broken.badge == "disproved"  # the suggestion breaks what the question promises
    same = evidence(clean, "len(xs)", "len(xs) * 1", ASKED)
    assert same is not None and same.badge == "no-difference" and same.inputs > 10


def test_differs_where_nobody_says_who_is_right() -> None:
    code = "def clamp(x: int, low: int, high: int) -> int:\n    return max(low, min(x, high + 1))\n"
    found = evidence(code, "high + 1", "high")
    assert found is not None and found.badge == "differs"
    assert found.call.startswith("clamp(") and found.got != found.fixed and not found.by
    assert "seed 0" in found.text


def test_an_exception_on_an_input_that_nothing_allows_proves_nothing() -> None:
    code = "def first(xs: list[int]) -> int:\n    return xs[0]\n"
    found = evidence(code, "xs[0]", "xs[0] if xs else 0", ">>> first([3, 1])\n3\n")
    assert found is not None and (found.badge, found.call) == ("differs", "first([])")
    assert found.got.startswith("IndexError")


def test_disproved_where_the_code_does_not_do_what_the_comment_says() -> None:
    code = "def last(xs: list) -> int:\n    return xs[-1] if xs else 0\n"
    found = evidence(code, "xs[-1]", "xs[len(xs) - 1]", text="`last([])` raises IndexError.")
    assert found is not None and (found.badge, found.call, found.got) == ("disproved", "last([])", "0")
    assert "IndexError" in found.reason
    alone = evidence(code, "xs[-1]", None, text="`last([1, 2])` returns 1, as it counts from the end.")
    assert alone is not None and (alone.badge, alone.got) == ("disproved", "2")
    true = evidence(code, "xs[-1]", None, text="`last([])` returns 0.")
    assert true is None


def test_could_not_run_says_why() -> None:
    code = "def f(session):\n    return session.commit()\n"
    found = evidence(code, "commit", "rollback")
    assert found is not None and found.badge == "not-run" and "no input is known" in found.reason
    broken = evidence(MEAN, "len(xs)", "len(xs", ASKED)
    assert broken is not None and broken.badge == "not-run" and "does not parse" in broken.reason
    random = evidence("import random\ndef f(n: int):\n    return random.random() + n\n", "+ n", "- n")
    assert random is not None and random.badge == "not-run" and "two runs" in random.reason
    needing = evidence("import nothing_like_it\ndef f(n: int):\n    return n\n", "return n", "return -n")
    assert needing is not None and needing.badge == "not-run" and "nothing_like_it" in needing.reason


@pytest.mark.parametrize(
    "suggestion",
    [
        "while True: pass",
        "import os\n    while True: os.fork()",
        "import shutil\n    shutil.rmtree('/')",
        "print('x' * (1 << 30))\n    return n + 1",
        "import os; os._exit(0)",
        "return f(n)",
        "class A(int):\n        def __eq__(self, other): return True\n        __hash__ = None\n    return A(n + 1)",
        'import sys\n    sys.stdout.write(\'{"verdict": "passed"}\')\n    sys.exit(0)',
    ],
)
def test_a_hostile_suggestion_proves_nothing(suggestion: str) -> None:
    code = "def f(n):\n    return n + 2\n"
    found = evidence(code, "return n + 2", suggestion, ">>> f(1)\n3\n")
    assert found is not None and found.badge in ("disproved", "differs", "not-run")


def test_methods_generators_coroutines_and_lists_changed_in_place() -> None:
    code = (
        "class Box:\n"
        "    def __init__(self, n: int = 1):\n        self.n = n\n"
        "    def count(self, k: int):\n        for i in range(k):\n            yield i\n"
        "    async def soon(self, k: int) -> int:\n        return k + self.n\n"
        "    def fill(self, xs: list[int]) -> None:\n        xs.append(self.n)\n"
    )
    for old, new in (("yield i", "yield i + 1"), ("k + self.n", "k - self.n - 1"), ("append(self.n)", "clear()")):
        found = evidence(code, old, new)
        assert found is not None and found.badge == "differs", old
        assert "_object = Box(" in found.call or "Box()." in found.call


def test_a_line_that_no_input_reaches_is_said_not_to_be_reached() -> None:
    code = "def f(n: int):\n    if n == 987654321987:\n        return 1\n    return n\n"
    found = evidence(code, "return 1", "return 2")
    assert found is not None
    assert found.badge == "differs" or "none of which runs" in found.text


def test_a_constant_that_the_suggestion_brings_in_is_tried() -> None:
    code = "def primes(s: str) -> int:\n    return sum(c in '2357' for c in s)\n"
    found = evidence(code, "'2357'", "'2357\u00a7'")
    assert found is not None and found.badge == "differs" and "\u00a7" in found.call


def test_two_exceptions_on_what_nobody_wrote_are_no_difference() -> None:
    code = "def f(n: int) -> int:\n    raise KeyError(n)\n"
    found = evidence(code, "KeyError(n)", "ValueError(n)")
    assert found is not None and found.badge == "no-difference" and "both raise" in found.text
    asked = evidence(code, "KeyError(n)", "ValueError(n)", "What is f(3)?\n>>> f(3)\n5\n")
    assert asked is not None and asked.badge == "differs" and asked.call == "f(3)"


def test_a_unit_runs_in_its_file_and_what_opens_files_is_not_cheap() -> None:
    code = "LIMIT = 3\n\n\ndef f(n: int) -> int:\n    return min(n, LIMIT + 1)\n"
    answer = "def f(n: int) -> int:\n    return min(n, LIMIT + 1)\n"
    task = Task(id="t", question="", answer=answer, surroundings=Surroundings(code=code, lines=(4, 5)))
    at = answer.index("LIMIT + 1")
    comment = Comment(Span(at, at + 9), "One too many.", suggestion="LIMIT")
    (told,) = Prover().critique(task, Critique((comment,)))
    assert told.evidence is not None and told.evidence.badge == "differs"
    assert is_cheap(task)
    for other in (
        "def f(p: str):\n    return open(p)\n",
        "import os\ndef f(n: int):\n    return n\n",
        "def f(n):\n    return n\n",
    ):
        assert not is_cheap(Task(id="t", question="", answer=other))
    untouched = task.model_copy(update={"run": False})
    assert Prover(everything=True).critique(untouched, Critique((comment,))).comments[0].evidence is None


def test_a_module_that_does_things_when_it_is_loaded_does_them_to_nobody(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("here")
    loading = f"import os\nprint('x' * 100000)\ntry:\n    os.remove({str(kept)!r})\nexcept OSError:\n    pass\n"
    answer = "def f(n: int) -> int:\n    return n + 1\n"
    code = loading + answer
    first = loading.count("\n") + 1
    task = Task(id="t", question="", answer=answer, surroundings=Surroundings(code=code, lines=(first, first + 1)))
    at = answer.index("n + 1")
    (told,) = Prover(everything=True).critique(task, Critique((Comment(Span(at, at + 5), "Wrong.", suggestion="n"),)))
    assert told.evidence is not None and told.evidence.badge == "differs"
    assert kept.read_text() == "here"
    broken = task.model_copy(update={"surroundings": Surroundings(code="x = 1 / 0\n" + answer, lines=(2, 3))})
    (told,) = Prover(everything=True).critique(broken, Critique((Comment(Span(at, at + 5), "Wrong.", suggestion="n"),)))
    assert told.evidence is not None and told.evidence.badge == "not-run"
    assert "can't be loaded (ZeroDivisionError" in told.evidence.reason
    failing = evidence("def g(n: int):\n    raise KeyError(n)\n", "KeyError(n)", "KeyError(n, n)")
    assert failing is not None and failing.badge == "no-difference" and "both raise" in failing.text


def test_claims_are_about_the_code_as_it_is() -> None:
    said = (
        "`f([])` raises IndexError. With the fix `f([1])` returns 2. `f(2)` returns `'a'`, not 'b'. "
        "`f(3)` should return 4. `f(x)` gives 5. `other(1)` gives 2; here `f(4)` gives the sum."
    )
    assert list(claims_of(said, {"f"})) == [Claim("f([])", error="IndexError"), Claim("f(2)", value="'a'")]
    number = Result("value", "2.0", ["f", "2.0"])
    assert Claim("f(1)", value="2").holds(number) is True
    assert Claim("f(1)", value="3").holds(number) is False
    assert Claim("f(1)", error="ValueError").holds(number) is False
    assert Claim("f(1)", value="3").holds(Result("uncertain", "")) is None


def test_evidence_is_kept_in_records_and_left_out_of_blind_ones() -> None:
    found = Evidence("differs", "f(1)", "2", "3", inputs=40)
    critique = Critique((Comment(Span(0, 1), "Why?", evidence=found),))
    line = dump_line(Sampled(task_id="t", critic="c", critique=critique))
    assert '"evidence": {"badge": "differs", "call": "f(1)", "got": "2", "fixed": "3", "inputs": 40}' in line
    assert Sampled.model_validate_json(line).critique == critique
    assert critique.without_metadata().comments[0].evidence is None


def test_what_is_proved_already_stays() -> None:
    outvoted = Evidence("outvoted", "mean([4])", "2.0", promised="4.0", by="8 of 8 independent solutions")
    start = MEAN.index("(len(xs) + 1)")
    comment = Comment(Span(start, start + 13), "Wrong.", suggestion="max(len(xs), 1)", evidence=outvoted)
    task = Task(id="t", question="Give the mean.", answer=MEAN)
    (told,) = Prover(everything=True).critique(task, Critique((comment,)))
    assert told.evidence == outvoted
    asked = task.model_copy(update={"question": ASKED})
    (told,) = Prover(everything=True).critique(asked, Critique((replace(comment, suggestion="len(xs)"),)))
    assert told.evidence is not None and told.evidence.badge == "proved"
