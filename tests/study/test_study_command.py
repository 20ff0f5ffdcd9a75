"""`momus study study/tiny.toml`: from nothing to a table, and on again after a kill, to the same bits."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from momus.cli.study import command
from momus.corpus.functions import Function
from momus.records import Comparison, Rating, Tamper, read_jsonl, versioned
from momus.study.graph import read_manifest
from momus.study.loop import misses
from momus.train.stages import drawn_by

TINY = Path(__file__).parents[2] / "study" / "tiny.toml"
KILLED = "measure-ppo-1"  # the loop from the corpus to a measured policy, the variants aside


def study(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.mark.timeout(1200)
def test_the_whole_loop_ends_in_a_table_and_a_frontier(whole: Path, tmp_path: Path) -> None:
    again = study(str(TINY), "--out", str(whole), "--json", "--results", str(tmp_path / "copied"))
    assert again.exit_code == 0
    assert not [line for line in again.stderr.splitlines() if "running" in line], "nothing is run twice"
    body = json.loads(again.stdout)
    names = {arm["name"] for arm in body["arms"]}
    ways = {"sft", "sft+sampled", "ppo", "ppo+sampled", "rloo", "no-tampered", "gold", "empty", "everything", "random"}
    dialled = {f"{track}@{dial}" for track in ("sft+fsbs", "ppo+fsbs", "sft+best-of-6") for dial in (10, 25, 50, 75)}
    assert ways | dialled | {"surprisal", "rloo+fsbs@50", "no-tampered+fsbs@50"} <= names
    assert body["simulated"] is True and body["reward_model"]["raters"]
    by_name = {arm["name"]: arm for arm in body["arms"]}
    assert (
        by_name["gold"]["measures"]["cbi_fix"]["mean"] == 1.0 and by_name["gold"]["measures"]["spurious"]["mean"] == 0
    )
    assert by_name["empty"]["measures"]["comments"]["mean"] == 0
    assert set(by_name["ppo"]["by_seed"]) == {"1", "2"} and by_name["ppo"]["measures"]["reward"]["n"] == body["items"]
    assert {(d["from"], d["to"]) for d in body["differences"]} >= {("sft", "ppo"), ("sft+fsbs@50", "ppo+fsbs@50")}
    assert {(f["frontier"], f["point"].partition("@")[0]) for f in body["frontiers"]} >= {("ppo+fsbs", "sft+best-of-6")}
    ElementTree.fromstring((tmp_path / "copied" / "frontier.svg").read_text(encoding="utf-8"))
    manifests = json.loads((tmp_path / "copied" / "manifests.json").read_text(encoding="utf-8"))
    assert manifests["ppo-2-1"]["versions"]["torch"] and manifests["ppo-2-1"]["settings"]["seed"] == 1
    copied = {file.name for file in (tmp_path / "copied").iterdir()}
    assert copied >= {"results.md", "scaling.json", "discriminators.json", "report.html"}
    for file in (tmp_path / "copied").iterdir():
        assert str(whole) not in file.read_text(encoding="utf-8"), f"{file.name} names a folder of this machine"


@pytest.mark.timeout(1200)
def test_sft_and_the_loop_share_no_function_and_no_split_leaks(whole: Path) -> None:
    def ids(path: Path) -> set[str]:
        return {json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()}

    parts = [ids(whole / "split" / f"functions-{name}.jsonl") for name in ("train", "round-1", "round-2")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(ids(whole / "corpus" / "functions-train.jsonl"))
    loop = {tamper.task.split for n in (1, 2) for tamper in read_jsonl(whole / f"tamper-{n}" / "tampers.jsonl", Tamper)}
    measured = {tamper.task.split for tamper in read_jsonl(whole / "items" / "items.jsonl", Tamper)}
    assert (loop, measured) == ({"train"}, {"heldout"})


@pytest.mark.timeout(1200)
def test_the_loop_gets_nothing_that_a_given_checkpoint_has_learned_from(whole: Path, tmp_path: Path) -> None:
    start = f'[start]\ncorpus = "{whole}/corpus"\nscan = "{tmp_path}/scan"\nsft = ["{whole}/sft-1"]\n\n[corpus'
    own = tmp_path / "own.toml"
    own.write_text(TINY.read_text(encoding="utf-8").replace("[corpus", start, 1), encoding="utf-8")
    shutil.copytree(whole / "scan", tmp_path / "scan")
    assert study(str(own), "--only", "split", "--out", str(tmp_path / "out")).exit_code == 0
    learned = drawn_by((whole / "scan", whole / "sft-1"), tmp_path)
    assert learned
    for number in (1, 2):
        loop = list(read_jsonl(tmp_path / "out" / "split" / f"functions-round-{number}.jsonl", Function))
        assert len(loop) == 16 and not learned & {function.id for function in loop}

    manifest = tmp_path / "scan" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["config"]["scan"]["functions"] = content["config"]["sft"]["functions"] = 2
    manifest.write_text(json.dumps({**content, "corpus": f"{whole}/corpus"}), encoding="utf-8")
    assert len(drawn_by((tmp_path / "scan",), tmp_path)) == 2 < len(learned)
    content["config"]["scan"]["functions"] = content["config"]["sft"]["functions"] = None
    content["config"]["data"]["functions"] = None  # one that has learned from all
    manifest.write_text(json.dumps({**content, "corpus": f"{whole}/corpus"}), encoding="utf-8")
    refused = study(str(own), "--only", "split", "--out", str(tmp_path / "none"))
    assert refused.exit_code == 1 and "leave 0 that they have not learned from" in str(refused.exception)


@pytest.mark.timeout(1200)
def test_the_second_round_keeps_what_the_newest_critic_misses(whole: Path) -> None:
    folder = whole / "tamper-2"
    made = list(read_jsonl(folder / "made.jsonl", Tamper))
    kept = {versioned(tamper.task).id for tamper in read_jsonl(folder / "tampers.jsonl", Tamper)}
    missed = misses(made, folder / "tries.jsonl")
    assert kept == {versioned(t.task).id for t, count in zip(made, missed, strict=True) if count >= 1}
    assert json.loads((folder / "counts.json").read_text(encoding="utf-8"))["against"] == "critic-2"


@pytest.mark.timeout(1200)
def test_comparisons_without_tampers_hold_no_bug_and_no_gold(whole: Path) -> None:
    folder = whole / "rate-no-tampered"
    comparisons = list(read_jsonl(folder / "comparisons.jsonl", Comparison))
    assert comparisons and not any(c.bugs or c.gold for c in comparisons)
    assert any(c.bugs and c.gold for c in read_jsonl(whole / "rate-1" / "comparisons.jsonl", Comparison))
    assert all(rating.simulated for rating in read_jsonl(folder / "ratings.jsonl", Rating))


@pytest.mark.timeout(1200)
def test_a_study_that_is_killed_again_and_again_ends_in_the_same_bits(whole: Path, tmp_path: Path) -> None:
    rng = random.Random(11)
    out, kills = tmp_path / "killed", 0
    order = [sys.executable, "-m", "momus", "study", str(TINY), "--out", str(out), "--only", KILLED]
    stages = [p.name.removesuffix(".manifest.json") for p in whole.glob("*.manifest.json")]
    waits = [rng.uniform(0.05, 1.0) for _ in range(6)]
    marks = ["sft-1", "sample-1", "reward-1", "ppo-1-1", "critic-2", "ppo-2-1"]
    assert set(marks) <= set(stages)
    for mark, wait in zip(marks, waits, strict=True):
        process = subprocess.Popen(order, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        begun = out / f"{mark}.manifest.json"
        while not begun.exists() and process.poll() is None:
            time.sleep(0.02)
        time.sleep(wait)  # somewhere within the stage, or in one behind it
        os.killpg(process.pid, signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    assert kills >= 4
    subprocess.run(order, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    compared = 0
    for name in stages:
        manifest, other = read_manifest(whole, name), read_manifest(out, name)
        if other is not None:
            assert manifest is not None and other["results"] == manifest["results"], name
            compared += 1
    assert compared >= 20


def test_bad_input_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    def said(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "momus", "study", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1
        return done.stderr

    assert "no config at" in said(str(tmp_path / "absent.toml"))
    assert "has no stage pppo: its stages are corpus" in said(str(TINY), "--only", "pppo", "--out", str(tmp_path / "a"))
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(TINY.read_text(encoding="utf-8").replace('"rloo"', '"trpo"'), encoding="utf-8")
    assert "variants.4" in said(str(wrong))
    (tmp_path / "file").write_text("")
    assert "can't write to" in said(str(TINY), "--only", "corpus", "--out", str(tmp_path / "file" / "below"))


def test_the_plan_is_printed_and_nothing_is_run(tmp_path: Path) -> None:
    result = study(str(TINY), "--plan", "--only", "reward-1", "--out", str(tmp_path / "out"))
    lines = result.output.splitlines()
    assert lines[0] == "corpus: -" and lines[-1].startswith("reward-1: sft-1, sample-1, rate-1")
    assert not (tmp_path / "out").exists()


def test_a_study_is_run_in_pieces(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert study(str(TINY), "--only", "split", "--out", str(out), "--minutes", "0").exit_code == 0
    assert not (out / "corpus").exists()
    assert study(str(TINY), "--only", "split", "--out", str(out), "--minutes", "5").exit_code == 0
    assert read_manifest(out, "split") is not None and not (out / "scan").exists()
    changed = tmp_path / "changed.toml"
    changed.write_text(TINY.read_text(encoding="utf-8").replace("functions = 16", "functions = 15"), encoding="utf-8")
    refused = study(str(changed), "--only", "split", "--out", str(out))
    assert refused.exit_code == 1 and "split was begun with another functions" in str(refused.exception)
    assert study(str(changed), "--only", "split", "--out", str(out), "--redo").exit_code == 0
    lines = (out / "split" / "functions-round-1.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 15
