"""What was handed over, against verl itself: `python check_verl.py FOLDER...`, in an environment of its own.

Composes verl's tree with the overrides, validates it, reads the prompts by verl's own dataset, and has verl load the
reward function and score a critique through a server. Nothing is trained: that wants GPUs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


def serve() -> tuple[str, list[dict[str, Any]]]:
    """A stand-in for verl's router: scores every text 1.25, and keeps what it was asked."""
    asked: list[dict[str, Any]] = []

    class Router(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps({"data": [{"probs": [1.25]}]}).encode()
            self.send_response(200 if self.path == "/classify" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Router)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}", asked


def check(folder: Path) -> None:
    import verl
    from hydra import compose, initialize_config_dir
    from transformers import AutoModelForTokenClassification, AutoTokenizer
    from verl.experimental.reward_loop.reward_loop import migrate_legacy_reward_impl
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config
    from verl.utils.dataset.rl_dataset import RLHFDataset

    overrides = (folder / "overrides.txt").read_text(encoding="utf-8").splitlines()
    with initialize_config_dir(str(Path(verl.__file__).parent / "trainer" / "config"), version_base=None):
        config = migrate_legacy_reward_impl(compose("ppo_trainer", overrides=overrides))
    critic = need_critic(config)
    assert critic == (config.algorithm.adv_estimator == "gae")
    assert need_reference_policy(config), "the KL needs a reference"
    validate_config(config, use_reference_policy=True, use_critic=critic)

    tokenizer = AutoTokenizer.from_pretrained(config.actor_rollout_ref.model.path)
    data = RLHFDataset(config.data.train_files, tokenizer, config.data)
    assert len(data) >= config.data.train_batch_size
    for i in range(len(data)):
        row = data[i]
        options = dict(config.data.apply_chat_template_kwargs)
        text = tokenizer.apply_chat_template(row["raw_prompt"], add_generation_prompt=True, tokenize=False, **options)
        assert text == row["extra_info"]["request"], "verl would ask something else than momus train ppo"
        assert len(tokenizer.encode(text, add_special_tokens=False)) <= config.data.max_prompt_length
    if critic:
        begun, unknown = AutoModelForTokenClassification.from_pretrained(
            config.critic.model.path, num_labels=1, output_loading_info=True
        )
        # a head for tokens has a bias besides, which begins at zero
        assert set(unknown["missing_keys"]) <= {"score.bias"}, "the value net would not begin as the reward model"
        assert not begun.score.bias.any()

    from verl.trainer.ppo.reward import get_custom_reward_fn

    score = get_custom_reward_fn(config)
    assert score is not None and not asyncio.iscoroutinefunction(score)
    router, asked = serve()
    answer = data[0]["reward_model"]["ground_truth"]
    critique = "```python\nnowhere\n```\nNo."
    given = {"reward_router_address": router, "reward_model_tokenizer": tokenizer}
    extra = data[0]["extra_info"]
    found = score(data_source="demo", solution_str=critique, ground_truth=answer, extra_info=extra, **given)
    assert found["score"] == (1.25 - 0.25) / 2.0 - 1.0, found
    assert asked[0]["input"] == extra["request"] + critique + tokenizer.eos_token
    assert asked[0]["model"] == config.reward.reward_model.model_path
    print(f"verl {verl.__version__}: {folder.name} composes and validates; prompts, value net and reward are as meant")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        check(Path(name))
