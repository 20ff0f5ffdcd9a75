"""Our arguments against OpenRLHF's own command line: `python check_openrlhf.py UNPACKED_WHEEL ARGUMENTS...`.

OpenRLHF cannot be imported without a GPU's libraries. Its command is a script, though: what follows its
`if __name__ == "__main__"` parses the arguments, checks them, and calls `train`. That much is run here, with a `train`
of our own.
"""

from __future__ import annotations

import argparse
import ast
import math
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any


def parsed_by_openrlhf(wheel: Path, arguments: list[str]) -> Any:
    """The settings as OpenRLHF would begin to train with. Ends the program on an argument that it does not know."""
    (script,) = wheel.rglob("openrlhf/cli/train_ppo_ray.py")
    package = script.parents[1]
    for name in ("openrlhf", "openrlhf.utils"):  # without what they import
        module = ModuleType(name)
        module.__path__ = [str(package.parent / name.replace(".", "/"))]
        sys.modules[name] = module
    main = ast.parse(script.read_text(encoding="utf-8")).body[-1]
    assert isinstance(main, ast.If)
    settings: list[Any] = []
    known = {"argparse": argparse, "datetime": datetime, "train": settings.append}
    sys.argv = ["train_ppo_ray", *arguments]
    exec(compile(ast.Module(main.body, type_ignores=[]), str(script), "exec"), known)
    return settings[0]


def check(wheel: Path, path: Path) -> None:
    arguments = path.read_text(encoding="utf-8").splitlines()
    found = parsed_by_openrlhf(wheel, arguments)
    gae = found.algo.advantage.estimator == "gae"
    policy = arguments[arguments.index("--actor.model_name_or_path") + 1]
    assert (found.critic.model_name_or_path not in (None, policy)) == gae, "the value net begins as the reward model"
    assert found.reward.remote_url[0].endswith("/reward.py") and len(found.reward.remote_url) == 1
    assert found.actor.num_nodes * found.actor.num_gpus_per_node == found.vllm.num_engines
    assert (found.actor.num_nodes, found.actor.num_gpus_per_node) == (found.ref.num_nodes, found.ref.num_gpus_per_node)
    assert found.algo.kl.init_coef > 0 and found.algo.kl.target is None
    assert found.reward.clip_range == [-1e6, 1e6] and found.vllm.enable_sleep
    assert math.isclose(found.actor.eps_clip_low_high[0], found.actor.eps_clip_low_high[1])
    assert found.rollout.n_samples_per_prompt * found.rollout.batch_size % found.train.batch_size == 0
    print(f"OpenRLHF parses and accepts {path.name}")


if __name__ == "__main__":
    wheel, names = Path(sys.argv[1]), sys.argv[2:]  # read before they are replaced
    for name in names:
        check(wheel, Path(name))
