"""From checkpoints, tasks and settings to a folder for an engine."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from momus.decode import from_json
from momus.errors import MomusError
from momus.models.markdown import MarkdownCodec
from momus.train.handover import openrlhf, verl
from momus.train.handover.run import Engine, Run, ask_all, check
from momus.train.handover.scoring import Reward
from momus.train.policy import open_codec
from momus.train.ppo.config import PPOConfig
from momus.train.ppo.requests import read_tasks
from momus.train.reward.model import check_same_tokens

ENGINES: dict[Engine, ModuleType] = {"verl": verl, "openrlhf": openrlhf}

START = """\
#!/usr/bin/env bash
# Starts {engine} {version} on what stands beside this file; more settings may follow. Its environment needs Momus, as
# reward.py says.
set -eu
mapfile -t settings < "$(dirname "$0")/{settings}"
exec python -m {module} "${{settings[@]}}" "$@"
"""


def hand_over(
    engine: Engine,
    policy: Path,
    reward: Path,
    tasks: Sequence[Path],
    ppo: PPOConfig,
    out: Path,
    *,
    gpus: int = 1,
    nodes: int = 1,
    seed: int = 0,
) -> tuple[int, Counter[str]]:
    """Write the folder, whole or not at all; return how many requests are in it, and why others were left out.

    Of a task its id, source, question and answer are written, and nothing of its bugs. Raises MomusError where the
    policy is no model of text, the two do not belong together, or the settings have no equal in the engine.
    """
    out, policy, reward = out.resolve(), policy.resolve(), reward.resolve()
    if out.exists() and any(out.iterdir()) and not (out / "reward.py").is_file():
        raise MomusError(f"{out} holds something else than what was handed over; name a new folder")
    codec = _text_codec(policy, engine)
    mean, std = _scale(reward)
    check_same_tokens(codec, open_codec(reward), reward)
    context = _context(policy)
    longest = min(ppo.max_prompt, context - ppo.max_new)
    asked, left_out = ask_all(read_tasks(tasks), codec, longest)
    if not asked:
        raise MomusError("no task can be asked about: give other tasks, or a larger max_prompt in [ppo]")
    end = str(codec.tokenizer.decode([codec.end], skip_special_tokens=False))
    worth = Reward(str(reward), mean, std, end, ppo.max_new, ppo.missing_end, ppo.unanchored)
    run = Run(str(policy), str(out), worth, ppo, asked, gpus, nodes, seed)
    check(run, engine)
    _write(out, files_of(run, engine))
    return len(asked), left_out


def files_of(run: Run, engine: Engine) -> dict[str, str]:
    """The files of a run for an engine, by name."""
    writer = ENGINES[engine]
    start = START.format(engine=engine, version=writer.VERSION, settings=writer.SETTINGS, module=writer.STARTS)
    found: dict[str, str] = {**writer.files(run), "run.sh": start}
    return found


def _text_codec(policy: Path, engine: Engine) -> MarkdownCodec:
    if not (policy / "config.json").is_file():
        raise MomusError(f"no checkpoint in {policy}: name a folder of Hugging Face's, with its tokenizer")
    codec = open_codec(policy)
    if not isinstance(codec, MarkdownCodec):
        raise MomusError(
            f"{engine} trains models of text, and the one in {policy} speaks Momus's own tokens: "
            "train it with momus train ppo, or name a Hugging Face model of text"
        )
    if engine == "verl" and not getattr(codec.tokenizer, "chat_template", None):
        raise MomusError(f"verl asks in chat messages, and the tokenizer in {policy} has no chat template: add one")
    return codec


def _scale(reward: Path) -> tuple[float, float]:
    try:
        about = from_json((reward / "reward.json").read_text(encoding="utf-8"))
        mean, std = float(about["mean"]), float(about["std"])
    except (OSError, ValueError, KeyError, TypeError):
        raise MomusError(f"no reward model in {reward}: finish momus train reward first") from None
    return mean, std


def _context(policy: Path) -> int:
    try:
        return int(from_json((policy / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError):
        raise MomusError(
            f"{policy / 'config.json'} does not say how long a text may be: copy the model again"
        ) from None


def _write(out: Path, files: dict[str, str]) -> None:
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, text in files.items():
        (partial / name).write_text(text, encoding="utf-8")
    (partial / "run.sh").chmod(0o755)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
