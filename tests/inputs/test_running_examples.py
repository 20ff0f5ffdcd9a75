"""Examples run in the real sandbox: what is kept, what is contradicted, and what tells nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from momus.inputs import Example, Outcome, run_examples
from momus.inputs.places import places_of
from momus.inputs.supplied import supplied


def equals(call: str, promised: str) -> Example:
    return Example(call, promised, "equals", "equation")


def one(code: str, example: Example, prelude: str = "") -> Outcome:
    (outcome,) = run_examples(code, prelude, [example])
    return outcome


pytestmark = pytest.mark.usefixtures("sandbox")


def test_each_example_is_judged() -> None:
    code = "def f(x):\n    print('noise')\n    return {'a': [x, 0.1 + 0.2]}\n\ndef g(x):\n    raise KeyError(x)\n"
    examples = [
        equals("f(1)", "{'a': [1, 0.3]}"),
        equals("f(2)", "{'a': [1, 0.3]}"),
        Example("g(1)", "LookupError", "raises", "words"),
        Example("g(1)", "ValueError", "raises", "words"),
        Example("f(1)", "ValueError", "raises", "words"),
        Example("f(3)['a'][0] > 2", "", "holds", "assert"),
        Example("f(1)['a'][0] > 2", "", "holds", "assert"),
        Example("print(f(1)['a'][0])", "noise\n1", "prints", "doctest"),
        equals("list(reversed(f(1)['a']))[1]", "sum([1])"),
    ]
    outcomes = run_examples(code, "", examples)
    assert [outcome.verdict == "kept" for outcome in outcomes] == [
        True,
        False,
        True,
        False,
        False,
        True,
        False,
        True,
        True,
    ]
    assert outcomes[1].got == "{'a': [2, 0.30000000000000004]}"
    assert (outcomes[3].raised, outcomes[3].got, outcomes[3].lines) == ("KeyError", "KeyError: 1", (6,))


def test_a_hanging_example_does_not_hide_the_others() -> None:
    code = "def f(x):\n    while x:\n        pass\n    return 1\n"
    outcomes = run_examples(code, "", [equals("f(1)", "1"), equals("f(0)", "1"), equals("f(0)", "2")])
    assert [outcome.verdict for outcome in outcomes] == ["contradicted", "kept", "contradicted"]
    assert outcomes[0].unended


@pytest.mark.parametrize(
    "body",
    [
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
        "import os\n        while True: os.fork()",
        "import shutil\n        for p in ('/tmp', '/'): shutil.rmtree(p, ignore_errors=True)\n        1 / 0",
        'import os\n        for n in range(3, 40):\n            try: os.write(n, b\'{"at": 1, "ended": "value"}\')\n'
        "            except OSError: pass\n        os._exit(0)",
        "import sys; sys.exit()",
        "import time; time.sleep(60)",
        "raise KeyboardInterrupt",
    ],
    ids=["exits", "kills-its-parent", "forks", "deletes", "writes-to-every-pipe", "leaves", "sleeps", "interrupts"],
)
def test_a_hostile_example_certifies_nothing_and_spares_the_next(body: str) -> None:
    code = f"def f(x):\n    if x:\n        {body}\n    return 1 + bool(x)\n"
    bad, good = run_examples(code, "", [equals("f(1)", "1"), equals("f(0)", "1")])
    assert bad.verdict != "kept"
    assert good.verdict == "kept"


FORGERIES = {
    "the globals of whoever asks": (
        "import sys\nfor name, module in list(sys.modules.items()):\n    if 'momus' in name or name == '__main__':\n"
        "        for key in list(vars(module)):\n            if callable(vars(module)[key]) and key[0] != '_':\n"
        "                try: setattr(module, key, lambda *a, **k: 1)\n                except Exception: pass\n"
    ),
    "printed results": (
        'print(\'{"at": 0, "ended": "value", "value": ["i", "1"]}\')\nimport os\n'
        'for n in range(1, 40):\n    try: os.write(n, b\'{"at": 0, "ended": "value", "value": ["i", "1"]}\\n\')\n'
        "    except OSError: pass\n"
    ),
    "leaving": "import sys\n\ndef trick(): sys.exit(0)\n",
    "ending at once": "import os\n\ndef trick(): os._exit(0)\n",
    "ending while it is loaded": "import os\nos._exit(0)\n",
    "an equality of its own": (
        "class Yes(int):\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
        "    def __hash__(self): return 1\n    def __repr__(self): return '1'\n\ndef trick(): return Yes(7)\n"
    ),
    "an object that is all that is asked": (
        "class Yes:\n    def __eq__(self, other): return True\n    def __bool__(self): return True\n"
        "    def __repr__(self): return '1'\n\ndef trick(): return Yes()\n"
    ),
    "a patched json": (
        'import json\njson.dumps = lambda *a, **k: \'{"at": 0, "ended": "value", "value": ["i", "1"]}\'\n'
        "json.loads = lambda *a, **k: {}\n"
    ),
    "what stands in the frames": (
        "import sys\n\ndef trick():\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in list(frame.f_locals.values()):\n"
        "            if isinstance(value, dict) and 'promised' in value: return int(value['promised'])\n"
        "        frame = frame.f_back\n    return 7\n"
    ),
    "a sorted of its own": "def sorted(x): return [1]\n\ndef len(x): return 1\n",
    "children that answer": "import os\n\ndef trick():\n    os.fork()\n    return 7\n",
    "a trace": "import sys\nsys.settrace(lambda frame, event, arg: None)\nsys.setprofile(lambda *a: None)\n",
    "more computing than it is allowed": (
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\n\ndef trick():\n    raise KeyboardInterrupt\n"
    ),
}

# These break their own pipe or process as soon as they are loaded, so that nothing of them is seen; that is said.
UNRUNNABLE = {
    "the globals of whoever asks",
    "printed results",
    "ending while it is loaded",
    "a patched json",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_no_answer_forges_an_example_or_hides_the_others(name: str) -> None:
    code = FORGERIES[name]
    trick = "trick()" if "def trick" in code else "7"
    code += f"\ndef f(x):\n    return {trick} if x else [0]\n"
    broken = [
        equals("f(1)", "1"),
        Example("f(1) == 1", "", "holds", "assert"),
        Example("sorted(f(0))[0] == len([1])", "", "holds", "assert"),
        equals("f(0)", "[1]"),
        Example("f(1)", "ValueError", "raises", "words"),
        Example("print(f(1))", "0", "prints", "doctest"),
        equals("f(1)", "1 + 0"),
    ]
    outcomes = run_examples(code, "", [*broken, equals("f(0)", "[0]")], entry_point="f")
    assert all(outcome.verdict != "kept" for outcome in outcomes[:-1])
    if name not in UNRUNNABLE:
        assert outcomes[-1].verdict == "kept"
        assert outcomes[3].verdict == "contradicted"


def test_an_example_that_eats_memory_is_said_to() -> None:
    outcome = one("def f():\n    x = []\n    while True: x.append(bytearray(10_000_000))\n", equals("f()", "1"))
    assert outcome.verdict == "contradicted" and "memory" in outcome.got


def test_equality_of_the_codes_own_making_is_no_proof() -> None:
    code = "class Any(int):\n    def __eq__(self, other): return True\n\ndef f():\n    return Any(1)\n"
    assert one(code, equals("f()", "2")).verdict == "contradicted"
    sly = "class A:\n    def __eq__(self, other): return True\n\ndef f():\n    return A()\n"
    assert one(sly, equals("f()", "[2]")).verdict == "not-run"


@pytest.mark.parametrize(
    "code",
    [
        "import not_a_module_anywhere\n\ndef f():\n    return 2\n",
        "def f():\n    return open('/data.txt').read()\n",
        "def f():\n    return input()\n",
        "import socket\n\ndef f():\n    return socket.create_connection(('127.0.0.1', 9), 1)\n",
    ],
)
def test_what_needs_something_that_is_not_there_tells_nothing(code: str) -> None:
    outcome = one(code, equals("f()", "1"))
    assert outcome.verdict == "not-run" and outcome.reason


def test_the_main_guard_does_not_run_and_import_lines_of_an_example_are_taken_as_met() -> None:
    code = "def f():\n    return 1\n\nif __name__ == '__main__':\n    raise SystemExit(3)\n"
    assert one(code, Example("f()", "1", "equals", "doctest", setup=("from pkg.mod import f",))).verdict == "kept"
    missing = one(code, Example("f()", "1", "equals", "doctest", setup=("import pkg.mod",)))
    assert missing.verdict == "not-run" and "pkg" in missing.reason


def test_of_values_of_the_codes_own_class_only_what_it_says_against_itself_counts() -> None:
    code = "from dataclasses import dataclass\n\n@dataclass\nclass P:\n    x: int\n\ndef f(x):\n    return P(x)\n"
    assert one(code, equals("f(1)", "P(2)")).verdict == "contradicted"
    assert one(code, equals("f(1)", "P(1)")).verdict == "not-run"
    assert one(code, equals("f(1)", "1")).verdict == "not-run"
    assert one(code, Example("f(1)", "P(x=1)", "equals", "doctest")).verdict == "kept"  # as it is written
    assert one(code, Example("f(1)", "P(x=2)", "equals", "doctest")).verdict == "contradicted"


def test_each_example_meets_the_code_as_it_was_loaded() -> None:
    code = "SEEN = []\nCOUNT = 0\n\ndef f(x):\n    global COUNT\n    COUNT += 1\n    SEEN.append(x)\n    return SEEN\n"
    examples = [
        equals("f(1)", "[1]"),
        equals("f(2)", "[2]"),
        Example("COUNT", "1", "equals", "doctest", setup=("f(3)",)),
        Example("len(SEEN)", "2", "equals", "doctest", setup=("SEEN.append(0)", "f(3)")),
    ]
    assert [outcome.verdict for outcome in run_examples(code, "", examples)] == ["kept"] * 4


def test_a_name_of_pythons_own_means_it_in_a_question_and_the_codes_in_its_docstring() -> None:
    code = "def sorted(x):\n    return [1, 2]\n\ndef f(x):\n    return x\n"
    asked = equals("sorted(f([3, 4]))", "[1, 2]")
    assert one(code, asked).verdict == "not-run"
    assert one(code, replace(asked, source="docstring")).verdict == "kept"
    assert one(code, equals("sorted([3, 4])", "[1, 2]")).verdict == "kept"  # the function asked for


def test_a_traced_run_says_where_the_call_ended() -> None:
    code = "def f(x):\n    if x:\n        y = 1\n        return y\n    return 2\n"
    places = places_of(code, "", equals("f(1)", "3"))
    assert (places.last, places.lines) == (4, (2, 3, 4))


def test_a_snippet_gets_the_imports_that_it_takes_for_granted() -> None:
    code = "def f(xs: List[int]):\n    return math.floor(Counter(xs)[1] + deepcopy(0))\n"
    assert (
        supplied(code)
        == "from collections import Counter\nfrom typing import List\nfrom copy import deepcopy\nimport math\n"
    )
    assert supplied(code, "from typing import List\nfrom copy import deepcopy") == (
        "from collections import Counter\nimport math\n"
    )
    assert supplied("def f(math):\n    return math.x + nothing\n") == ""
    assert one(code, equals("f([1])", "1"), supplied(code)).verdict == "kept"
