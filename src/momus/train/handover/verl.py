"""A run for verl 0.9: JSON lines of prompts, a reward function, and overrides of its Hydra tree.

The reward model is served by verl's router and asked by the reward function: with a function of one's own, verl leaves
the sum to it. The value net is a model of its own in verl, and begins as the reward model.
"""

from __future__ import annotations

import json
from typing import Any

from momus.train.handover.run import Run

VERSION = "0.9"
STARTS = "verl.trainer.main_ppo"
SETTINGS = "overrides.txt"

REWARD = '''\
"""The reward of a critique, for verl {version}; written by `momus train export --to verl`.

Needs Momus beside verl, without its dependencies: pip install --no-deps momus
"""

from momus.train.handover.scoring import Reward

REWARD = {reward!r}


def compute_score(data_source, solution_str, ground_truth, extra_info, **given):
    return REWARD.verl(
        solution_str,
        ground_truth,
        extra_info["request"],
        given.get("reward_router_address"),
        given.get("reward_model_tokenizer"),
    )
'''


def files(run: Run) -> dict[str, str]:
    """The files of a run, by name."""
    return {
        "prompts.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(run)),
        "reward.py": REWARD.format(version=VERSION, reward=run.reward),
        SETTINGS: "".join(line + "\n" for line in overrides(run)),
    }


def rows(run: Run) -> list[dict[str, Any]]:
    """What verl reads of each request; the ground truth is the answer, which quotes must stand in."""
    return [
        {
            "data_source": one.source,
            "prompt": [{"role": "user", "content": one.message}],
            "ability": "critique",
            "reward_model": {"style": "model", "ground_truth": one.answer},
            "extra_info": {"index": i, "task_id": one.task_id, "request": one.text},
        }
        for i, one in enumerate(run.asked)
    ]


def overrides(run: Run) -> list[str]:
    """Settings in the tree of verl 0.9, one `key=value` each."""
    ppo, length = run.ppo, run.longest + run.ppo.max_new
    actor, rollout, reward = "actor_rollout_ref.actor", "actor_rollout_ref.rollout", "reward.reward_model"
    settings: dict[str, Any] = {
        "algorithm.adv_estimator": ppo.estimator,
        "algorithm.gamma": ppo.gamma,
        "algorithm.lam": ppo.lam,
        "algorithm.use_kl_in_reward": True,
        "algorithm.kl_penalty": {"k1": "kl", "k3": "low_var_kl"}[ppo.kl.estimator],
        "algorithm.kl_ctrl.type": "fixed",
        "algorithm.kl_ctrl.kl_coef": ppo.kl.coefficient,
        "data.train_files": f"{run.folder}/prompts.jsonl",
        "data.val_files": f"{run.folder}/prompts.jsonl",  # verl wants some; nothing is validated
        "data.train_batch_size": run.prompts,
        "data.max_prompt_length": run.longest,
        "data.max_response_length": ppo.max_new,
        "data.truncation": "error",
        "data.seed": run.seed,
        "+data.apply_chat_template_kwargs.enable_thinking": False,  # as the request's text was made
        "actor_rollout_ref.model.path": run.policy,
        f"{actor}.ppo_mini_batch_size": run.prompts // ppo.minibatches,
        f"{actor}.ppo_epochs": ppo.epochs,
        f"{actor}.use_dynamic_bsz": True,
        f"{actor}.ppo_max_token_len_per_gpu": max(ppo.micro_tokens, length),
        f"{actor}.clip_ratio": ppo.clip,
        f"{actor}.clip_ratio_low": ppo.clip,
        f"{actor}.clip_ratio_high": ppo.clip,
        f"{actor}.clip_ratio_c": 1e6,  # no second clip
        f"{actor}.loss_agg_mode": "token-mean",
        f"{actor}.entropy_coeff": ppo.entropy_weight,
        f"{actor}.use_kl_loss": False,
        f"{actor}.grad_clip": ppo.max_grad_norm,
        **_optimizer(run, actor),
        f"{rollout}.name": "vllm",
        f"{rollout}.n": ppo.per_prompt,
        f"{rollout}.temperature": ppo.temperature,
        f"{rollout}.top_k": -1,
        f"{rollout}.top_p": 1.0,
        f"{rollout}.tensor_model_parallel_size": 1,
        f"{reward}.enable": True,
        f"{reward}.model_path": run.reward.reward_model,
        f"{reward}.rollout.name": "vllm",
        f"{reward}.rollout.tensor_model_parallel_size": 1,
        f"{reward}.rollout.prompt_length": length,
        f"{reward}.rollout.response_length": 1,
        "reward.custom_reward_function.path": f"{run.folder}/reward.py",
        "reward.custom_reward_function.name": "compute_score",
        "trainer.n_gpus_per_node": run.gpus,
        "trainer.nnodes": run.nodes,
        "trainer.total_training_steps": ppo.steps,
        "trainer.total_epochs": run.passes,
        "trainer.save_freq": ppo.save_every,
        "trainer.test_freq": -1,
        "trainer.val_before_train": False,
        "trainer.logger": ["console"],  # verl's own choice sends metrics to a service
        "trainer.project_name": "momus",
        "trainer.experiment_name": "ppo",
        "trainer.default_local_dir": f"{run.folder}/checkpoints",
    }
    if ppo.estimator == "gae":
        settings |= {
            "critic.model.path": run.reward.reward_model,
            "critic.cliprange_value": 1e6 if ppo.value_clip is None else ppo.value_clip,
            "critic.ppo_max_token_len_per_gpu": max(ppo.micro_tokens, length),
            "critic.grad_clip": ppo.max_grad_norm,
            **_optimizer(run, "critic"),
        }
    if ppo.lora is not None:
        targets = ppo.lora.targets if isinstance(ppo.lora.targets, str) else list(ppo.lora.targets)
        settings |= {
            "actor_rollout_ref.model.lora_rank": ppo.lora.rank,
            "actor_rollout_ref.model.lora_alpha": ppo.lora.alpha,
            "actor_rollout_ref.model.target_modules": targets,
            f"{rollout}.load_format": "safetensors",  # the trunk is not among what is sent over
        }
    return [f"{key}={_value(value)}" for key, value in settings.items()]


def _optimizer(run: Run, whose: str) -> dict[str, Any]:
    ppo = run.ppo
    return {
        f"{whose}.optim.lr": ppo.lr,
        f"{whose}.optim.lr_scheduler_type": "cosine",  # verl has no straight line
        f"{whose}.optim.min_lr_ratio": ppo.final_lr,
        f"{whose}.optim.lr_warmup_steps": ppo.warmup,
        f"{whose}.optim.betas": list(ppo.betas),
        f"{whose}.optim.weight_decay": ppo.weight_decay,
        f"{whose}.optim.clip_grad": ppo.max_grad_norm,
        f"{whose}.optim.override_optimizer_config": {"eps": ppo.adam_eps},
    }


def _value(value: Any) -> str:
    """A value in Hydra's grammar. Strings that it could read as something else are quoted."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        plain = value.replace("_", "").replace("-", "").isalnum()
        return value if plain else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, list):
        return "[" + ",".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_value(item)}" for key, item in value.items()) + "}"
    return repr(value)
