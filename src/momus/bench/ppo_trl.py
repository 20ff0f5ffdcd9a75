"""The peer of `momus bench ppo`: TRL's PPOTrainer on the same weights and prompts. A script that needs no momus.

TRL dropped PPO after 1.12.0, so that this runs in whatever Python has that version.
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"


def contest(folder: Path) -> dict[str, Any]:
    """CPU-seconds of each step but the first."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models
    from trl.experimental.ppo import PPOConfig, PPOTrainer  # type: ignore[import-not-found, unused-ignore]

    torch.set_num_threads(1)
    peer: Any = transformers
    work = json.loads((folder / "work.json").read_text())
    vocabulary = {f"t{i}": i for i in range(work["vocab"])}
    tokenizer = peer.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="t2")), pad_token="t0", eos_token="t1"
    )
    tokenizer.padding_side = "left"
    ends: list[float] = []

    class Clock(peer.TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            ends.append(time.process_time())

    def opened(kind: str, name: str) -> Any:
        return getattr(peer, kind).from_pretrained(folder / name, dtype=torch.float32)

    prompts = json.loads((folder / "prompts.json").read_text())
    rows = [prompt for prompt in prompts for _ in range(work["per_prompt"])]
    trainer = PPOTrainer(
        args=PPOConfig(
            output_dir=str(folder / "trl"),
            per_device_train_batch_size=work["rollouts"],
            gradient_accumulation_steps=1,
            num_mini_batches=1,
            num_ppo_epochs=work["epochs"],
            total_episodes=work["rollouts"] * work["steps"],
            local_rollout_forward_batch_size=work["rollouts"],
            response_length=work["max_new"],
            stop_token="eos",
            temperature=1.0,
            missing_eos_penalty=1.0,
            num_sample_generations=0,
            learning_rate=1e-5,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
        processing_class=tokenizer,
        model=opened("Qwen3ForCausalLM", "policy"),
        ref_model=opened("Qwen3ForCausalLM", "policy"),
        reward_model=opened("Qwen3ForSequenceClassification", "reward"),
        value_model=opened("Qwen3ForSequenceClassification", "reward"),
        train_dataset=[{"input_ids": row} for row in rows * work["steps"]],  # a list: no hashing of data is timed
        eval_dataset=[{"input_ids": row} for row in rows],
        callbacks=[Clock()],
    )
    trainer.train()
    steps = [after - before for before, after in pairwise(ends)]
    if len(steps) != work["steps"] - 1:
        raise RuntimeError(f"TRL made {len(ends)} steps, not {work['steps']}")
    return {"cpu_s": steps}


if __name__ == "__main__":
    print(json.dumps(contest(Path(sys.argv[1]))))
