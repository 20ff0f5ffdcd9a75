"""The reward of a critique, for verl 0.9; written by `momus train export --to verl`.

Needs Momus beside verl, without its dependencies: pip install --no-deps momus
"""

from momus.train.handover.scoring import Reward

REWARD = Reward(reward_model='/runs/reward', mean=0.25, std=2.0, end='<|eot|>', max_new=32, missing_end=1.0, unanchored=1.0)


def compute_score(data_source, solution_str, ground_truth, extra_info, **given):
    return REWARD.verl(
        solution_str,
        ground_truth,
        extra_info["request"],
        given.get("reward_router_address"),
        given.get("reward_model_tokenizer"),
    )
