"""A run for OpenRLHF 0.11: JSON lines of prompts, a reward function, and the arguments of its command.

With a reward function OpenRLHF runs no reward model, so the function loads it in each process that samples. The value
net begins as the reward model, which must be said: with a function, OpenRLHF would begin with the policy.
"""

from __future__ import annotations

import json
from typing import Any

from momus.train.handover.run import Run

VERSION = "0.11"
STARTS = "openrlhf.cli.train_ppo_ray"
SETTINGS = "arguments.txt"

REWARD = '''\
"""The reward of critiques, for OpenRLHF {version}; written by `momus train export --to openrlhf`.

Needs Momus beside OpenRLHF, without its dependencies: pip install --no-deps momus
MOMUS_REWARD_DEVICE says where the reward model runs, such as cuda; a GPU that samples needs room for it.
"""

import os

from momus.train.handover.scoring import Loaded, Reward

REWARD = {reward!r}
RAW = Loaded(REWARD.reward_model, os.environ.get("MOMUS_REWARD_DEVICE", "cpu"))


def reward_func(queries, prompts, labels):
    return REWARD.openrlhf(queries, prompts, labels, RAW)
'''


def files(run: Run) -> dict[str, str]:
    """The files of a run, by name."""
    return {
        "prompts.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(run)),
        "reward.py": REWARD.format(version=VERSION, reward=run.reward),
        SETTINGS: "".join(line + "\n" for line in arguments(run)),
    }


def rows(run: Run) -> list[dict[str, Any]]:
    """What OpenRLHF reads of each request: the text with the chat template about it, as it knows no template options.

    The label is the answer, which quotes must stand in.
    """
    return [
        {"prompt": one.text, "label": one.answer, "datasource": one.source, "task_id": one.task_id} for one in run.asked
    ]


def arguments(run: Run) -> list[str]:
    """Flags and their values, one each."""
    ppo, length = run.ppo, run.longest + run.ppo.max_new
    cards = run.gpus * run.nodes
    settings: dict[str, Any] = {
        "--actor.model_name_or_path": run.policy,
        "--reward.remote_url": f"{run.folder}/reward.py",
        "--reward.clip_range": (-1_000_000, 1_000_000),
        "--data.prompt_dataset": f"{run.folder}/prompts.jsonl",
        "--data.input_key": "prompt",
        "--data.label_key": "label",
        "--data.max_len": length,
        "--rollout.max_new_tokens": ppo.max_new,
        "--rollout.temperature": ppo.temperature,
        "--rollout.top_p": 1.0,
        "--rollout.batch_size": run.prompts,
        "--rollout.n_samples_per_prompt": ppo.per_prompt,
        "--train.batch_size": ppo.rollouts // ppo.minibatches,
        "--train.max_epochs": ppo.epochs,
        "--train.num_episodes": run.passes,
        "--train.dynamic_batch_enable": None,
        "--train.max_tokens_per_gpu": max(ppo.micro_tokens, length),
        "--train.seed": run.seed,
        "--ds.packing_samples": None,  # the dynamic batches need it
        "--algo.advantage.estimator": ppo.estimator,
        "--algo.advantage.gamma": ppo.gamma,
        "--algo.advantage.lambd": ppo.lam,
        "--algo.kl.estimator": ppo.kl.estimator,
        "--algo.kl.init_coef": ppo.kl.coefficient,
        "--actor.eps_clip": ppo.clip,
        "--actor.loss_agg_mode": "token-mean",
        "--actor.entropy_coef": ppo.entropy_weight,
        **_optimizer(run, "actor"),
        "--actor.gradient_checkpointing_enable": None,
        "--actor.num_nodes": run.nodes,
        "--actor.num_gpus_per_node": run.gpus,
        "--ref.num_nodes": run.nodes,
        "--ref.num_gpus_per_node": run.gpus,
        "--vllm.num_engines": cards,
        "--vllm.tensor_parallel_size": 1,
        "--vllm.gpu_memory_utilization": 0.5,
        "--vllm.enable_sleep": None,
        "--ds.enable_sleep": None,
        "--train.colocate_all": None,
        "--ckpt.save_steps": ppo.save_every,
        "--ckpt.save_hf": None,
        "--ckpt.path": f"{run.folder}/checkpoints",
        "--ckpt.output_dir": f"{run.folder}/policy",
    }
    if ppo.estimator == "gae":
        settings |= {
            "--critic.model_name_or_path": run.reward.reward_model,
            "--critic.value_clip": 1e6 if ppo.value_clip is None else ppo.value_clip,
            **_optimizer(run, "critic"),
            "--critic.num_nodes": run.nodes,
            "--critic.num_gpus_per_node": run.gpus,
        }
    if ppo.lora is not None:
        settings |= {
            "--ds.lora.rank": ppo.lora.rank,
            "--ds.lora.alpha": ppo.lora.alpha,
            "--ds.lora.target_modules": ppo.lora.targets,
        }
    return [word for flag, value in settings.items() for word in (flag, *_words(value))]


def _optimizer(run: Run, whose: str) -> dict[str, Any]:
    ppo = run.ppo
    return {
        f"--{whose}.adam.lr": ppo.lr,
        f"--{whose}.min_lr_ratio": ppo.final_lr,  # a cosine to this share of it; OpenRLHF has no straight line
        f"--{whose}.lr_warmup_ratio": ppo.warmup / ppo.steps,
        f"--{whose}.adam.betas": ppo.betas,
        f"--{whose}.adam.eps": ppo.adam_eps,
        f"--{whose}.adam.weight_decay": ppo.weight_decay,
        f"--{whose}.max_norm": ppo.max_grad_norm,
    }


def _words(value: Any) -> list[str]:
    """A flag's values; None is a flag without any."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, tuple) else [str(value)]
