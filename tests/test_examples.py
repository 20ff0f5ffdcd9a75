"""The example files: five hold the one bug that `examples/README.md` states, three pass. Run in the sandbox alone."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from momus.critics.examples import contradictions
from momus.records import Task
from momus.sandbox import run_many, why_not

FOLDER = Path(__file__).parents[1] / "examples"

# file -> what is checked -> a program that runs below the file
CHECKS: dict[str, dict[str, str]] = {
    "bookings": {
        "overlapping and touching bookings become one": """
assert merge_bookings([(600, 660), (540, 610), (660, 700), (800, 820)]) == [(540, 700), (800, 820)]
assert merge_bookings([]) == []
""",
        "a short booking inside a long one changes nothing": """
assert merge_bookings([(540, 720), (560, 570)]) == [(540, 720)]
""",
        "gaps lie between the bookings and within the opening hours": """
assert free_gaps([(400, 500), (600, 660), (1070, 1200)], 480, 1080) == [(500, 600), (660, 1070)]
assert free_gaps([], 480, 1080) == [(480, 1080)]
assert free_gaps([(0, 1440)], 480, 1080) == []
""",
        "the first slot is the earliest that is long enough": """
day = [(480, 500), (510, 700)]
assert first_slot(day, 10) == (500, 510)
assert first_slot(day, 11) == (700, 711)
assert first_slot([(0, 1440)], 5) is None
assert format_interval((545, 600)) == "09:05-10:00"
""",
    },
    "csv_totals": {
        "categories add up exactly, the largest first": """
text = 'date,category,amount\\n2026-01-02,Food,0.10\\n2026-01-03,travel,"1,234.50"\\n2026-01-04,food,0.20\\n'
report = read_report(io.StringIO(text))
assert list(report.totals.items()) == [("travel", Decimal("1234.50")), ("food", Decimal("0.30"))]
assert report.grand_total == Decimal("1234.80") and report.rows == 3
""",
        "rows that cannot be read are skipped and counted": """
text = 'date,category,amount\\n1,food,abc\\n2,,3\\n3,food\\n4,food,NaN\\n5,food,7\\n'
report = read_report(io.StringIO(text))
assert (report.rows, report.skipped, report.grand_total) == (1, 4, Decimal(7))
""",
        "the report is laid out in two columns": """
text = 'date,category,amount\\n1,food,5\\n2,rent,1200\\n'
assert report_of(text) == "rent   1,200.00\\nfood       5.00\\ntotal  1,205.00"
assert report_of("date,category,amount\\n") == "total  0.00"
""",
    },
    "matrix": {
        "a rotation turns clockwise, any number of times": """
m = [[1, 2, 3], [4, 5, 6]]
assert rotate(m) == [[4, 1], [5, 2], [6, 3]]
assert rotate(m, 2) == [[6, 5, 4], [3, 2, 1]]
assert rotate(m, -1) == rotate(m, 3) == [[3, 6], [2, 5], [1, 4]]
assert rotate(m, 4) == m and rotate(m, 0) is not m and m == [[1, 2, 3], [4, 5, 6]]
assert rotate([]) == []
""",
        "a spiral visits every element once": """
