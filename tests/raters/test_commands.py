"""`momus critique` and `momus rate`: files in, files out, resumed as if never stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from rated_tasks import comparison

from momus.cli import cli
from momus.critics.job import critiques_of
from momus.critique import Critique
from momus.errors import MomusError
from momus.measure import small_bugs
from momus.raters import job
from momus.raters.form import order_of
from momus.records import (
    Comparison,
    Ranking,
    Rating,
    Sampled,
    Task,
    read_jsonl,
    versioned,
    write_jsonl,
)
from served import Answer, error, serving

FORM = {"comprehensiveness": 6, "nitpick": 1, "fake_problem": 2, "conciseness": 5, "overall": 6, "rationale": "ok"}


def run(*arguments: object) -> Result:
    """One call, ended with the code that the command gives back, as `momus` itself ends."""
    words = [str(argument) for argument in arguments]
    done = CliRunner().invoke(cli, words, catch_exceptions=False, standalone_mode=False)
    done.exit_code = done.exit_code or done.return_value or 0
    return done


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """Twenty tampers, so that there are two shards."""
    path = tmp_path / "tasks.jsonl"
    found = [
        bug.model_copy(update={"task": bug.task.model_copy(update={"id": f"{bug.task.id}~{copy}"})})
        for copy in range(3)
        for bug in small_bugs()
    ]
    write_jsonl(path, found[:20])
    assert len(found) >= 20
    return path


@pytest.fixture
def critiques(tasks: Path, tmp_path: Path) -> list[Path]:
    found = []
    for critic in ("random", "everything"):
        out = tmp_path / f"{critic}.jsonl"
        assert run("critique", tasks, "--critic", critic, "-n", 3, "--twins", 1, "-o", out).exit_code == 0
        found.append(out)
    return found


def test_every_answer_gets_n_critiques_under_the_id_of_its_version(tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = run("critique", tasks, "--critic", "random", "-n", 3, "-o", out, "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["critiques"] == 60 and told["failed"] == 0 and told["comments"] == 60
    sampled = list(read_jsonl(out, Sampled))
    bugs = list(read_jsonl(tasks, type(small_bugs()[0])))
    assert [(s.task_id, s.i) for s in sampled] == [(versioned(b.task).id, i) for b in bugs for i in range(3)]
    manifest = json.loads((tmp_path / "out.manifest.json").read_text())
    assert manifest["settings"]["critic"] == "random" and manifest["inputs"].keys() == {str(tasks)}
    before = out.stat().st_mtime_ns
    assert run("critique", tasks, "--critic", "random", "-n", 3, "-o", out).exit_code == 0
    assert out.stat().st_mtime_ns == before, "a finished file is left as it is"
    with pytest.raises(MomusError, match="is there already, from other settings"):
        run("critique", tasks, "--critic", "random", "-n", 2, "-o", out)


def test_twins_tasks_and_the_development_form_are_criticised_too(tasks: Path, tmp_path: Path) -> None:
    forms = tmp_path / "forms.jsonl"
    lines = [
        {"id": "dev", "question": "q", "buggy": "x = 1\n", "fixed": "x = 2\n", "bug_lines": [1], "split": "dev"},
        {"id": "clean", "question": "q", "answer": "y = 1\n", "split": "dev"},
        {"id": "other", "question": "q", "answer": "z = 1\n", "split": "train"},
    ]
    forms.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    asked = ("--critic", "everything", "-n", 1, "--twins", 1, "--split", "dev", "-o", out)
    assert run("critique", forms, *asked).exit_code == 0
    tampered, *clean = [s.task_id.split("@")[0] for s in read_jsonl(out, Sampled)]
    assert tampered == "dev" and clean == ["dev", "clean"]
    with pytest.raises(MomusError, match="there is no task of the split test in"):
        run("critique", forms, "--split", "test", "-o", tmp_path / "none.jsonl")


def test_a_stopped_critique_goes_on_and_ends_the_same(
    tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from momus.critics.trivial import Random

    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    arguments = ("critique", tasks, "--critic", "random", "-n", 2, "-o")
    assert run(*arguments, whole).exit_code == 0
    real, calls = Random.critique, []

    def stopping(self: Random, tasks: Any, **settings: Any) -> Any:
        calls.append(len(tasks))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, tasks, **settings)

    monkeypatch.setattr(Random, "critique", stopping)
    CliRunner().invoke(cli, [str(a) for a in (*arguments, stopped)])
    assert calls == [16, 4] and not stopped.exists()
    assert run(*arguments, stopped).exit_code == 0
    assert calls == [16, 4, 4], "the first shard is not done again"
    assert stopped.read_bytes() == whole.read_bytes()


def test_a_critic_that_passes_over_a_task_has_failed_on_it() -> None:
    class Forgetful:
        name = "forgetful"

        def critique(self, tasks: Any, *, n: int = 1, seed: int) -> Any:
            yield Sampled(task_id="a", critic=self.name, i=1)

    tasks = [Task(id=name, question="", answer="x = 1\n") for name in "ab"]
    found = critiques_of(Forgetful(), tasks, n=2, seed=0)
    assert [(s.task_id, s.i, s.error is None) for s in found] == [
        ("a", 0, False),
        ("a", 1, True),
        ("b", 0, False),
        ("b", 1, False),
    ]


def test_a_server_that_goes_away_stops_the_run_and_what_is_done_is_kept(tasks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    asked: list[int] = []

    def dying(body: dict[str, Any]) -> str | Answer:
        asked.append(1)
        return error(404, "The model has gone") if len(asked) > 16 else "No problems found."

    with serving({"m": dying}) as served:
        arguments = (
            "critique",
            tasks,
            "--critic",
            f"server:m@{served.url}+critique",
            "-n",
            1,
            "--drafts",
            1,
            "-o",
            out,
        )
        with pytest.raises(MomusError, match="knows no model 'm'"):
            run(*arguments)
        assert not out.exists() and len(list((tmp_path / "out.jsonl.parts").glob("*.jsonl"))) == 1
        asked[:] = [1] * -100  # it is back
        done = run(*arguments)
    assert done.exit_code == 0 and len(asked) == 4 and "20 silent, 0 failed" in done.stdout


def test_a_critic_that_fails_on_all_is_exit_2_with_the_reason(tasks: Path, tmp_path: Path) -> None:
    with serving({"m": lambda body: "Looks fine to me!"}) as served:
        name = f"server:m@{served.url}"
        done = run(
            "critique", tasks, "--critic", name, "-n", 1, "--drafts", 1, "--limit", 3, "-o", tmp_path / "o.jsonl"
        )
    assert done.exit_code == 2
    assert "3 of 3 critiques failed; 3 times: none of 1 replies could be read as a critique" in done.stderr
    assert all(s.error for s in read_jsonl(tmp_path / "o.jsonl", Sampled))


def test_options_that_a_critic_does_not_take_are_refused(tasks: Path, tmp_path: Path) -> None:
    with pytest.raises(MomusError, match="the critic random takes no option 'explore'"):
        run("critique", tasks, "--critic", "random", "--explore", "-o", tmp_path / "o.jsonl")


def test_rating_writes_comparisons_ratings_and_rankings(tasks: Path, critiques: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "rated"
    named = [word for path in critiques for word in ("--critiques", path)]
    arguments = ("rate", "--tasks", tasks, *named, "-o", folder, "--untampered", 0.25, "--json")
    done = run(*arguments)
    assert done.exit_code == 0
    summary = json.loads(done.stdout)
    shown = list(read_jsonl(folder / "comparisons.jsonl", Comparison))
    ratings = list(read_jsonl(folder / "ratings.jsonl", Rating))
    rankings = {r.comparison_id: r for r in read_jsonl(folder / "rankings.jsonl", Ranking)}
    assert summary["comparisons"] == len(shown) == len(rankings)
    assert summary["simulated"] and all(row.simulated and row.rater == "oracle" for row in ratings)
    assert len(ratings) == sum(len(c.critiques) * (5 + len(c.bugs)) for c in shown)
    assert {s.critic for c in shown for s in c.critiques} >= {"gold", "random", "everything"}
    assert summary["by_critic"]["gold"]["overall"]["mean"] > summary["by_critic"]["everything"]["overall"]["mean"]
    for c in shown:
        assert sorted(i for tier in rankings[c.id].order for i in tier) == list(range(len(c.critiques)))
        overall = {r.critique: r.score for r in ratings if r.comparison_id == c.id and r.attribute == "overall"}
        by_score = [i for tier in order_of([overall[i] for i in range(len(c.critiques))]) for i in tier]
        by_rank = [i for tier in rankings[c.id].order for i in tier]
        assert [overall[i] for i in by_score] == [overall[i] for i in by_rank], "the ranking agrees with the scores"
    assert "oracle (a simulated rater)" in done.stderr and "gold" in done.stderr
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["summary"]["comparisons"] == len(shown) and len(manifest["inputs"]) == 3
    again = run(*arguments)
    assert json.loads(again.stdout) == summary
    with pytest.raises(MomusError, match="is there already, from other settings"):
        run(*arguments, "--seed", 1)


def test_comparisons_of_places_alone_and_without_gold(tasks: Path, critiques: list[Path], tmp_path: Path) -> None:
    given = ("rate", "--tasks", tasks, "--critiques", critiques[0], "--untampered", 0, "--silence", 0)
    assert run(*given, "--moved", 1, "-o", tmp_path / "moved").exit_code == 0
    assert run(*given, "--gold", 0, "-o", tmp_path / "models").exit_code == 0
    shown = {name: list(read_jsonl(tmp_path / name / "comparisons.jsonl", Comparison)) for name in ("moved", "models")}
    assert {s.critic for c in shown["models"] for s in c.critiques} == {"random"}
    assert shown["moved"] and {s.critic for c in shown["moved"] for s in c.critiques} >= {"moved"}
    with pytest.raises(click.BadParameter, match="is not in the range 0<=x<=1"):
        run(*given, "--moved", 2, "-o", tmp_path / "none")


def test_a_stopped_rating_goes_on_and_ends_the_same(
    tasks: Path, critiques: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("rate", "--tasks", tasks, "--critiques", critiques[0], "--rater", "oracle:noise=1", "-o")
    assert run(*arguments, tmp_path / "whole").exit_code == 0
    real = job.rated
    for stop in (2, "part"):
        calls: list[int] = []

        def stopping(rater: Any, shard: Any, stop: Any = stop, calls: list[int] = calls) -> Any:
            calls.append(len(shard))
            if len(calls) == stop:
                raise KeyboardInterrupt
            return real(rater, shard)

        folder = tmp_path / f"stopped-{stop}"
        with monkeypatch.context() as patch:
            patch.setattr(job, "rated", stopping)
            if stop == "part":
                patch.setattr(job, "sha256_of", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
            CliRunner().invoke(cli, [str(a) for a in (*arguments, folder)])
        assert not (folder / "manifest.json").exists() and len(calls) == 2
        assert run(*arguments, folder).exit_code == 0
        for name in ("comparisons.jsonl", "ratings.jsonl", "rankings.jsonl"):
            assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
        assert sorted(p.name for p in folder.iterdir()) == sorted(p.name for p in (tmp_path / "whole").iterdir())


def test_given_comparisons_are_rated_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "given.jsonl"
    write_jsonl(path, [comparison((), (), name="tied"), comparison((), name="alone")])
    done = run("rate", "--comparisons", path, "-o", tmp_path / "rated")
    assert done.exit_code == 0 and "in 2 comparisons all critiques are tied; they teach nothing" in done.stderr
    assert (tmp_path / "rated" / "comparisons.jsonl").read_bytes() == path.read_bytes()
    write_jsonl(path, [comparison((), name="same"), comparison((), name="same")])
    with pytest.raises(MomusError, match="two comparisons bear the same id"):
        run("rate", "--comparisons", path, "-o", tmp_path / "twice")
    write_jsonl(path, [])
    with pytest.raises(MomusError, match="holds no comparison"):
        run("rate", "--comparisons", path, "-o", tmp_path / "none")


def test_a_judge_rates_over_the_line_and_what_it_cannot_is_unscored(tmp_path: Path) -> None:
    path = tmp_path / "given.jsonl"
    write_jsonl(path, [comparison((), (), name=f"c{i}") for i in range(5)])
    reply = json.dumps({"critiques": {letter: {"cbi": [3], **FORM} for letter in "AB"}, "ranking": [["B"], ["A"]]})
    turns: list[int] = []

    def judge(body: dict[str, Any]) -> str | Answer:
        turns.append(1)
        return error(500, "busy") if len(turns) == 1 else reply

    with serving({"m": judge}) as served:
        once = ("rate", "--comparisons", path, "--rater", f"judge:m@{served.url}")
        done = run(*once, "-o", tmp_path / "good", "--json")
    assert done.exit_code == 0 and not json.loads(done.stdout)["simulated"]
    rankings = list(read_jsonl(tmp_path / "good" / "rankings.jsonl", Ranking))
    assert [r.comparison_id for r in rankings] == [f"c{i}" for i in range(5)]
    assert all(r.order == ((1,), (0,)) for r in rankings)
    with serving({"m": lambda body: reply[:-30]}) as served:
        done = run("rate", "--comparisons", path, "--rater", f"judge:m@{served.url}", "-o", tmp_path / "bad")
    assert done.exit_code == 2
    assert "5 of 5 comparisons are unscored, the first because the judge's reply cannot be used" in done.stderr
    assert list(read_jsonl(tmp_path / "bad" / "rankings.jsonl", Ranking)) == []
    assert all(row.score is None for row in read_jsonl(tmp_path / "bad" / "ratings.jsonl", Rating))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give --tasks with --critiques, or --comparisons alone"),
        (("--tasks", "TASKS"), "give --tasks with --critiques"),
        (("--tasks", "TASKS", "--comparisons", "TASKS"), "leave --tasks and --critiques out"),
        (("--tasks", "TASKS", "--critiques", "none.jsonl"), r"can't read none\.jsonl: No such file"),
        (("--comparisons", "none.jsonl"), r"can't read none\.jsonl: No such file"),
        (("--tasks", "TASKS", "--critiques", "TASKS"), r"tasks\.jsonl:1: not a Sampled"),
    ],
)
def test_inputs_that_do_not_go_together_are_one_sentence(
    tasks: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(MomusError, match=sentence):
        run("rate", *[str(tasks) if a == "TASKS" else a for a in arguments], "-o", tmp_path / "o")


def test_what_was_skipped_and_a_share_that_is_not_reached_are_said(tasks: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    bugs = small_bugs()
    ids = [versioned(b.task.model_copy(update={"id": f"{b.task.id}~0"})).id for b in bugs[:2]]
    write_jsonl(
        few, [Sampled(task_id=ids[0], critic="m", critique=Critique()), Sampled(task_id=ids[1], critic="m", error="x")]
    )
    done = run("rate", "--tasks", tasks, "--critiques", few, "-o", tmp_path / "rated")
    assert done.exit_code == 0
    assert "1 answers were skipped: no critique that did not fail" in done.stderr
    assert "0% of the comparisons are on untampered answers, not 20%" in done.stderr
