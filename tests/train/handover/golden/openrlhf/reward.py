"""The reward of critiques, for OpenRLHF 0.11; written by `momus train export --to openrlhf`.

Needs Momus beside OpenRLHF, without its dependencies: pip install --no-deps momus
MOMUS_REWARD_DEVICE says where the reward model runs, such as cuda; a GPU that samples needs room for it.
"""

import os

from momus.train.handover.scoring import Loaded, Reward

REWARD = Reward(reward_model='/runs/reward', mean=0.25, std=2.0, end='<|eot|>', max_new=32, missing_end=1.0, unanchored=1.0)
RAW = Loaded(REWARD.reward_model, os.environ.get("MOMUS_REWARD_DEVICE", "cpu"))


def reward_func(queries, prompts, labels):
    return REWARD.openrlhf(queries, prompts, labels, RAW)
