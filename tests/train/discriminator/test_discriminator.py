"""Training: a planted bug is learned, its probabilities hold on unseen twins, a broken run ends as a whole one."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from planted_twins import twins, write_twins
from transformers import AutoModelForSequenceClassification

from momus.cli import cli
from momus.errors import MomusError
from momus.models.dialect import Dialect
from momus.models.protocol import Prompt
from momus.records import write_jsonl
from momus.train.config import DiscriminatorConfig
from momus.train.discriminator import report
from momus.train.discriminator.stage import discriminator, open_discriminator
from momus.train.discriminator.twins import twin_loss, twins_of
from momus.train.reward import train as training

QUICK = DiscriminatorConfig(epochs=3, batch_comparisons=8, lr=4e-3, held_out=0.25)


def test_the_loss_is_the_log_loss_of_two_answers_written_out() -> None:
    scores = torch.tensor([1.5, -0.25])
    by_hand = -(math.log(1 / (1 + math.exp(-1.5))) + math.log(1 - 1 / (1 + math.exp(0.25)))) / 2
    assert float(twin_loss(scores, torch.tensor([0, 1]))) == pytest.approx(by_hand, rel=1e-6)
    assert float(twin_loss(torch.zeros(2), torch.tensor([0, 1]))) == pytest.approx(report.COIN, rel=1e-6)


def test_a_pair_is_one_tampered_and_one_clean_request_that_share_their_beginning(dialect: Dialect) -> None:
    made = twins(3)
    (pair,) = twins_of([made], dialect, None, Counter())
    assert list(pair.tampered) == dialect.ask(Prompt(made.task.question, made.task.answer))
    assert list(pair.twin) == dialect.ask(Prompt(made.task.question, made.twin))
    assert len(pair.group.prompt) > 10 and pair.group.candidates[0].tokens[0] != pair.group.candidates[1].tokens[0]
    left_out: Counter[str] = Counter()
    same = made.model_copy(update={"twin": made.task.answer})
    long = twins(4).model_copy(update={"twin": "x = 1\n" * 200})
    assert twins_of([made, made, same, long], dialect, None, left_out) == [pair] and sum(left_out.values()) == 3
    assert twins_of([made], dialect, 10, left_out) == []


def test_a_planted_bug_is_learned_and_the_folder_is_a_hugging_face_classifier(trained: Path) -> None:
    about = json.loads((trained / "large" / "discriminator.json").read_text())
    told = about["measured"]
    assert told["log_loss"]["high"] < 0.5 < told["coin"] and told["accuracy"]["mean"] > 0.9
    assert told["pairs"] == about["calibrated_on"]["pairs"] == 15 and about["trained_on"]["pairs"] == 45
    assert told["operators"]["wrong-sign"]["order"]["n"] == 15
    # whoever opens the folder gets the calibrated probability, in a pass of its own, without any code of ours
    opened = open_discriminator(trained / "large")
    made = twins(777)
    model = AutoModelForSequenceClassification.from_pretrained(trained / "large", dtype=torch.float32).eval()
    for answer, tampered in ((made.task.answer, True), (made.twin, False)):
        tokens = opened.codec.ask(Prompt(made.task.question, answer))
        with torch.no_grad():
            logit = float(model(torch.tensor([tokens])).logits[0, 0])
        assert logit == pytest.approx(opened.logits([tokens])[0], abs=1e-3)
        assert (1 / (1 + math.exp(-logit)) > 0.5) == tampered
    assert model.config.id2label == {0: "tampered"}


def test_what_cannot_be_told_costs_no_more_than_a_coin(start: Path, tmp_path: Path) -> None:
    """Twins that nothing tells apart: a model that was fitted to them is sure of itself, until it is calibrated."""
    made = [twins(n, operator="unseen") for n in range(48)]
    write_jsonl(tmp_path / "twins.jsonl", made)
    config = QUICK.model_copy(update={"epochs": 12, "held_out": 0.34})
    assert discriminator(start, tmp_path / "out", config=config, tampers=[tmp_path / "twins.jsonl"])
    told = json.loads((tmp_path / "out" / "discriminator.json").read_text())["measured"]
    assert told["log_loss_unscaled"] > told["log_loss"]["mean"] - 1e-9
    assert told["log_loss"]["mean"] == pytest.approx(report.COIN, abs=0.08)
    assert told["log_loss"]["high"] > report.COIN - 0.02


def test_the_scale_is_the_best_one_and_halves_never_fit_themselves(dialect: Dialect) -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, (4000, 1))
    # answers of which the model says three times the log-odds that hold
    labels = rng.random((4000, 1)) < 1 / (1 + np.exp(-truth))
    logits = 3 * np.where(labels, truth, -truth) * np.array([[1.0, -1.0]])
    assert report.scale_of(logits) == pytest.approx(1 / 3, rel=0.1)
    assert report.scale_of(np.array([[-1.0, 1.0]] * 5)) == report.SMALLEST  # wrong throughout: it tells nothing
    all_right = report.scale_of(np.array([[2.0, -2.0]] * 5))
    assert 1 / (1 + math.exp(-2 * all_right)) == pytest.approx(6 / 7)  # five of five are no certainty
    pairs = twins_of([twins(n) for n in range(6)], dialect, None, Counter())
    half = report.crossed(pairs, np.array([[4.0, 2.0]] * 6), seed=0)
    assert half.shape == (6, 2) and report.crossed(pairs, np.array([[4.0, 2.0]] * 6), seed=0).tolist() == half.tolist()
    assert report.crossed(pairs[:1], np.array([[4.0, 2.0]]), seed=0).tolist() == [[4.0, 2.0]]
    # five of these know nothing: what the sixth knows cannot be fitted on them, and is not fitted on itself
    one = np.array([[9.0, -9.0]] + [[0.0, 0.0]] * 5)
    assert report.crossed(pairs, one, seed=0)[0] == pytest.approx(report.SMALLEST * one[0])


def test_figures_by_hand(dialect: Dialect) -> None:
    pairs = twins_of([twins(0), twins(1), twins(2)], dialect, None, Counter())
    logits = np.array([[2.0, -1.0], [-0.5, -0.5], [0.0, 3.0]])
    found = report.columns(logits)
    assert found["accuracy"].tolist() == [1.0, 0.5, 0.25] and found["order"].tolist() == [1.0, 0.5, 0.0]
    by_hand = [(math.log(1 + math.exp(-t)) + math.log(1 + math.exp(c))) / 2 for t, c in logits]
    assert found["log_loss"] == pytest.approx(by_hand)
    told = report.evaluate(pairs, logits, 2.0, draws=50)
    assert told["log_loss_unscaled"] == pytest.approx(np.mean(by_hand))
    assert told["log_loss_saved"] == pytest.approx(report.columns(2 * logits)["log_loss"].mean())
    assert told["order"]["mean"] == 0.5 and sum(b["answers"] for b in told["bins"]) == 6
    assert "wrong-sign" in "\n".join(report.lines({"measured": told}))


def test_a_stopped_and_a_killed_run_end_as_an_unbroken_one_bit_for_bit(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_twins(tmp_path / "twins.jsonl", 16)
    brief = QUICK.model_copy(update={"epochs": 1, "batch_comparisons": 4})

    def run(out: str, minutes: float | None = None) -> bool:
        return discriminator(start, tmp_path / out, config=brief, tampers=[path], minutes=minutes)

    assert run("unbroken") and not run("broken", 0)
    real = training._step

    def killed(*arguments: Any) -> float:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "_step", killed)
        with pytest.raises(KeyboardInterrupt):
            run("broken")
    assert training._step is real and run("broken")
    for name in ("model.safetensors", "discriminator.json"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "unbroken" / name).read_bytes()
    before = (tmp_path / "broken" / "discriminator.json").stat().st_mtime_ns
    assert run("broken"), "a finished stage is not run again"
    assert (tmp_path / "broken" / "discriminator.json").stat().st_mtime_ns == before
    with pytest.raises(MomusError, match="name a new --out"):
        discriminator(start, tmp_path / "broken", config=brief, tampers=[path], seed=4)


def test_a_loss_that_is_no_number_stops_the_run(start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from momus.train.discriminator import stage

    path = write_twins(tmp_path / "twins.jsonl", 8)
    monkeypatch.setattr(stage, "twin_loss", lambda s, t: twin_loss(s, t) * float("nan"))
    with pytest.raises(MomusError, match="at step 1 the loss is no number any more"):
        discriminator(start, tmp_path / "out", config=QUICK, tampers=[path])
    assert not (tmp_path / "out" / "discriminator.json").exists()


def test_what_is_held_out_or_set_aside_never_trains(start: Path, tmp_path: Path, dialect: Dialect) -> None:
    from momus.tamper import OPERATORS

    hidden = next(name for name, operator in OPERATORS.items() if operator.held_out)
    many = [twins(n) for n in range(8)] + [twins(n, split="dev") for n in range(20, 24)]
    bug = many[0].bugs[0].model_copy(update={"operator": hidden})
    write_jsonl(tmp_path / "t.jsonl", [*many[1:], many[0].model_copy(update={"bugs": (bug,)})])
    brief = QUICK.model_copy(update={"epochs": 1})
    assert discriminator(start, tmp_path / "out", config=brief, tampers=[tmp_path / "t.jsonl"])
    about = json.loads((tmp_path / "out" / "discriminator.json").read_text())
    assert about["left_out"] == {"pairs of operators that are never trained on": 1}
    assert about["calibrated_on"]["pairs"] == 4 + 2 and about["trained_on"]["pairs"] == 5
    aside = many[1].task.model_copy(update={"group": "HumanEval/90"})
    write_jsonl(tmp_path / "aside.jsonl", [many[1].model_copy(update={"task": aside})])
    with pytest.raises(MomusError, match="set aside for measuring"):
        discriminator(start, tmp_path / "no", config=brief, tampers=[tmp_path / "aside.jsonl"])
    with pytest.raises(MomusError, match="but its problem g-wrong-sign"):
        discriminator(
            start, tmp_path / "no", config=brief, tampers=[tmp_path / "t.jsonl"], on=[write_twins(tmp_path / "o", 8)]
        )


def test_functions_of_a_corpus_are_tampered_with_as_they_are_read(
    start: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    on = write_twins(tmp_path / "on.jsonl", 4)
    words = ["train", "discriminator", "--from", start, "--corpus", tiny_corpus / "corpus", "--functions", 12]
    words += ["--on", on, "--out", tmp_path / "out", "--seed", 2]
    done = CliRunner().invoke(cli, list(map(str, words)))
    assert done.exit_code == 0, done.output
    assert "4 pairs of 4 problems (on.jsonl)" in done.stdout and "a coin" in done.stdout
    about = json.loads((tmp_path / "out" / "discriminator.json").read_text())
    assert about["trained_on"]["pairs"] + about["calibrated_on"]["pairs"] <= 12 and about["flops"] is None
    assert about["measured"]["on"] == ["on.jsonl"]
    again = CliRunner().invoke(cli, [*map(str, words), "--json"])
    assert json.loads(again.stdout) == about


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nothing to train on: give --tampers"),
        (["--tampers", "nowhere.jsonl"], "can't read nowhere.jsonl"),
        (["--tampers", "ONE"], "of 1 problems fewer than two are held out"),
        (["--tampers", "TWINS", "--config", "nowhere.toml"], "no config at nowhere.toml"),
        (["--tampers", "TWINS", "--from", "nowhere"], "no checkpoint in nowhere"),
    ],
)
def test_bad_input_is_one_sentence(start: Path, tmp_path: Path, words: list[str], says: str) -> None:
    named = {"TWINS": write_twins(tmp_path / "t.jsonl", 8), "ONE": write_twins(tmp_path / "one.jsonl", 1)}
    rest = [str(named.get(word, word)) for word in words]
    if "--from" not in rest:
        rest += ["--from", str(start)]
    with pytest.raises(MomusError, match=says):
        CliRunner().invoke(
            cli,
            ["train", "discriminator", *rest, "--out", str(tmp_path / "out")],
            catch_exceptions=False,
            standalone_mode=False,
        )
    with pytest.raises(MomusError, match="no discriminator in"):
        open_discriminator(tmp_path)
