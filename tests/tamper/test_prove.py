"""Proof by execution, in the real sandbox, and the weight of what a linter sees."""

from __future__ import annotations

import os
import random
import shutil

import pytest

from momus.critique import Span
from momus.errors import MomusError
from momus.records import Bug, Tamper, Task
from momus.sandbox import run
from momus.tamper import linter_weight, prove, tampers

if shutil.which("bwrap") is None and shutil.which("sandbox-exec") is None and os.environ.get("CI") != "true":
    pytest.skip("bubblewrap is not installed: proof by tests needs the sandbox", allow_module_level=True)

TWIN = """def longest(words):
    best = ""
    for word in words:
        if len(word) > len(best):
            best = word
    return best
"""
TESTS = "assert longest(['a', 'bcd', 'ef']) == 'bcd'\nassert longest([]) == ''\n"


def made(*changes: tuple[str, str], twin: str = TWIN, tests: str | None = TESTS, prelude: str = "") -> Tamper:
    """A tamper by replacement of texts that stand once, from the first to the last."""
    answer, bugs, at = "", [], 0
    for old, new in changes:
        assert twin.count(old) == 1
        answer += twin[at : twin.index(old)] + new
        at = twin.index(old) + len(old)
        bugs.append(Bug(spans=(Span(len(answer) - len(new), len(answer)),), category="other", suggestion=old))
    answer += twin[at:]
    task = Task(id="+".join(new for _, new in changes), question="", answer=answer, tests=tests, prelude=prelude)
    return Tamper(task=task, twin=twin, bugs=tuple(bugs))


def test_what_the_tests_catch_is_proved() -> None:
    wrong = made(("> len(best)", "< len(best)"))
    proved = prove([wrong])
    assert [t.task.id for t in proved.kept] == ["< len(best)"]
    assert proved.kept[0].proof == "tests" and not proved.survived and not proved.twin_failed


def test_what_the_tests_do_not_catch_is_dropped() -> None:
    same = made(("> len(best)", ">= len(best)"))
    proved = prove([same, made(("return best", "return word"))])
    assert [t.task.id for t in proved.survived] == [">= len(best)"]
    assert [t.task.id for t in proved.kept] == ["return word"]


def test_a_twin_that_fails_its_own_tests_proves_nothing() -> None:
    proved = prove([made(("> len", "< len"), tests="assert False")])
    assert len(proved.twin_failed) == 1 and not proved.kept


def test_without_tests_a_tamper_is_kept_as_it_is() -> None:
    proved = prove([made(("> len", "< len"), tests=None)], mode="auto")
    assert [t.proof for t in proved.kept] == ["compiles"]


EXITS = (
    "import sys\n{twin}sys.exit()\n",
    "import sys\n{twin}if __name__ == '__main__':\n    sys.exit()\n",
    "import os\n{twin}os._exit(0)\n",
    "import atexit, os\natexit.register(os._exit, 0)\n{twin}",
)


@pytest.mark.parametrize("exits", EXITS)
def test_an_answer_that_exits_well_is_not_proved_by_that(exits: str) -> None:
    """As one program each of them, and each of its tampers, ends with exit code 0."""
    twin = exits.format(twin=TWIN)
    same = made(("> len(best)", ">= len(best)"), twin=twin)
    program = same.task.program()
    assert program is not None and run(program).status == "passed"
    proved = prove([same, made(("return best", "return word"), twin=twin)], timeout_s=20)
    guarded = "__main__" in exits or "atexit" in exits  # these tests can run, behind the pipe
    assert len(proved.kept) == guarded and len(proved.survived) == guarded
    assert len(proved.uncertain) == (0 if guarded else 2) and not proved.twin_failed


def test_of_two_bugs_each_must_bite_alone() -> None:
    biting, harmless = ("return best", "return words"), ("> len(best)", ">= len(best)")
    proved = prove([made(harmless, biting), made(('""', "None"), biting)])
    assert [t.task.id for t in proved.survived] == [">= len(best)+return words"]
    assert [t.task.id for t in proved.kept] == ["None+return words"]


def test_a_hang_is_a_failure_and_a_slow_twin_is_not() -> None:
    loop = made(("best = word\n", "best = word\n            while True: pass\n"))
    assert len(prove([loop], timeout_s=4).kept) == 1
    slow = made(("> len(best)", ">= len(best)"), tests="import time; time.sleep(1)\n" + TESTS)
    slower = slow.model_copy(
        update={"task": slow.task.model_copy(update={"answer": "import time; time.sleep(9)\n" + slow.task.answer})}
    )
    assert len(prove([slower], timeout_s=4).survived) == 1


def test_a_prelude_stands_before_the_answer() -> None:
    twin = "def area(r):\n    return pi * r * r\n"
    change = ("r * r", "r + r")
    tests = "assert round(area(1), 3) == 3.142\n"
    assert len(prove([made(change, twin=twin, tests=tests, prelude="from math import *\n")]).kept) == 1
    assert len(prove([made(change, twin=twin, tests=tests)]).twin_failed) == 1


def test_proof_keeps_the_order_and_runs_inserted_bugs() -> None:
    task = Task(id="t", question="", answer=TWIN, tests=TESTS)
    inserted = list(tampers(task, rng=random.Random(3), count=8))
    proved = prove(inserted)
    kept = [t.task.id for t in proved.kept]
    assert len(kept) >= 4 and kept == [t.task.id for t in inserted if t.task.id in kept]
    assert len(proved.kept) + len(proved.survived) == 8
    for t in proved.kept:
        program = t.task.program()
        assert program is not None and run(program).status != "passed"


def test_there_is_no_proof_without_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    import momus.sandbox.selftest as selftest

    monkeypatch.setattr(selftest, "why_not", lambda: "bubblewrap is not installed")
    with pytest.raises(MomusError, match="unsafe-local"):
        prove([made(("> len", "< len"))])
    assert len(prove([made(("> len", "< len"))], mode="unsafe-local").kept) == 1


def test_what_a_linter_newly_sees_is_marked_and_thinned_out() -> None:
    seen = made(("return best", "return bset"))
    unseen = made(("> len(best)", "< len(best)"))
    for keep, expected in ((1.0, 20), (0.0, 0)):
        kept, dropped = linter_weight([seen, unseen] * 20, rng=random.Random(0), keep=keep)
        assert sum(t.seen_by_linter for t in kept) == expected
        assert sum(not t.seen_by_linter for t in kept) == 20
        assert len(dropped) == 20 - expected and all(t.seen_by_linter for t in dropped)
    kept, _ = linter_weight([seen] * 200, rng=random.Random(1))
    assert 35 <= len(kept) <= 85


def test_a_warning_that_the_twin_has_too_does_not_count() -> None:
    warned = "import os\n" + TWIN
    moved = made(('    best = ""', '\n    best = ""'), ("> len(best)", "< len(best)"), twin=warned)
    kept, dropped = linter_weight([moved], rng=random.Random(0), keep=0.0)
    assert kept == [moved] and not dropped
