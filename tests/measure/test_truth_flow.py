"""From tasks with tests to accuracy with and without a critique: pairs, who chooses, and what is printed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from planted import TWIN, make_tamper

from momus.cli import cli
from momus.critique import Comment, Critique, Span
from momus.errors import MomusError
from momus.measure.truth import truth
from momus.measure.truth_choosers import Believer, choices_of, prompt_of, read_choice
from momus.measure.truth_pairs import pair_of, proved, solutions, with_tests
from momus.records import Choice, Pair, Sampled, read_jsonl, write_jsonl
from momus.sandbox import why_not
from served import Answer, serving

needs_sandbox = pytest.mark.skipif(
    why_not() is not None and os.environ.get("CI") != "true", reason=f"there is no sandbox: {why_not()}"
)


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["measure", *map(str, words)], standalone_mode=False)


def pair(n: int, said: tuple[int, int] | None = None) -> Pair:
    """A pair with so many comments on each solution."""
    made = pair_of(make_tamper(n), seed=0)
    if said is None:
        return made
    comments = [Critique((Comment(Span(0, 3), "Wrong."),) * count) for count in said]
    critiques = tuple(Sampled(task_id=f"s{i}", critic="c", critique=c) for i, c in enumerate(comments))
    return made.model_copy(update={"critiques": critiques})


@needs_sandbox
def test_only_pairs_of_which_the_tests_know_one_from_the_other_are_made(tmp_path: Path) -> None:
    good = [make_tamper(n, pad=n) for n in range(8)]
    harmless = make_tamper(20)
    harmless = harmless.model_copy(
        update={"task": harmless.task.model_copy(update={"answer": TWIN + "unused = 1\n"}), "bugs": ()}
    )
    broken = make_tamper(21).model_copy(update={"twin": "def total(xs):\n    return 7\n"})
    untested = make_tamper(22)
    untested = untested.model_copy(update={"task": untested.task.model_copy(update={"tests": None})})
    assert [t.task.id for t in proved([good[0], harmless, broken, untested])] == [good[0].task.id]
    write_jsonl(tmp_path / "t.jsonl", [*good, good[0], harmless, broken, untested])
    out = tmp_path / "pairs.jsonl"
    done = run("pairs", tmp_path / "t.jsonl", "--critic", "everything", "-o", out)
    assert done.return_value == 0 and "2 of 10 tasks gave none" in done.output, done.output
    made = list(read_jsonl(out, Pair))
    assert [p.id for p in made] == [t.task.id for t in good]
    for found in made:
        assert found.answers[found.passes or 0].startswith(TWIN) and found.critiques is not None
        assert [s.critic for s in found.critiques] == ["everything"] * 2 and found.critiques[0].critique.comments
        assert [s.task_id for s in found.critiques] == [task.id for task in solutions(found)]
    before = out.read_bytes()
    assert run("pairs", tmp_path / "t.jsonl", "--critic", "everything", "-o", out).return_value == 0
    assert out.read_bytes() == before
    refused = run("pairs", tmp_path / "t.jsonl", "-o", out)
    assert isinstance(refused.exception, MomusError) and "from other settings" in str(refused.exception)


def test_the_order_of_a_pair_goes_by_the_seed_and_says_nothing() -> None:
    firsts = [pair_of(make_tamper(n), seed=1).passes for n in range(200)]
    assert 70 < sum(map(int, firsts)) < 130 and firsts == [pair_of(make_tamper(n), seed=1).passes for n in range(200)]
    assert [pair_of(make_tamper(n), seed=2).passes for n in range(200)] != firsts
    assert len(with_tests([make_tamper(0), make_tamper(0)])) == 1


def test_a_believer_is_a_coin_until_it_is_told() -> None:
    """What each must score: a critic that only speaks of the wrong solution, one that only speaks of the right one."""
    for good, expected in ((True, 1.0), (False, 0.0)):
        pairs = []
        for n in range(120):
            bare = pair(n)
            wrong = 1 - int(bare.passes or 0)
            spoken = wrong if good else 1 - wrong
            pairs.append(pair(n, (1, 0) if spoken == 0 else (0, 1)))
        found = truth(choices_of(Believer(3), pairs))
        assert found.with_critique.mean == expected and 0.35 < found.without.mean < 0.65
        assert found.simulated and found.added.verdict == ("above" if good else "below")
    silent = truth(choices_of(Believer(3), [pair(n, (0, 0)) for n in range(120)]))
    assert silent.added.mean == 0 and silent.added.verdict == "cannot be told"
    assert len(choices_of(Believer(), [pair(0)])) == 1, "without critiques nothing is chosen with one"


def test_a_judge_is_shown_no_names_and_the_critiques_only_where_it_is_to_be_helped() -> None:
    shown = prompt_of(pair(0, (1, 0)), helped=True)
    assert shown.count("Wrong.") == 1 and "<critique>" in shown and "{{" not in shown
    alone = prompt_of(pair(0, (1, 0)), helped=False)
    assert "Wrong." not in alone and alone.count("judge by the code alone") == 2
    assert all(answer.strip() in alone for answer in pair(0).answers)
    assert (read_choice('{"passes": "A"}'), read_choice('So:\n```json\n{"why": "x", "passes": "B"}\n```')) == (0, 1)
    for bad in ("", "A", '{"passes": "C"}', '{"passes": ["A"]}', '{"passes": null}', '{"passes": "A'):
        with pytest.raises(ValueError):
            read_choice(bad)


def test_a_judge_on_a_server_fails_closed(tmp_path: Path) -> None:
    pairs = [pair(n, (1, 0)) for n in range(6)]
    write_jsonl(tmp_path / "pairs.jsonl", pairs)
    asked = 0

    def sees(body: dict[str, object]) -> str:
        """Right when it is shown a critique, A else."""
        nonlocal asked
        asked += 1
        text = str(body["messages"])
        solution_a = text.split("## Solution A")[-1].split("### Critique of A")[0]
        right = "A" if "len(xs) + 1" not in solution_a else "B"
        return json.dumps({"passes": right if "<critique>" in text else "A"})

    models = {
        "sees": sees,
        "mumbles": lambda body: "Perhaps A, perhaps B.",
        "dies": lambda body: Answer(500, b"{}"),
    }
    with serving(models) as server:
        out = tmp_path / "choices.jsonl"
        done = run("choose", tmp_path / "pairs.jsonl", "--by", f"judge:sees@{server.url}", "-o", out)
        assert done.return_value == 0 and "simulated choosers" in done.stdout, done.output
        made = list(read_jsonl(out, Choice))
        assert len(made) == 12 and asked == 12 and all(choice.simulated for choice in made)
        assert all(choice.chosen == choice.passes for choice in made if choice.critic is not None)
        assert all(choice.chosen == 0 for choice in made if choice.critic is None)
        left = run("choose", tmp_path / "pairs.jsonl", "--by", f"judge:mumbles@{server.url}", "-o", tmp_path / "m")
        assert left.return_value == 2 and "12 choices were left open" in left.stdout
    with serving({"dies": models["dies"]}) as server:
        from momus.measure.truth_choosers import ModelChooser
        from momus.models.chat import Chat

        dead = ModelChooser(Chat("dies", server.url, retries=0))
        assert [choice.chosen for choice in choices_of(dead, pairs[:1])] == [None, None]
    printed = run("truth", out, "--json")
    told = json.loads(printed.stdout)
    assert told["with"]["mean"] == 1 and told["open"] == 0 and told["simulated"]
    assert "the critique adds" in run("truth", out).stdout


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "unknown.jsonl", [pair(0).model_copy(update={"passes": None})])
    write_jsonl(tmp_path / "p.jsonl", [pair(0)])
    (tmp_path / "empty.jsonl").write_text("")
    untested = make_tamper(0).model_copy(update={"task": make_tamper(0).task.model_copy(update={"tests": None})})
    write_jsonl(tmp_path / "untested.jsonl", [untested])
    out = ["-o", tmp_path / "out.jsonl"]
    for words, says in (
        (["choose", tmp_path / "unknown.jsonl", "--by", "believer", *out], "does not say which solution passes"),
        (["choose", tmp_path / "p.jsonl", "--by", "judge", *out], "nobody called 'judge' chooses"),
        (["choose", tmp_path / "empty.jsonl", "--by", "believer", *out], "holds no pair"),
        (["truth", tmp_path / "none.jsonl"], "can't read"),
        (["truth", tmp_path / "empty.jsonl"], "there is no choice"),
        (["pairs", tmp_path / "untested.jsonl", *out], "has tests and a fix"),
        (["pairs", tmp_path / "untested.jsonl", "--bundle", tmp_path, *out], "has tests and a fix"),
    ):
        failed = run(*words)
        assert isinstance(failed.exception, MomusError) and says in str(failed.exception), words