assert spiral([[1, 2, 3], [4, 5, 6], [7, 8, 9]]) == [1, 2, 3, 6, 9, 8, 7, 4, 5]
for rows in range(1, 6):
    for columns in range(1, 6):
        m = [[r * columns + c for c in range(columns)] for r in range(rows)]
        found = spiral(m)
        assert sorted(found) == list(range(rows * columns))
        steps = [(a // columns - b // columns, a % columns - b % columns) for a, b in zip(found, found[1:])]
        assert all(abs(down) + abs(across) == 1 for down, across in steps)
assert spiral([]) == []
""",
        "only a square matrix can be symmetric": """
assert is_symmetric([[1, 2], [2, 3]]) and is_symmetric([])
assert not is_symmetric([[1, 2], [3, 1]]) and not is_symmetric([[1, 2]])
try:
    rotate([[1], [2, 3]])
except ValueError:
    pass
else:
    raise AssertionError("ragged rows were taken")
""",
    },
    "retry_client": {
        "a good answer comes back at once": """
slept = []
client = RetryingClient(lambda r: Response(200, r.body), sleep=slept.append)
assert client.request("PUT", "/x", b"y") == Response(200, b"y") and slept == []
client = RetryingClient(lambda r: Response(404), sleep=slept.append)
assert client.request("GET", "/").status == 404 and slept == []
""",
        "three retries make four attempts": """
asked, slept = [], []
def send(request):
    asked.append(request)
    return Response(503)
assert RetryingClient(send, retries=3, sleep=slept.append).request("GET", "/").status == 503
assert len(asked) == 4 and slept == [0.5, 1.0, 2.0], (len(asked), slept)
""",
        "waiting honours the server and the limit": """
answers = [Response(429, retry_after=7), Response(500, retry_after=99), Response(200)]
slept = []
client = RetryingClient(lambda r: answers.pop(0), sleep=slept.append)
assert client.request("GET", "/").status == 200 and slept == [7, 30.0]
""",
        "a connection that fails and comes back is no error": """
calls = []
def send(request):
    calls.append(request)
    if len(calls) == 1:
        raise ConnectionError
    return Response(201)
assert RetryingClient(send, sleep=lambda s: None).request("POST", "/").status == 201
""",
    },
    "roman": {
        "numbers are written in the usual form": """
assert [to_roman(n) for n in (1, 4, 9, 40, 1994, 2026, 3999)] == "I IV IX XL MCMXCIV MMXXVI MMMCMXCIX".split()
for n in (0, 4000):
    try:
        to_roman(n)
    except ValueError:
        continue
    raise AssertionError(f"{n} was written")
""",
        "numerals without a smaller letter first are read": """
assert (value_of("MMXXVI"), value_of("III"), from_roman(" xviii ")) == (2026, 3, 18)
""",
        "numerals of every number are read back": """
assert [value_of(to_roman(n)) for n in range(1, 4000)] == list(range(1, 4000))
""",
        "what is no numeral is refused": """
for text in ("", "A", "IIII", "VX", "IC", "I I"):
    try:
        from_roman(text)
    except ValueError:
        continue
    raise AssertionError(f"{text!r} was read")
""",
    },
    "run_lengths": {
        "runs are packed": """
assert (pack("aaab"), pack(""), pack("x" * 12)) == ("a3b1", "", "x12")
try:
    pack("a1")
except ValueError:
    pass
else:
    raise AssertionError("a digit was packed")
""",
        "lengths of one digit are unpacked": """
for text in ("", "a", "aab", "  - -", "abcabc"):
    assert unpack(pack(text)) == text
""",
        "lengths of several digits are unpacked": """
for n in (10, 12, 99, 123):
    assert unpack(pack("a" * n + "b")) == "a" * n + "b"
""",
        "the first of the longest runs is given": """
assert (longest_run("abbcc"), longest_run(""), longest_run("abb")) == (("b", 2), ("", 0), ("b", 2))
""",
    },
    "text_wrap": {
        "lines are filled and no longer than the width": """
assert wrap("the quick brown fox", 9) == "the quick\\nbrown fox"
assert wrap("a\\nb\\n\\n \\nc", 5) == "a b\\n\\nc"
assert wrap("", 5) == ""
assert wrap("abcdefgh ij", 3) == "abc\\ndef\\ngh\\nij"
""",
        "no word is lost and no line could have been longer": """
text = "one two three four five six seven eight nine ten"
for width in range(5, 30):
    lines = wrap(text, width).split("\\n")
    assert " ".join(lines) == text and max(map(len, lines)) <= width
    for line, following in zip(lines, lines[1:]):
        assert len(line) + 1 + len(following.split()[0]) > width
""",
        "justified lines are exactly as long as the width, extra spaces to the left": """
assert wrap("aa bb cc dd", 9, justify=True) == "aa  bb cc\\ndd"
text = "one two three four five six seven"
for width in range(11, 25):
    *full, last = wrap(text, width, justify=True).split("\\n")
    assert all(len(line) == width for line in full) and "  " not in last
assert wrap("longword a", 8, justify=True) == "longword\\na"
""",
    },
    "ttl_cache": {
        "what was written is found until it expires": """
now = [0.0]
cache = TTLCache(3, ttl=10, clock=lambda: now[0])
cache.put("a", 1)
now[0] = 9.9
assert cache.get("a") == 1 and "a" in cache and len(cache) == 1
now[0] = 10.0
assert "a" not in cache and len(cache) == 0 and cache.get("a", "gone") == "gone"
assert (cache.hits, cache.misses, cache.hit_rate) == (1, 1, 0.5)
""",
        "a full cache throws out the least recently used entry": """
cache = TTLCache(2, ttl=10, clock=lambda: 0.0)
cache.put("a", 1)
cache.put("b", 2)
assert cache.get("a") == 1
cache.put("c", 3)
assert "a" in cache and "c" in cache and "b" not in cache
""",
        "expired entries go first": """
now = [0.0]
cache = TTLCache(2, ttl=10, clock=lambda: now[0])
cache.put("a", 1)
now[0] = 6.0
cache.put("b", 2)
cache.get("a")
now[0] = 11.0
cache.put("c", 3)
assert "a" not in cache and cache.get("b") == 2 and cache.get("c") == 3
""",
        "writing again starts the time anew": """
now = [0.0]
cache = TTLCache(2, ttl=10, clock=lambda: now[0])
cache.put("a", 1)
now[0] = 8.0
cache.put("a", 2)
now[0] = 17.0
assert cache.get("a") == 2 and len(cache) == 1
""",
    },
}


@dataclass(frozen=True)
class Known:
    """A bug put in on purpose: its 1-based line as it stands, as it should be, and the one check that shows it."""

    line: int
    code: str
    mended: str
    shown_by: str


BUGS = {
    "bookings": Known(
        18,
        "merged[-1] = (last_start, end)",
        "merged[-1] = (last_start, max(merged[-1][1], end))",
        "a short booking inside a long one changes nothing",
    ),
    "retry_client": Known(
        64,
        "for attempt in range(self.retries):",
        "for attempt in range(self.retries + 1):",
        "three retries make four attempts",
    ),
    "roman": Known(34, "total -= following", "total -= value", "numerals of every number are read back"),
    "run_lengths": Known(
        28,
        "length = length + int(symbol)",
        "length = 10 * length + int(symbol)",
        "lengths of several digits are unpacked",
    ),
    "ttl_cache": Known(
        59,
        "self._entries.popitem()",
        "self._entries.popitem(last=False)",
        "a full cache throws out the least recently used entry",
    ),
}


@pytest.fixture
def sandbox() -> None:
    reason = why_not()
    if reason is not None and os.environ.get("CI") != "true":
        pytest.skip(f"the examples run in the sandbox only: {reason}")


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_only_the_check_for_the_known_bug_fails(name: str, sandbox: None) -> None:
    failed = failing(name, code_of(name))
    assert failed == ([BUGS[name].shown_by] if name in BUGS else [])


@pytest.mark.parametrize("name", sorted(BUGS))
def test_with_its_one_line_mended_a_buggy_example_passes(name: str, sandbox: None) -> None:
    bug = BUGS[name]
    lines = code_of(name).split("\n")
    assert lines[bug.line - 1].strip() == bug.code
    lines[bug.line - 1] = lines[bug.line - 1].replace(bug.code, bug.mended)
    assert failing(name, "\n".join(lines)) == []


def test_the_readme_states_every_known_bug() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    stated = re.findall(r"^\| `(\w+)\.py` \| (\d+) \| .+ \| (.+) \|$", readme, re.MULTILINE)
    assert stated == [(name, str(bug.line), bug.shown_by) for name, bug in sorted(BUGS.items())]
    assert "written by a language model" in readme
    assert all(f"`{name}.py`" in readme for name in CHECKS)


def test_every_example_states_its_task_and_is_short() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == CHECKS.keys()
    for name in CHECKS:
        code = code_of(name)
        assert code.startswith('# Task: "')
        assert 30 <= code.count("\n") <= 90


def code_of(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def failing(name: str, code: str) -> list[str]:
    """The checks that fail on a version of an example, each by its own assertion; another end is a defect here."""
    outcomes = run_many((f"{code}\n{check}" for check in CHECKS[name].values()), timeout_s=20)
    failed = []
    for what, outcome in zip(CHECKS[name], outcomes, strict=True):
        if outcome.status != "passed":
            assert outcome.status == "failed" and "AssertionError" in outcome.stderr, (what, outcome)
            failed.append(what)
    return failed


def test_two_examples_contradict_the_example_in_their_own_docstring(sandbox: None) -> None:
    found = {}
    for name in CHECKS:
        task = Task(id=name, question="", answer=code_of(name))
        for one in contradictions(task):
            assert one.outcome.example.source == "docstring"
            found[name] = one.outcome.example.text
    assert found == {"roman": 'value_of("MCMXCIV")', "run_lengths": 'unpack("a3b12")'}
