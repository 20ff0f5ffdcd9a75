"""What a linter is shown before an answer: the imports that it needs, by name."""

from __future__ import annotations

import pytest

from momus.critics import open_critic
from momus.critics.prelude import spelled_out
from momus.records import Task

STARS = "import math, re\nfrom typing import *\nfrom collections import *\nimport os.path\ninf = float('inf')\n"


@pytest.mark.parametrize(
    ("prelude", "answer", "shown"),
    [
        (STARS, "x = 1\n", ""),
        (STARS, "def f(x: List[int]) -> int:\n    return math.floor(inf)\n", "import math\nfrom typing import List\n"),
        (STARS, "from typing import List\nx: List = re.split('a', 'b')\n", "import re\n"),
        (STARS, "y = os.path.join(deque())\n", "from collections import deque\nimport os.path\n"),
        ("import numpy as np\n", "x = np.zeros(3)\n", "import numpy as np\n"),
        ("from unheard_of import *\n", "x = 1\n", ""),
        ("import (", "x = 1\n", ""),
        ("", "x = (\n", ""),
        ("from math import *\nfrom math import *\n", "floor(1", "from math import floor\n"),
    ],
)
def test_only_what_the_answer_uses_and_does_not_bind_is_shown(prelude: str, answer: str, shown: str) -> None:
    found = spelled_out(prelude, answer)
    if "inf" in answer:
        found = found.removesuffix("inf = float('inf')\n")
    assert found == shown


def test_a_linter_sees_through_the_prelude_and_keeps_its_lines() -> None:
    answer = "def f(x: List[int]) -> int:\n    return lenn(x)\n"
    task = Task(id="t", question="", answer=answer, prelude=STARS)
    (sampled,) = open_critic("linter:ruff").critique([task], seed=0)
    assert [c.highlight.of(answer) for c in sampled.critique] == ["lenn"]
    (alone,) = open_critic("linter:ruff").critique([task.model_copy(update={"prelude": ""})], seed=0)
    assert [c.highlight.of(answer) for c in alone.critique] == ["List", "lenn"]
