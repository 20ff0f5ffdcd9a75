"""What a finding is known by outlives edits, and tells two findings apart; the baseline lives by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from critic_doubles import Says, on_word, only, review_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from momus.errors import MomusError
from momus.review.baseline import Baseline, read_baseline, write_baseline
from momus.review.finding import FileReport

CODE = [
    "import os",
    "",
    "def first(xs):",
    "    for i in range(bad):",
    "        print(i)",
    "    return xs",
    "",
    "def second(xs):",
    "    total = 0",
    "    for i in range(bad):",
    "        total += i",
    "    return total",
]


def prints(folder: Path, lines: list[str], end: str = "\n", cut: str = "bare") -> list[str]:
    (folder / "a.py").write_bytes((end.join(lines) + end).encode())
    file = only(review_in(folder, Says(on_word("bad"), cut=cut), "a.py"))
    return [finding.fingerprint for finding in file.findings]


@given(
    st.lists(st.sampled_from(["", "# note", "x = 1", "import sys", "def other():\n    return 1"]), max_size=5),
    st.lists(st.sampled_from(["", "y = 2", "def last():\n    return 2"]), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["bare", "context", "file"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_edits_above_and_below_and_line_ends_change_no_fingerprint(
    tmp_path: Path, above: list[str], below: list[str], end: str, cut: str
):
    edited = "\n".join([*above, *CODE, "", *below]).split("\n")
    assert prints(tmp_path, edited, end, cut) == prints(tmp_path, CODE)


@given(st.lists(st.sampled_from(["", "  # momus: note", " "]), min_size=12, max_size=12), st.sampled_from([2, 4, 8]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_white_space_changes_no_fingerprint(tmp_path: Path, tails: list[str], width: int):
    edited = []
    for line, tail in zip(CODE, tails, strict=True):
        depth = (len(line) - len(line.lstrip())) // 4
        edited += [" " * (width * depth) + line.strip().replace(" in ", "  in  ") + tail, *([""] if tail else [])]
    assert prints(tmp_path, edited) == prints(tmp_path, CODE)


@given(st.lists(st.sampled_from(["f(bad)", "bad", "x = bad", ""]), min_size=1, max_size=10))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_two_findings_of_a_file_share_a_fingerprint(tmp_path: Path, lines: list[str]):
    found = prints(tmp_path, lines)
    assert len(set(found)) == len(found) == sum(line.count("bad") for line in lines)


def test_category_unit_and_quote_each_make_a_difference(tmp_path: Path):
    base = prints(tmp_path, CODE)
    renamed = prints(tmp_path, [line.replace("first", "other") for line in CODE])
    assert base[0] != renamed[0]
    assert base[1] == renamed[1]
    (tmp_path / "a.py").write_text("\n".join(CODE) + "\n")
    file = only(review_in(tmp_path, Says(on_word("bad", category="security")), "a.py"))
    assert file.findings[0].fingerprint != base[0]


def reviewed(folder: Path, text: str, baseline: Baseline | None = None) -> FileReport:
    from momus.review.config import Config
    from momus.review.plan import Asked, plan
    from momus.review.run import conduct

    (folder / "a.py").write_text(text)
    config = Config(options={"cache": False}, isolated=True)
    jobs = plan(Asked((Path("a.py"),)), config, folder)
    return only(conduct(jobs, config.near(folder), folder, critic=Says(on_word("bad")), baseline=baseline))


def test_what_the_baseline_knows_is_hidden_and_what_is_new_is_not(tmp_path: Path):
    first = reviewed(tmp_path, "def f():\n    x = bad\n    return x\n")
    baseline = Baseline().updated([first])
    again = reviewed(tmp_path, "def g():\n    y = bad\n\n\ndef f():\n    x = bad\n    return x\n", baseline)
    assert [finding.unit for finding in again.findings] == ["g"]
    assert [(finding.unit, finding.state) for finding in again.hidden] == [("f", "baseline")]
    assert [note.kind for note in again.notes] == ["baseline"]


def test_an_edit_right_beside_a_known_finding_does_not_make_it_new(tmp_path: Path):
    baseline = Baseline().updated([reviewed(tmp_path, "def f():\n    x = bad\n    return x\n")])
    again = reviewed(tmp_path, "def f():\n    y = 0\n    x = bad\n    return x + y\n", baseline)
    assert not again.findings


def test_one_entry_hides_one_finding(tmp_path: Path):
    baseline = Baseline().updated([reviewed(tmp_path, "def f():\n    x = bad\n    return x\n")])
    again = reviewed(tmp_path, "def f():\n    x = bad\n    return x\n    y = bad\n", baseline)
    assert len(again.findings) == 1
    assert again.findings[0].start_line == 4


def test_a_baseline_is_sorted_keeps_its_reasons_and_forgets_what_is_gone(tmp_path: Path):
    path = tmp_path / "known.json"
    write_baseline(path, Baseline().updated([reviewed(tmp_path, "b = bad\na = bad\nc = bad\n")]))
    body = json.loads(path.read_text())
    assert [entry["quote"] for entry in body["findings"]] == ["bad"] * 3
    body["findings"][0]["reason"] = "we like it"
    path.write_text(json.dumps(body))
    first = read_baseline(path)
    write_baseline(path, first.updated([reviewed(tmp_path, "b = bad\na = bad\nc = bad\n", first)], tmp_path))
    assert sorted(entry.reason for entry in read_baseline(path).known) == ["", "", "we like it"]
    second = read_baseline(path)
    write_baseline(path, second.updated([reviewed(tmp_path, "b = 1\na = 2\n", second)], tmp_path))
    assert read_baseline(path).known == []
    failed = FileReport("a.py", error="not read")
    assert first.updated([failed]).known == first.known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "version"),
        ('{"schema_version": 9, "findings": []}', "version 9"),
        ('{"schema_version": 1, "findings": [{"x": 1}]}', "no finding"),
        (None, "--write-baseline"),
    ],
)
def test_a_baseline_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str | None, said: str):
    path = tmp_path / "known.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(MomusError, match=said):
        read_baseline(path)
