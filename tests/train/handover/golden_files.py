"""What a run becomes for each engine, kept in golden/. `python tests/train/handover/golden_files.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

GOLDEN = Path(__file__).with_name("golden")
FLAVOURS = ("gae", "rloo", "lora")


def made(engine: str, flavour: str) -> dict[str, str]:
    """The files of the tiny run for an engine."""
    from tiny_handover import PPO, tiny_run

    from momus.train.handover.export import files_of
    from momus.train.ppo.config import LoraConfig

    changes = {
        "gae": {},
        "rloo": {"estimator": "rloo", "value_clip": None},
        "lora": {"lora": LoraConfig(targets=("q_proj", "v_proj"))},
    }
    return files_of(tiny_run(PPO.model_copy(update=changes[flavour])), engine)  # type: ignore[arg-type]


def kept() -> dict[str, tuple[str, str, str]]:
    """Name in golden/ -> engine, flavour and file that it holds. What the flavours share is kept once."""
    found = {}
    for engine, settings in (("verl", "overrides.txt"), ("openrlhf", "arguments.txt")):
        for name in ("prompts.jsonl", "reward.py", "run.sh"):
            found[f"{engine}/{name}"] = (engine, "gae", name)
        for flavour in FLAVOURS:
            found[f"{engine}/{flavour}-{settings}"] = (engine, flavour, settings)
    return found


if __name__ == "__main__":
    for path, (engine, flavour, name) in kept().items():
        (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / path).write_text(made(engine, flavour)[name], encoding="utf-8")
