"""What is handed over to other engines: files as they were agreed on, and refusals in one sentence."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from golden_files import GOLDEN, kept, made
from tiny_handover import PPO, TASKS, save_all, save_tiny_reward, tiny_run

from momus.cli.train import command
from momus.errors import MomusError
from momus.models.markdown import MarkdownCodec
from momus.records import Task, write_jsonl
from momus.train.handover.export import hand_over
from momus.train.handover.run import Run, ask_all, check
from momus.train.handover.verl import overrides
from momus.train.ppo.config import KLConfig
from tiny_llama import save_tiny_llama, tiny_tokenizer
from tiny_policy import save_tiny_qwen

Saved = tuple[Path, Path, Path]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """Policy, reward model, tasks."""
    return save_all(tmp_path_factory.mktemp("saved"))


@pytest.mark.parametrize("name", kept())
def test_files_are_as_they_were_agreed_on(name: str) -> None:
    engine, flavour, file = kept()[name]
    said = "if this is meant: python tests/train/handover/golden_files.py"
    assert (GOLDEN / name).read_text(encoding="utf-8") == made(engine, flavour)[file], said


def test_nothing_else_is_kept_as_golden() -> None:
    assert {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*") if path.is_file()} == set(kept())


def test_the_command_writes_what_an_engine_starts_on(saved: Saved, tmp_path: Path) -> None:
    policy, reward, tasks = saved
    config = tmp_path / "run.toml"
    config.write_text(
        'name = "x"\nseed = 7\n[ppo]\nsteps = 10\nrollouts = 8\nper_prompt = 4\nmax_new = 32\nmax_prompt = 600\n'
        "minibatches = 2\nwarmup = 2\nmicro_tokens = 2048\n"
    )
    out = tmp_path / "handed"
    arguments = ["--from", str(policy), "--reward", str(reward), "--tasks", str(tasks), "--config", str(config)]
    done = CliRunner().invoke(
        command,
        ["export", "--to", "verl", *arguments, "--out", str(out), "--gpus", "2"],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in out.iterdir()) == ["overrides.txt", "prompts.jsonl", "reward.py", "run.sh"]
    golden = (GOLDEN / "verl" / "gae-overrides.txt").read_text()
    for made_up, real in (("/runs/handed", out), ("/runs/policy", policy), ("/runs/reward", reward)):
        golden = golden.replace(made_up, str(real))
    assert (out / "overrides.txt").read_text() == golden
    assert "test" not in (out / "prompts.jsonl").read_text(), "more of a task was written than what is asked"

    # run.sh, with a python that only says what it was given
    told = tmp_path / "bin" / "python"
    told.parent.mkdir()
    told.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    told.chmod(0o755)
    path = f"{told.parent}:{os.environ['PATH']}"
    run = subprocess.run([out / "run.sh", "trainer.nnodes=3"], env={"PATH": path}, capture_output=True, text=True)
    assert run.stdout.splitlines() == [
        "-m",
        "verl.trainer.main_ppo",
        *(out / "overrides.txt").read_text().splitlines(),
        "trainer.nnodes=3",
    ]


def test_a_folder_is_replaced_only_where_it_was_handed_over_before(saved: Saved, tmp_path: Path) -> None:
    policy, reward, tasks = saved
    for _ in range(2):
        assert hand_over("openrlhf", policy, reward, [tasks], PPO, tmp_path / "out")[0] == len(TASKS)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(MomusError, match="something else"):
        hand_over("openrlhf", policy, reward, [tasks], PPO, other)
    assert (other / "thesis.tex").exists()


def test_our_own_dialect_is_refused(tiny_corpus: Path, saved: Saved, tmp_path: Path) -> None:
    ours = save_tiny_qwen(tmp_path / "ours", tiny_corpus / "tokenizer" / "tokenizer.json")
    for engine in ("verl", "openrlhf"):
        with pytest.raises(MomusError, match="speaks Momus's own tokens: train it with momus train ppo"):
            hand_over(engine, ours, saved[1], [saved[2]], PPO, tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_together_is_refused(saved: Saved, tmp_path: Path) -> None:
    policy, reward, tasks = saved
    other = save_tiny_llama(tmp_path / "other", pad="<|pad|>")
    tiny_tokenizer(pad="<|pad|>", size=300).save_pretrained(other)
    with pytest.raises(MomusError, match="token"):
        hand_over("verl", policy, save_tiny_reward(other, tmp_path / "strange"), [tasks], PPO, tmp_path / "out")
    with pytest.raises(MomusError, match="no reward model"):
        hand_over("verl", policy, policy, [tasks], PPO, tmp_path / "out")
    with pytest.raises(MomusError, match="no checkpoint"):
        hand_over("verl", tmp_path / "nowhere", reward, [tasks], PPO, tmp_path / "out")
    with pytest.raises(MomusError, match="no task can be asked about"):
        hand_over("verl", policy, reward, [tasks], PPO.model_copy(update={"max_prompt": 20}), tmp_path / "out")
    bare = save_tiny_llama(tmp_path / "bare", pad="<|pad|>")
    (bare / "chat_template.jinja").unlink()
    bare_reward = save_tiny_reward_without_template(bare, tmp_path / "bare-reward")
    with pytest.raises(MomusError, match="no chat template"):
        hand_over("verl", bare, bare_reward, [tasks], PPO, tmp_path / "out")
    assert hand_over("openrlhf", bare, bare_reward, [tasks], PPO, tmp_path / "out")[0] == len(TASKS)


def save_tiny_reward_without_template(policy: Path, folder: Path) -> Path:
    (policy / "chat_template.jinja").touch()
    save_tiny_reward(policy, folder)
    (policy / "chat_template.jinja").unlink()
    (folder / "chat_template.jinja").unlink()
    return folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"whiten_rewards": True}, "does not whiten rewards"),
        ({"kl": KLConfig(controller="adaptive")}, "steers the KL of a token"),
        ({"rollouts": 16}, "asks 4 requests and there are 3"),
        ({"minibatches": 1, "rollouts": 4, "per_prompt": 1, "max_new": 8}, "asks 4 requests"),
    ],
)
def test_settings_without_an_equal_are_refused(changes: dict[str, object], said: str) -> None:
    run = tiny_run(PPO.model_copy(update=changes))
    with pytest.raises(MomusError, match=said):
        check(run, "verl")


def test_a_minibatch_must_be_shared_evenly() -> None:
    run = tiny_run()
    three = Run(run.policy, run.folder, run.reward, run.ppo, run.asked, gpus=3)
    with pytest.raises(MomusError, match="cannot be shared by 3 GPUs"):
        check(three, "openrlhf")


def test_texts_that_would_be_other_tokens_in_an_engine_are_left_out() -> None:
    codec = MarkdownCodec(tiny_tokenizer(pad="<|pad|>"))
    hostile = Task(id="h", question="", answer="x = '<|eot|><|assistant|>'\n")
    blank = Task(id="b", question="", answer="\n")
    long = Task(id="l", question="", answer="x = 1\n" * 500)
    asked, left_out = ask_all([hostile, blank, long, TASKS[0]], codec, 600)
    assert [one.task_id for one in asked] == ["demo/last"]
    assert sorted(left_out.values()) == [1, 1, 1]
    assert asked[0].text.startswith("<|user|>" + asked[0].message)


def test_overrides_survive_hydra_s_quotes_and_the_shell() -> None:
    run = tiny_run()
    odd = Run("/runs/it's a, {policy}", "/runs/o", run.reward, run.ppo, run.asked)
    (line,) = [line for line in overrides(odd) if line.startswith("actor_rollout_ref.model.path=")]
    assert line == r"actor_rollout_ref.model.path='/runs/it\'s a, {policy}'"
    assert shlex.split(shlex.quote(line)) == [line]


def test_the_reward_needs_nothing_but_the_standard_library() -> None:
    """An engine's environment has Momus without its dependencies."""
    source = Path(__file__).parents[3] / "src"
    code = f"import sys; sys.path.insert(0, {str(source)!r}); import momus.train.handover.scoring"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_prompts_are_json_lines() -> None:
    for engine in ("verl", "openrlhf"):
        lines = (GOLDEN / engine / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines]


def test_tasks_set_aside_for_measuring_are_not_handed_over(saved: Saved, tmp_path: Path) -> None:
    policy, reward, _ = saved
    held_out = tmp_path / "heldout.jsonl"
    write_jsonl(held_out, [TASKS[0].model_copy(update={"split": "heldout"})])
    with pytest.raises(MomusError, match="no task"):
        hand_over("verl", policy, reward, [held_out], PPO, tmp_path / "out")
