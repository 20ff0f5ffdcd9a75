"""What is looked at again: the order, the control, and that nothing of either is given away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from good_answers import is_wrong, reviewer, write_good

from momus.audit.answers import read_answers
from momus.audit.order import by_bundle, by_reward_folder, first, scored
from momus.audit.select import read_chosen, select
from momus.cli import cli
from momus.critics.job import CritiqueWork
from momus.critique import Comment, Critique, Span
from momus.errors import MomusError
from momus.models.dialect import Dialect
from momus.records import Prefilled, Sampled, Task, read_jsonl
from served import serving
from tiny_policy import save_tiny_qwen
from tiny_reward import TinyReward


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["audit", *map(str, words)], standalone_mode=False)


def said(task: str, score: float | None = None, confidence: float | None = None, **more: object) -> Sampled:
    comment = Comment(Span(0, 1), "Wrong.", confidence=confidence)
    return Sampled.model_validate(
        {"task_id": task, "critic": "c", "critique": Critique((comment,)), "score": score, **more}
    )


def test_the_order_is_of_the_reward_model_or_of_what_the_critic_says_of_itself() -> None:
    tasks = [Task(id=name, question="", answer="x") for name in "abc"]
    silent = Sampled(task_id="c", critic="c", score=99.0)
    failed = Sampled(task_id="c", critic="c", score=99.0, error="no", finish="error")

    def order(rows: list[Sampled], score: object = None) -> tuple[list[str], str]:
        grouped: dict[str, list[Sampled]] = {}
        for row in rows:
            grouped.setdefault(row.task_id, []).append(row)
        rated, words = scored(tasks, grouped, score)  # type: ignore[arg-type]
        return [row.task_id for row in first(rated, 10, seed=0)], words

    both = [said("a", 1.0, 0.1), said("b", 2.0, 0.9), said("a", 3.0), silent, failed]
    assert order(both) == (["a", "b"], "by the reward model that the critic searched with")
    bare = [row.model_copy(update={"score": None}) for row in both]
    names, words = order(bare)
    assert names == ["b", "a"] and "highest confidence" in words and "no reward model" in words
    likely = [said("a", logprob=-0.5), said("b", logprob=-2.0)]
    assert order(likely)[0] == ["a", "b"] and "how likely" in order(likely)[1]
    assert order([said("a"), said("b")])[1].startswith("at random, as there is no reward model")
    told = order(both, lambda task, rows: [5.0 if task.id == "b" else None for _ in rows])
    assert told == (["b", "a"], "by the reward model"), "what cannot be scored comes last"


def test_a_reward_model_scores_the_same_in_a_folder_and_in_a_bundle(tiny_reward: TinyReward, tmp_path: Path) -> None:
    answer = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n"
    task = Task(id="t", question="Sum.", answer=answer)
    line = Span(answer.index("total = 0"), answer.index("total = 0") + 9)
    rows = [
        Sampled(task_id="t", critic="c", critique=Critique((Comment(line, text),))) for text in ("Wrong.", "Hm, no")
    ]
    folder, bundle = by_reward_folder(tiny_reward.reward), by_bundle(tiny_reward.bundle)
    assert bundle is not None
    here, there = folder(task, rows), bundle(task, rows)
    assert here == pytest.approx(there, abs=2e-3) and here[0] != here[1]
    good = write_good(tmp_path / "good.jsonl", 6)
    done = run("select", good, "--critic", "random", "--bundle", tiny_reward.bundle, "--top", 2, "-o", tmp_path / "a")
    assert done.return_value == 0 and "ordered by the reward model in the bundle" in done.stdout, done.exception
    long = task.model_copy(update={"answer": "x = 1\n" * 400})
    blank = [rows[0].model_copy(update={"critique": Critique()})]
    assert folder(long, blank) == bundle(long, blank) == [None]


def test_an_audit_from_the_command_line_with_a_reward_model(
    tmp_path: Path, dialect: Dialect, tiny_corpus: Path
) -> None:
    from momus.train.policy import open_policy
    from momus.train.reward.model import as_classifier, save_reward

    policy = open_policy(save_tiny_qwen(tmp_path / "policy", tiny_corpus / "tokenizer" / "tokenizer.json"))
    model = as_classifier(policy)
    with torch.no_grad():
        model.score.weight.normal_(generator=torch.Generator().manual_seed(1))
    save_reward(model, policy, {"mean": 0.0, "std": 1.0}, tmp_path / "reward")
    good = write_good(tmp_path / "good.jsonl", 12)
    words = ["select", good, "--critic", "random", "--reward", tmp_path / "reward", "--top", 4, "-n", 3]
    done = run(*words, "-o", tmp_path / "audit", "--json")
    assert done.return_value == 0, done.output
    told = json.loads(done.stdout)
    assert (told["criticised"], told["critique"], told["control"]) == (8, 4, 4)
    assert told["ordered"] == f"by the reward model {tmp_path / 'reward'}"
    chosen = [row for row in read_chosen(tmp_path / "audit") if row.arm == "critique"]
    score = by_reward_folder(tmp_path / "reward")
    asked: dict[str, list[Sampled]] = {}
    for sampled in read_jsonl(tmp_path / "audit" / "critiques.jsonl", Sampled):
        asked.setdefault(sampled.task_id, []).append(sampled)
    tasks = {task.id: task for task in read_answers([good])}
    best = sorted((-max(float(s or 0) for s in score(tasks[name], rows)), name) for name, rows in asked.items())
    assert [row.task.id for row in chosen] == [name for _, name in best[:4]]
    assert [row.critique.score for row in chosen if row.critique] == pytest.approx([-value for value, _ in best[:4]])
    before = (tmp_path / "audit" / "critiques.jsonl").stat().st_mtime_ns
    assert run(*words, "-o", tmp_path / "audit").return_value == 0
    assert (tmp_path / "audit" / "critiques.jsonl").stat().st_mtime_ns == before, "nothing is criticised twice"


def test_the_control_is_drawn_from_all_before_anything_is_said_and_the_files_give_nothing_away(tmp_path: Path) -> None:
    good = write_good(tmp_path / "good.jsonl", 40, prose_too=True)
    tasks = read_answers([good])
    with serving({"m": reviewer}) as server:
        work = CritiqueWork(f"server:m@{server.url}", {}, n=1, seed=0)
        told = select(tasks, tmp_path / "a", work, top=20, inputs={})
        other = select(tasks, tmp_path / "b", work, top=20, seed=1, inputs={})
    assert told.critique == told.control == other.control == 20 and "how likely" in told.ordered
    chosen = read_chosen(tmp_path / "a")
    arms = {arm: [row for row in chosen if row.arm == arm] for arm in ("critique", "control")}
    ids = {arm: {row.task.id for row in rows} for arm, rows in arms.items()}
    assert not ids["critique"] & ids["control"] and len(ids["control"]) == 20
    assert ids["control"] != {row.task.id for row in read_chosen(tmp_path / "b") if row.arm == "control"}
    assert 4 <= sum(is_wrong(row.task.answer) for row in arms["control"]) <= 16, "as wrong as any"
    assert {row.task.language for row in chosen} == {"python", "text"}
    team = list(read_jsonl(tmp_path / "a" / "team.jsonl", Prefilled))
    alone = list(read_jsonl(tmp_path / "a" / "write.jsonl", Task))
    assert {row.task.id for row in team} == ids["critique"] and {task.id for task in alone} == ids["control"]
    assert [row.task.id for row in team] != [row.task.id for row in arms["critique"]], "not in the order of suspicion"
    assert all(row.critique.score is None and row.critique.logprob is None for row in team)
    assert all(row.task.tests is None and row.task.split is None for row in team)


def test_few_answers_a_silent_critic_and_one_that_fails(tmp_path: Path) -> None:
    good = write_good(tmp_path / "good.jsonl", 5)
    told = select(read_answers([good]), tmp_path / "a", CritiqueWork("everything"), top=100, inputs={})
    assert (told.criticised, told.critique, told.control) == (3, 2, 2)
    one = write_good(tmp_path / "one.jsonl", 1)
    for words, says in (
        ([good, "--critic", "empty"], "has nothing to say of any of these answers"),
        ([one, "--critic", "random"], "needs two answers at least"),
        ([good, "--critic", "nobody"], "there is no critic 'nobody'"),
        ([good, "--critic", "random", "--reward", tmp_path], "no reward model in"),
        ([tmp_path / "none.jsonl"], "can't read"),
    ):
        failed = run("select", *words, "-o", tmp_path / says[:20])
        assert isinstance(failed.exception, MomusError) and says in str(failed.exception), (words, failed.exception)
    with serving({}) as server:
        failed = run("select", good, "--critic", f"server:m@{server.url}", "-o", tmp_path / "no-model")
    assert isinstance(failed.exception, MomusError) and "knows no model" in str(failed.exception)
    with serving({"m": lambda body: "```\nnowhere at all\n```\nWrong."}) as server:
        failed = run("select", good, "--critic", f"server:m@{server.url}", "-o", tmp_path / "mumbling")
    assert isinstance(failed.exception, MomusError) and "failed on all 3 answers" in str(failed.exception)
    text = tmp_path / "text.jsonl"
    text.write_text("".join(json.dumps({"question": "q", "answer": f"Answer {n}, in words."}) + "\n" for n in range(4)))
    refused = run("select", text, "-o", tmp_path / "words")
    assert "auto reads Python only" in str(refused.exception)
    mixed = write_good(tmp_path / "mixed.jsonl", 6, prose_too=True)
    some = run("select", mixed, "--critic", "linter:ruff", "-o", tmp_path / "mixed")
    said = some.stderr if some.exception is None else str(some.exception)
    assert "6 answers are not Python" in said or "nothing to say" in said
