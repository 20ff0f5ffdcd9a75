"""What is watched while PPO runs: metrics (and TensorBoard where it is installed), and bugs found on held-out tampers.

The reward model is what the policy learns to please. Whether it finds more bugs is another question, and is asked of
tampers that nothing was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from momus.decode import from_json
from momus.errors import MomusError
from momus.match import judge
from momus.models.protocol import Codec
from momus.records import Tamper
from momus.train.ppo.policy_value import PolicyValue
from momus.train.ppo.requests import requests_of
from momus.train.ppo.rollout import Sampler, luck, roll_out

Watch = Callable[[PolicyValue, Codec], Mapping[str, float]]


def held_out(tampers: Sequence[Tamper], *, max_new: int, temperature: float, max_prompt: int, seed: int = 0) -> Watch:
    """A look at held-out tampers: one critique each, always drawn with the same luck.

    `cbi` is the share of bugs whose place and category a critique names (critique-bug inclusion, by code, not by
    people); `place` asks only for the place, `comments` is how many there are. Raises MomusError where no tamper has a
    bug with a place, or none fits.
    """
    asked = [tamper for tamper in tampers if tamper.bugs]

    def look(policy: PolicyValue, codec: Codec) -> Mapping[str, float]:
        pairs = []
        for tamper in asked:
            try:
                pairs.append((tamper, requests_of([tamper.task], codec, max_prompt)[0]))
            except MomusError:
                continue
        if not pairs:
            raise MomusError("no held-out tamper fits; give shorter ones, or a larger max_prompt")
        sampler = Sampler(max_new, temperature, codec.pad, codec.end)
        prompts = [(i, request.tokens) for i, (_, request) in enumerate(pairs)]

        def forced(i: int, tokens: Sequence[int]) -> list[int]:
            return codec.forced(tokens, pairs[i][1].answer)

        episodes = roll_out(policy, prompts, 1, sampler, luck(seed, 0, 0, len(prompts), max_new), forced)
        named, placed, comments = [], [], []
        for (tamper, request), episode in zip(pairs, episodes, strict=True):
            critique = codec.read(episode.tokens, request.answer).critique
            comments.append(float(len(critique)))
            for bug in tamper.bugs:
                verdicts = [judge(comment, bug, tamper.task.answer, tamper.twin) for comment in critique]
                placed.append(float(any(v.place for v in verdicts)))
                named.append(float(any(v.category for v in verdicts)))
        return {"cbi": fmean(named), "place": fmean(placed), "held_out_comments": fmean(comments)}

    if not asked:
        raise MomusError("no held-out tamper has a bug with a place; give tampers with bugs to --watch")
    return look


class Log:
    """`metrics.jsonl`, a line a step, written as it happens; and TensorBoard."""

    def __init__(self, out: Path, step: int) -> None:
        """Go on after `step`: what was measured later is measured again."""
        self.path = out / "metrics.jsonl"
        if self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if line.endswith("\n") and from_json(line)["step"] <= step]
            partial = self.path.with_name("metrics.jsonl.partial")
            partial.write_text("".join(kept) if step else "", encoding="utf-8")
            partial.replace(self.path)
        self.board = _board(out / "tensorboard", step)

    def write(self, line: Mapping[str, float]) -> None:
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({name: _short(value) for name, value in line.items()}) + "\n")
        if self.board is not None:
            for name, value in line.items():
                self.board.add_scalar(f"ppo/{name}", value, int(line["step"]))
            self.board.flush()


def _short(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.6g}")


def _board(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
