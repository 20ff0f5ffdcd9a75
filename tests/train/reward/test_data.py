"""Comparisons become groups; what cannot be used is left out, counted and said, or refused in one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planted_ratings import RATER, comparison, rewrite, write_rated

from momus.critique import TextMap
from momus.errors import MomusError
from momus.models.protocol import Prompt
from momus.records import Rating, write_jsonl
from momus.train.policy import Policy
from momus.train.reward.data import Group, general_pairs, load, mix, split, warnings


def only(folder: Path, policy: Policy, limit: int | None = None) -> tuple[list[Group], dict[str, int]]:
    loaded = load([folder], policy.codec, limit)
    return loaded.groups, dict(loaded.left_out)


def at(groups: list[Group], key: str) -> Group:
    (found,) = [group for group in groups if group.id == f"{key}:{RATER}"]
    return found


def test_a_group_holds_the_policys_own_tokens_and_the_raters_order(rated: Path, policy: Policy) -> None:
    groups, left_out = only(rated, policy)
    assert len(groups) == 60 and not left_out
    made, _, _ = comparison(3, True)
    group = at(groups, "c3b")
    text = TextMap(made.task.answer)
    assert group.prompt == tuple(policy.codec.ask(Prompt(made.task.question, made.task.answer)))
    assert group.twin == tuple(policy.codec.ask(Prompt(made.task.question, made.twin or "")))
    for candidate, sampled in zip(group.candidates, made.critiques, strict=True):
        assert candidate.tokens == tuple(policy.codec.write(sampled.critique.comments, text))
        assert candidate.tokens[-1] == policy.codec.end
    assert [c.rank for c in group.candidates] == [3, 0, 2, 1]
    assert [c.gold for c in group.candidates] == [False, True, False, False]
    assert [c.silent for c in group.candidates] == [False, False, True, False]
    assert [c.caught for c in group.candidates] == [False, True, False, True]
    assert [c.spurious for c in group.candidates] == [True, False, False, True]
    assert group.buggy and group.problem == "g3"
    clean = at(groups, "c4")
    assert not clean.buggy and clean.twin == () and clean.problem == "g4"
    assert [c.rank for c in clean.candidates] == [2, 1, 0, 2]
    assert [c.caught for c in clean.candidates] == [None] * 4


def test_without_a_ranking_the_overall_scores_are_the_order(rated: Path, policy: Policy) -> None:
    with_rankings, _ = only(rated, policy)
    (rated / "rankings.jsonl").unlink()
    groups, _ = only(rated, policy)
    order = [[c.rank for c in group.candidates] for group in groups]
    assert order == [[c.rank for c in group.candidates] for group in with_rankings]


def test_a_ranking_goes_before_the_overall_scores(rated: Path, policy: Policy) -> None:
    def turned(row: Any) -> Any:
        return {**row, "order": row["order"][::-1]} if row["comparison_id"] == "c3b" else row

    rewrite(rated / "rankings.jsonl", turned)
    groups, _ = only(rated, policy)
    assert [c.rank for c in at(groups, "c3b").candidates] == [0, 3, 1, 2]


def test_each_rater_of_a_comparison_gives_a_group(rated: Path, policy: Policy) -> None:
    path = rated / "rankings.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    another = {**row, "rater": "person", "order": [[0], [1, 2]], "simulated": False}
    path.write_text(path.read_text() + json.dumps(another) + "\n")
    loaded = load([rated], policy.codec, None)
    (theirs,) = [group for group in loaded.groups if group.id == f"{row['comparison_id']}:person"]
    assert [c.rank for c in theirs.candidates] == [0, 1, 1] and [c.caught for c in theirs.candidates] == [None] * 3
    assert loaded.raters == {RATER: True, "person": False}
    assert loaded.sentences() == ["left out: 1 critiques that were not scored"]


def test_unscored_critiques_are_left_out_and_not_guessed(rated: Path, policy: Policy) -> None:
    (rated / "rankings.jsonl").unlink()

    def forget(row: Any) -> Any:
        unscored = row["attribute"] == "overall" and row["comparison_id"] == "c3b" and row["critique"] == 1
        return {**row, "score": None} if unscored else row

    rewrite(rated / "ratings.jsonl", forget)
    groups, left_out = only(rated, policy)
    group = at(groups, "c3b")
    assert [(c.gold, c.rank) for c in group.candidates] == [(False, 2), (False, 1), (False, 0)]
    assert left_out == {"critiques that were not scored": 1}


def test_a_failed_critique_is_no_empty_critique(rated: Path, policy: Policy) -> None:
    def fail(row: Any) -> Any:
        if row["id"] == "c3b":
            row["critiques"][2] |= {"error": "no answer", "finish": "error"}
        return row

    rewrite(rated / "comparisons.jsonl", fail)
    groups, left_out = only(rated, policy)
    assert [c.silent for c in at(groups, "c3b").candidates] == [False] * 3
    assert left_out == {"critiques that failed": 1}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ([[2]], "comparisons with fewer than two scored critiques"),
        ([], "comparisons with fewer than two scored critiques"),
        ([[0, 1, 2, 3]], "comparisons whose critiques are all tied"),
    ],
)
def test_a_comparison_without_an_order_is_skipped_and_counted(
    rated: Path, policy: Policy, order: list[list[int]], reason: str
) -> None:
    def change(row: Any) -> Any:
        return {**row, "order": order} if row["comparison_id"] == "c3b" else row

    def unscored(row: Any) -> Any:
        drop = row["comparison_id"] == "c3b" and not order
        return {**row, "score": None} if drop else row

    rewrite(rated / "rankings.jsonl", change)
    rewrite(rated / "ratings.jsonl", unscored)
    loaded = load([rated], policy.codec, None)
    assert len(loaded.groups) == 59
    assert loaded.left_out[reason] == 1 and f"left out: 1 {reason}" in loaded.sentences()


def test_a_comparison_that_nobody_rated_is_counted(rated: Path, policy: Policy) -> None:
    for name in ("ratings.jsonl", "rankings.jsonl"):
        rewrite(rated / name, lambda row: None if row["comparison_id"] == "c3b" else row)
    groups, left_out = only(rated, policy)
    assert len(groups) == 59 and left_out == {"comparisons that nobody rated": 1}


def test_what_is_longer_than_the_context_is_counted_and_never_cut(rated: Path, policy: Policy) -> None:
    groups, _ = only(rated, policy)
    longest = max(len(g.prompt) + len(c.tokens) for g in groups for c in g.candidates)
    assert not only(rated, policy, longest)[1]
    fewer, left_out = only(rated, policy, longest - 1)
    lost = sum(len(g.prompt) + len(c.tokens) == longest for g in groups for c in g.candidates)
    assert left_out == {"critiques that are longer than the context": lost}
    assert sum(len(g.candidates) for g in fewer) == sum(len(g.candidates) for g in groups) - lost
    none, left_out = only(rated, policy, 10)
    assert not none and left_out == {"comparisons whose answer is longer than the context": 60}


def test_an_answer_that_the_model_cannot_read_is_counted(rated: Path, policy: Policy) -> None:
    def lengthen(row: Any) -> Any:
        if row["id"] == "c4":
            row["task"]["answer"] += "    x = 1\n" * 200
        return row

    rewrite(rated / "comparisons.jsonl", lengthen)
    groups, left_out = only(rated, policy)
    assert len(groups) == 59 and left_out == {"comparisons whose answer does not fit the model": 1}


def test_a_critique_that_quotes_nothing_is_counted(rated: Path, policy: Policy) -> None:
    def blank(row: Any) -> Any:
        if row["id"] == "c3b":
            row["task"]["answer"] += "\n  \n"
            end = len(row["task"]["answer"])
            row["critiques"][0]["critique"]["comments"][0]["highlight"] = {"start": end - 3, "end": end}
        return row

    rewrite(rated / "comparisons.jsonl", blank)
    groups, left_out = only(rated, policy)
    assert len(at(groups, "c3b").candidates) == 3 and left_out == {"critiques that quote nothing": 1}


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("rankings.jsonl", {"comparison_id": "elsewhere"}, "comparison elsewhere, which is not in comparisons.jsonl"),
        ("rankings.jsonl", {"order": [[4]]}, "critique 4 of comparison c0b, which has 4"),
        ("ratings.jsonl", {"comparison_id": "elsewhere"}, "comparison elsewhere"),
        ("ratings.jsonl", {"critique": 9}, "critique 9 of comparison c0b"),
        ("ratings.jsonl", {"score": 8}, "not a Rating"),
        ("comparisons.jsonl", {"id": "c1b"}, "holds the comparison c1b twice"),
        ("comparisons.jsonl", {"task": {"id": "quixbugs/1", "question": "", "answer": "x = 1\n" * 40}}, "set aside"),
    ],
)
def test_files_that_do_not_belong_together_are_one_sentence(
    rated: Path, policy: Policy, name: str, change: dict[str, Any], says: str
) -> None:
    lines = (rated / name).read_text().splitlines()
    (rated / name).write_text("\n".join([json.dumps({**json.loads(lines[0]), **change}), *lines[1:]]) + "\n")
    with pytest.raises(MomusError, match=says) as error:
        load([rated], policy.codec, None)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["ratings.jsonl", "rankings.jsonl"])
def test_what_is_said_twice_is_refused(rated: Path, policy: Policy, name: str) -> None:
    text = (rated / name).read_text()
    (rated / name).write_text(text + text.splitlines()[0] + "\n")
    with pytest.raises(MomusError, match=r"twice; keep one"):
        load([rated], policy.codec, None)


def test_missing_files_are_one_sentence(rated: Path, policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(MomusError, match=r"cannot read .*comparisons.jsonl"):
        load([tmp_path / "nowhere"], policy.codec, None)
    (rated / "rankings.jsonl").unlink()
    (rated / "ratings.jsonl").unlink()
    with pytest.raises(MomusError, match="momus rate first"):
        load([rated], policy.codec, None)


def test_ratings_alone_are_enough_and_unsure_is_neither_caught_nor_missed(tmp_path: Path, policy: Policy) -> None:
    write_rated(tmp_path, 2, rankings=False)

    def unsure(row: Any) -> Any:
        return {**row, "score": 4} if row["attribute"] in ("cbi", "fake_problem") else row

    rewrite(tmp_path / "ratings.jsonl", unsure)
    groups, _ = only(tmp_path, policy)
    assert {c.caught for g in groups for c in g.candidates} == {None}
    assert {c.spurious for g in groups for c in g.candidates} == {None}


def test_of_several_bugs_one_is_enough(tmp_path: Path, policy: Policy) -> None:
    write_rated(tmp_path, 1)
    path = tmp_path / "ratings.jsonl"
    more = [
        Rating(comparison_id="c0b", critique=i, rater=RATER, attribute="cbi", score=7 if i == 0 else 1, bug=1)
        for i in range(4)
    ]
    text = path.read_text()
    write_jsonl(path, more)
    path.write_text(text + path.read_text())
    groups, _ = only(tmp_path, policy)
    assert [c.caught for c in at(groups, "c0b").candidates] == [True, True, False, True]


def test_a_split_never_parts_a_problem(rated: Path, policy: Policy) -> None:
    groups, _ = only(rated, policy)
    train, held = split(groups, 0.25, seed=1)
    assert {g.problem for g in train}.isdisjoint(g.problem for g in held)
    assert len({g.problem for g in held}) == 10 and len(train) + len(held) == 60
    assert split(groups, 0.25, seed=1) == (train, held) != split(groups, 0.25, seed=2)
    assert {g.problem for g in split(groups[::-1], 0.25, seed=1)[1]} == {g.problem for g in held}
    assert split(groups, 0.0, seed=1) == (groups, [])
    assert len({g.problem for g in split(groups, 0.001, seed=1)[1]}) == 1


def test_one_group_is_warned_of(rated: Path, policy: Policy) -> None:
    groups, _ = only(rated, policy)
    assert warnings(groups, split(groups, 0.25, seed=1)[1]) == []
    assert "hold more out" in warnings(groups, split(groups, 0.001, seed=1)[1])[0]
    folder = [replace(group, problem="folder") for group in groups]
    assert split(folder, 0.25, seed=1)[1] == []
    (said,) = warnings(folder, [])
    assert "share one group" in said and "by file and function" in said


def test_tasks_of_another_split_are_never_trained_on(rated: Path, policy: Policy) -> None:
    def mark(row: Any) -> Any:
        row["task"]["split"] = {"c3b": "dev", "c5b": "train"}.get(row["id"])
        return row

    rewrite(rated / "comparisons.jsonl", mark)
    groups, _ = only(rated, policy)
    train, held = split(groups, 0.0, seed=1)
    assert [g.problem for g in held] == ["g3"] and "g5" in {g.problem for g in train}


def write_pairs(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_general_preferences_are_silence_about_two_answers(tmp_path: Path, policy: Policy) -> None:
    chat = [{"role": "user", "content": "Greet."}], [{"role": "assistant", "content": "print('hi')"}]
    path = write_pairs(
        tmp_path / "pairs.jsonl",
        [
            {"prompt": "Greet.", "chosen": "print('hi')", "rejected": "pass", "source": "x"},
            {"question": "Greet.", "chosen": "print('hi')", "rejected": "pass"},
            {"prompt": chat[0], "chosen": chat[1], "rejected": [{"role": "assistant", "content": "pass"}]},
            {"prompt": "Same.", "chosen": "pass", "rejected": "pass"},
            {"prompt": "Long.", "chosen": "pass\n" * 300, "rejected": "pass"},
        ],
    )
    loaded = general_pairs([path], policy.codec, None)
    assert len(loaded.groups) == 3 and sum(loaded.left_out.values()) == 2
    good, bad = (
        (*policy.codec.ask(Prompt("Greet.", answer)), *policy.codec.write((), TextMap(answer)))
        for answer in ("print('hi')", "pass")
    )
    for group in loaded.groups:
        assert group.prompt == () and [(c.tokens, c.rank) for c in group.candidates] == [(good, 0), (bad, 1)]


@pytest.mark.parametrize("row", [{"prompt": "x", "chosen": "y"}, {"prompt": 3, "chosen": "y", "rejected": "z"}, [1]])
def test_a_line_that_is_no_preference_is_named(tmp_path: Path, policy: Policy, row: Any) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", [{"prompt": "a", "chosen": "b", "rejected": "c"}, row])
    with pytest.raises(MomusError, match=r"pairs.jsonl:2"):
        general_pairs([path], policy.codec, None)
    path.write_text("{")
    with pytest.raises(MomusError, match="is not JSON lines"):
        general_pairs([path], policy.codec, None)


def test_the_share_of_general_pairs_is_that_of_the_whole(rated: Path, tmp_path: Path, policy: Policy) -> None:
    groups, _ = only(rated, policy)
    rows = [{"prompt": f"{n}", "chosen": "a = 1", "rejected": "b = 2"} for n in range(50)]
    general = general_pairs([write_pairs(tmp_path / "pairs.jsonl", rows)], policy.codec, None).groups
    mixed = mix(groups, general, 0.25, seed=0)
    assert mixed[:60] == groups and len(mixed) == 80 and len({g.id for g in mixed}) == 80
    assert mix(groups, general, 0.25, seed=0) == mixed != mix(groups, general, 0.25, seed=1)
    assert mix(groups, general, 0.0, seed=0) == groups
    assert len(mix(groups, general, 0.9, seed=0)) == 110
