"""What a policy writes, candidates put together over windows, dials fitted to files, bugs that a critic misses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from momus.critics.fsbs import Candidate, SearchResult, select
from momus.critics.searched import Searched, SearchedWindow, joined
from momus.critique import Comment, Critique, Span, TextMap
from momus.models.bundled import open_bundle
from momus.records import Bug, Sampled, Tamper, Task, versioned, write_jsonl
from momus.study.config import FsbsConfig
from momus.study.critiques import PolicyCritic, Write, fit_dial
from momus.study.loop import misses, write_critiques
from tiny_run import TinyRun

ANSWER = "def f(xs):\n    n = len(xs)\n    s = 0\n    return s / n\n"
TASK = Task(id="t", question="Mean.", answer=ANSWER)


def on(text: str, quote: str) -> Comment:
    return Comment(Span(text.index(quote), text.index(quote) + len(quote)), "Wrong.", "other")


def test_windows_are_put_together_and_a_line_is_spoken_of_by_one_of_them() -> None:
    first, second = "def f(xs):\n    n = len(xs)\n    s = 0", "n = len(xs)\ns = 0\nreturn s / n"
    windows = (
        SearchedWindow(1, TextMap(first), {3: 0.7}, SearchResult((), "momus")),
        SearchedWindow(2, TextMap(second), {4: 0.2}, SearchResult((), "momus")),
    )
    candidates = [
        Candidate((), Critique((on(first, "s = 0"), on(first, "s = 0"))), 2.0, 1, logprob=-1.0),
        Candidate((), Critique((on(second, "s = 0"), on(second, "return s / n"))), 4.0, 1, logprob=-3.0),
    ]
    said = joined(TASK, "fsbs@50", Searched(TextMap(ANSWER), windows, "line 9: too long"), candidates, i=3)
    assert [c.highlight.of(ANSWER) for c in said.critique] == ["s = 0", "s = 0", "return s / n"]
    assert [c.confidence for c in said.critique] == [0.7, 0.7, 0.2]
    assert (said.score, said.logprob, said.i, said.critic, said.left_out) == (
        3.0, -2.0, 3, "fsbs@50", "line 9: too long"
    )  # fmt: skip


def test_a_policy_writes_exact_quotes_and_the_same_ones_again(tiny_run: TinyRun) -> None:
    task = Task(id="t", question="", answer=tiny_run.functions["dev"][0].code)
    critic = PolicyCritic(open_bundle(tiny_run.bundle), temperature=1.0)
    first, again = (list(critic.critique([task], n=6, seed=4)) for _ in range(2))
    assert first == again and [s.i for s in first] == list(range(6)) and not any(s.error for s in first)
    for sampled in first:
        assert sampled.logprob == sampled.score
        for comment in sampled.critique:
            assert comment.highlight.of(task.answer).strip() == comment.highlight.of(task.answer) != ""
    assert list(critic.critique([task], n=6, seed=5)) != first


def test_behind_the_gate_drafts_speak_of_what_it_suspects_alone(tiny_run: TinyRun) -> None:
    bundle = open_bundle(tiny_run.bundle)
    tasks = [Task(id=str(n), question="", answer=f.code) for n, f in enumerate(tiny_run.functions["dev"][:12])]
    plain = [PolicyCritic(bundle, temperature=1.0, forced=True).drafts(1)(task, 0).windows for task in tasks]
    surest = sorted(max(window.confidence.values()) for windows in plain for window in windows if window.confidence)
    threshold = surest[len(surest) // 2]
    bundle = replace(bundle, gate=replace(bundle.gate, threshold=threshold))
    critic = PolicyCritic(bundle, temperature=1.0, max_tokens=40, forced=True, gate=True)
    searched = [critic.drafts(6)(task, 0) for task in tasks]
    assert 0 < sum(not found.windows for found in searched) < len(tasks)
    for window in (window for found in searched for window in found.windows):
        assert max(window.confidence.values()) >= threshold
        said = [comment for candidate in window.result.candidates for comment in candidate.critique]
        lines = [window.text.line(comment.highlight.start) + window.first - 1 for comment in said]
        assert lines and all(window.confidence[line] >= threshold for line in lines)


def test_where_it_is_forced_it_speaks_wherever_a_line_can_be_quoted(tiny_run: TinyRun) -> None:
    bundle, task = open_bundle(tiny_run.bundle), Task(id="t", question="", answer=ANSWER)
    free, forced = (PolicyCritic(bundle, temperature=1.0, max_tokens=40, forced=f) for f in (False, True))
    told = list(forced.critique([task], n=8, seed=0))
    assert all(len(s.critique) >= 1 and s.critic == "forced" and not s.error for s in told)
    assert not all(len(s.critique) for s in free.critique([task], n=8, seed=0))
    (nothing,) = forced.critique([Task(id="i", question="", answer="import os\n")], n=1, seed=0)
    assert not nothing.critique.comments and not nothing.error


def test_a_task_that_cannot_be_put_is_an_error_in_every_way(tiny_run: TinyRun) -> None:
    blank = Task(id="blank", question="", answer="   \n")
    long = Task(id="long", question="", answer=f"x = {'1 + ' * 3000}1\n")
    for way, n, rows in (("policy", 2, 2), ("best", 1, 2)):
        dial = ((10, 0.0), (50, 1.0)) if way == "best" else ()
        do = Write(way, str(tiny_run.bundle), FsbsConfig(n=2, k=1, rounds=2), n=n, dial=dial).open()  # type: ignore[arg-type]
        for task in (blank, long):
            said = list(do([task]))
            assert len(said) == rows and all(not s.critique.comments for s in said)


def test_a_dial_without_a_reward_model_ranks_by_log_probability(tiny_run: TinyRun, tmp_path: Path) -> None:
    tasks = [Task(id=f"t{i}", question="", answer=f.code) for i, f in enumerate(tiny_run.functions["dev"][:4])]
    search = FsbsConfig(n=3, k=1, rounds=2, percentiles=(10, 75), temperature=1.0)
    every = Write("best", str(tiny_run.bundle), search, seed=1)
    write_critiques(every, tasks, tmp_path / "dev.jsonl")
    dial = fit_dial(tmp_path / "dev.jsonl", search)
    assert [percentile for percentile, _ in dial] == [10, 75] and dial[0][1] <= dial[1][1]
    drafts = PolicyCritic(open_bundle(tiny_run.bundle), temperature=1.0).drafts(search.settings.candidates)
    picked = Write("best", str(tiny_run.bundle), search, seed=1, dial=dial).open()(tasks)
    by_name = {(s.task_id, s.critic): s for s in picked}
    assert len(by_name) == 8
    for task in tasks:
        (window,) = drafts(task, 1).windows
        assert len(window.result.candidates) == search.settings.candidates == 6
        for percentile, modifier in dial:
            best = max(window.result.candidates, key=lambda c: (c.logprob or 0.0) + modifier * len(c.critique))
            assert select(window.result, modifier) == best
            assert len(by_name[task.id, f"best@{percentile}"].critique) == len(best.critique)


def test_a_file_of_critiques_that_is_there_is_not_written_again(tiny_run: TinyRun, tmp_path: Path) -> None:
    out = tmp_path / "said.jsonl"
    write_jsonl(out, [Sampled(task_id="t", critic="somebody")])
    before = out.read_bytes()
    write_critiques(Write("policy", "no/bundle", FsbsConfig()), [TASK], out)
    assert out.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["said.jsonl"]


@pytest.mark.parametrize(("said", "count"), [(["n"], 1), (["s"], 0), (["n", "s", ""], 2), (["!", "n"], 1), ([], 0)])
def test_a_bug_is_missed_where_no_comment_touches_its_lines(said: list[str], count: int, tmp_path: Path) -> None:
    quotes = {"n": "n = len(xs)", "s": "return s / n"}
    tamper = Tamper(task=TASK, twin="", bugs=(Bug(spans=(on(ANSWER, "s / n").highlight,), category="other"),))
    rows = [
        Sampled(
            task_id=versioned(TASK).id,
            critic="c",
            i=i,
            critique=Critique((on(ANSWER, quotes[key]),)) if key in quotes else Critique(),
            error="lost" if key == "!" else None,
        )
        for i, key in enumerate(said)
    ]
    write_jsonl(tmp_path / "tries.jsonl", rows)
    assert misses([tamper], tmp_path / "tries.jsonl") == [count]
