"""The loop of PPO: critiques are written, scored, held against the reference, and learned from.

Several processes: `torchrun --nproc_per_node 2 -m momus train ppo ...`. Each writes other critiques; counts of tokens,
means and gradients are over all of them, so that the split is not felt. What is simple on purpose: one optimiser over
one module, one pass of Transformers for everything, no queue between writing and learning.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from momus.errors import MissingExtra, MomusError
from momus.train.policy import Policy
from momus.train.ppo.advantages import ESTIMATORS, Experience, above_others, whiten
from momus.train.ppo.config import PPOConfig
from momus.train.ppo.kl import KL_ESTIMATORS, Adaptive, Controller, Fixed
from momus.train.ppo.layout import Episode, Packed, grouped, micro_batches, pack
from momus.train.ppo.losses import PolicyTerms, ValueTerms, explained_variance, mean_entropy, policy_loss, value_loss
from momus.train.ppo.policy_value import PolicyValue, frozen_copy, weights_hash
from momus.train.ppo.requests import Request, requests_hash
from momus.train.ppo.rewards import ended, penalised, token_rewards
from momus.train.ppo.rollout import Sampler, luck, roll_out
from momus.train.ppo.scoring import Scores
from momus.train.ppo.state import Identity, State, load_state, save_state, write_checkpoint
from momus.train.ppo.watch import Log, Watch


@dataclass(frozen=True, slots=True)
class Rollout:
    """A step's episodes of this process, by group, and what is known of each chosen token [episodes, tokens]."""

    episodes: list[Episode]
    mask: Tensor
    old_logprobs: Tensor
    old_values: Tensor
    advantages: Tensor
    returns: Tensor


class Trainer:
    """One run. `train` takes it to its end, or as far as the time goes."""

    def __init__(
        self, policy: Policy, scores: Scores, requests: Sequence[Request], config: PPOConfig, out: Path, *, seed: int
    ) -> None:
        self.policy, self.scores, self.requests, self.config, self.out = policy, scores, requests, config, out
        self.seed = seed
        self.accelerator = _accelerator()
        self.rank, self.world = self.accelerator.process_index, self.accelerator.num_processes
        if (config.rollouts // config.per_prompt // config.minibatches) % self.world:
            raise MomusError(
                f"{config.rollouts} rollouts in groups of {config.per_prompt} cannot be shared by {self.world} "
                f"processes in {config.minibatches} minibatches; change rollouts in [ppo]"
            )
        self.device: torch.device = self.accelerator.device
        self.codec = policy.codec
        policy.model.to(self.device)
        self.identity = Identity(
            config.model_dump(mode="json"),
            seed,
            self.world,
            weights_hash(policy.model.named_parameters()),
            requests_hash(requests),
        )
        self.reference = None if config.lora else frozen_copy(policy.model)
        value = "none" if config.estimator == "rloo" else config.value
        torch.manual_seed(seed)  # adapters begin at random
        self.model = PolicyValue(policy.model, value=value, lora=config.lora, bf16=config.bf16)
        if self.reference is not None:
            self.reference.bf16 = config.bf16
        self.names = [name for name, param in self.model.named_parameters() if param.requires_grad]
        optimizer = torch.optim.AdamW(
            list(self._parameters()),
            lr=config.lr,
            betas=config.betas,
            eps=config.adam_eps,
            weight_decay=config.weight_decay,
        )
        out.mkdir(parents=True, exist_ok=True)
        self.step, self.controller = self._resume(optimizer)
        self.wrapped, self.optimizer = self.accelerator.prepare(self.model, optimizer)
        self.seconds: dict[str, float] = {}

    def train(self, *, minutes: float | None = None, watch: Watch | None = None) -> bool:
        """True once the trained policy stands in `out`; False where `minutes` were up before, with a checkpoint.

        Raises MomusError where a loss is no number any more, or a checkpoint cannot be written.
        """
        if self.step >= self.config.steps and (self.out / "config.json").is_file():
            return True
        began = time.monotonic()
        log = Log(self.out, self.step) if self.rank == 0 else None
        if log is not None and watch is not None and self.step == 0:
            log.write({"step": 0, **watch(self.model, self.codec)})
        while self.step < self.config.steps:
            line = self.one_step()
            last = self.step == self.config.steps
            stop = self._any(minutes is not None and time.monotonic() - began > minutes * 60)
            if log is not None:
                if watch is not None and (last or self.step % self.config.watch_every == 0):
                    line |= watch(self.model, self.codec)
                log.write(line)
            if last or stop or self.step % self.config.save_every == 0:
                self.save()
            if stop and not last:
                return False
        if self.rank == 0:
            write_checkpoint(self.policy, self.model, self.out)
        self.accelerator.wait_for_everyone()
        return True

    def _parameters(self) -> Iterator[dict[str, Any]]:
        """What learns, by how many times the policy's rate it does.

        The value's head begins at zero: at the policy's rate it would hardly have left it when the policy is done.
        """
        head = list(self.model.value_head.parameters()) if self.model.value != "none" else []
        known = set(map(id, head))
        rest = [param for param in self.model.parameters() if param.requires_grad and id(param) not in known]
        yield {"params": rest, "times": 1.0}
        if head:
            yield {"params": head, "times": self.config.value_lr / self.config.lr}

    def one_step(self) -> dict[str, float]:
        """Write, score, learn; what was measured. `step` counts it as done."""
        self.seconds = {}
        rollout, line = self.collect()
        line |= self.learn(rollout)
        episodes = self.config.rollouts
        self.controller = self.controller.after(line["kl"], episodes)
        self.step += 1
        seconds = {f"cpu_s_{phase}": spent for phase, spent in self.seconds.items()}
        return {"step": self.step, "episodes": self.step * episodes, **line, **seconds}

    def collect(self) -> tuple[Rollout, dict[str, float]]:
        """A step's critiques, with their rewards and advantages, by the policy as it is now."""
        config = self.config
        with _Timed(self.seconds, "generate"):
            episodes = self.draw()
        with _Timed(self.seconds, "score"):
            scores = self.scores(episodes).float()
        if self._any(not bool(torch.isfinite(scores).all())):
            raise MomusError(f"the reward model's scores of step {self.step + 1} are no numbers; {self._stands()}")
        has_end = torch.tensor([ended(episode.tokens, self.codec.end) for episode in episodes])
        read = [self.codec.read(e.tokens, self.requests[e.task].answer) for e in episodes]
        unanchored = torch.tensor([written.unanchored for written in read])
        mask = mask_of(episodes)
        with _Timed(self.seconds, "old"):
            old, values, entropy = self.evaluate(self.model, episodes, mask, entropy=True)
        with _Timed(self.seconds, "reference"):
            if self.reference is not None:
                reference, *_ = self.evaluate(self.reference, episodes, mask)
            else:
                with self.model.as_reference() as base:
                    reference, *_ = self.evaluate(base, episodes, mask)
        kl = KL_ESTIMATORS[config.kl.estimator](old, reference).masked_fill(~mask, 0.0)
        shaped = penalised(scores, has_end, unanchored, config.missing_end, config.unanchored)
        rewards = token_rewards(shaped, kl, mask, self.controller.coefficient)
        line = self._means(
            reward=rewards.sum(1),
            score=scores,
            kl=kl.sum(1),
            entropy=entropy.sum(1) / mask.sum(1),
            length=torch.tensor([len(episode.tokens) for episode in episodes]),
            ended=has_end,
            unanchored=unanchored,
            comments=torch.tensor([len(written.critique) for written in read]),
            silent=torch.tensor([len(written.critique) == 0 for written in read]),
        )
        group = torch.tensor([episode.group for episode in episodes])
        if config.baseline == "group":
            rewards = token_rewards(above_others(shaped, group), kl, mask, self.controller.coefficient)
        if config.whiten_rewards:
            rewards = whiten(rewards, mask, self._sum, keep_mean=True)
        estimate = ESTIMATORS[config.estimator](Experience(rewards, values, mask, group), config.gamma, config.lam)
        advantages = estimate.advantages
        if config.estimator == "gae":
            advantages = whiten(advantages, mask, self._sum)
            line["explained_variance"] = explained_variance(values, estimate.returns, mask, self._sum)
        line["kl_coefficient"] = self.controller.coefficient
        return Rollout(episodes, mask, old, values, advantages, estimate.returns), line

    def draw(self) -> list[Episode]:
        """This process's critiques of the step."""
        config = self.config
        groups = config.rollouts // config.per_prompt
        mine = range(self.rank * groups // self.world, (self.rank + 1) * groups // self.world)
        tasks = [self._task(self.step * groups + g) for g in mine]
        prompts = [(task, self.requests[task].tokens) for task in tasks]
        sampler = Sampler(config.max_new, config.temperature, self.codec.pad, self.codec.end)
        numbers = luck(self.seed, self.step, self.rank, len(prompts) * config.per_prompt, config.max_new)

        def forced(task: int, tokens: Sequence[int]) -> list[int]:
            return self.codec.forced(tokens, self.requests[task].answer)

        return roll_out(self.model, prompts, config.per_prompt, sampler, numbers, forced)

    @torch.no_grad()
    def evaluate(
        self, model: PolicyValue, episodes: Sequence[Episode], mask: Tensor, *, entropy: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Log-probabilities, values and entropies [episodes, tokens] of what was written; 0 in the padding."""
        columns = (torch.zeros(mask.shape), torch.zeros(mask.shape), torch.zeros(mask.shape))
        for rows, packed in self._packed(model, episodes):
            found = model(packed, self.config.temperature, entropy)
            where = (torch.tensor(rows)[packed.episode.cpu()], packed.place.cpu())
            for column, flat in zip(columns, (found.logprobs, found.values, found.entropy), strict=True):
                column[where] = flat.cpu()
        return columns

    def learn(self, rollout: Rollout) -> dict[str, float]:
        """`epochs` passes over a rollout. Returns means over them; `first_ratio` is |ratio - 1| before any update."""
        config = self.config
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate(self.step) * group["times"]
        groups = grouped(rollout.episodes)
        size = len(groups) // config.minibatches
        total: dict[str, float] = {}
        updates, first = 0, 0.0
        with _Timed(self.seconds, "learn"):
            for epoch in range(config.epochs):
                order = np.random.default_rng((self.seed, self.step, self.rank, 2, epoch)).permutation(len(groups))
                for start in range(0, len(groups), size):
                    chosen = sorted(order[start : start + size].tolist())
                    found = self.update(rollout, [episode for g in chosen for episode in groups[g]])
                    first = found["max_ratio"] if updates == 0 else first
                    updates += 1
                    for name, value in found.items():
                        total[name] = total.get(name, 0.0) + value
        return {
            **{n: v / updates for n, v in total.items()},
            "first_ratio": first,
            "lr": config.learning_rate(self.step),
        }

    def update(self, rollout: Rollout, episodes: Sequence[Episode]) -> dict[str, float]:
        """One step of the optimiser on some of a rollout's episodes; gradients accumulate over micro-batches."""
        config = self.config
        number = {id(episode): i for i, episode in enumerate(rollout.episodes)}
        tokens = float(self._sum(torch.tensor(float(sum(len(e.choices) for e in episodes)), dtype=torch.float64)))
        sums = torch.zeros(4, dtype=torch.float64)
        widest = 0.0
        parts = list(self._packed(self.model, episodes))
        for i, (rows, packed) in enumerate(parts):
            of = torch.tensor([number[id(episodes[row])] for row in rows])[packed.episode.cpu()]
            where = (of, packed.place.cpu())
            with nullcontext() if i == len(parts) - 1 else self.accelerator.no_sync(self.wrapped):
                found = self.wrapped(packed, config.temperature, config.entropy_weight > 0)
                valid = torch.ones_like(found.logprobs, dtype=torch.bool)  # flat: padding was never computed
                old, advantages = rollout.old_logprobs[where], rollout.advantages[where]
                terms = PolicyTerms(found.logprobs, old.to(self.device), advantages.to(self.device), valid)
                loss = policy_loss(terms, config.clip, tokens)
                objective = loss.loss
                if config.entropy_weight:
                    objective = objective - config.entropy_weight * mean_entropy(found.entropy, valid, tokens)
                value = torch.zeros((), device=self.device)
                if self.model.value != "none":
                    told, returns = rollout.old_values[where].to(self.device), rollout.returns[where].to(self.device)
                    value = value_loss(ValueTerms(found.values, told, returns, valid), config.value_clip, tokens)
                    objective = objective + config.value_weight * value
                # gradients are averaged over processes, and every loss is a share of the whole
                (objective * self.world).backward()
            shares = [loss.loss, value, loss.clip_fraction, loss.approx_kl]
            sums += torch.stack([share.detach().double().cpu() for share in shares])
            widest = max(widest, float(loss.max_ratio))
        norm = float(self.accelerator.clip_grad_norm_(self.wrapped.parameters(), config.max_grad_norm))
        sums = self._sum(sums)
        names = ("policy_loss", "value_loss", "clip_fraction", "approx_kl")
        line = dict(zip(names, sums.tolist(), strict=True))
        if not (math.isfinite(norm) and all(map(math.isfinite, line.values()))):
            said = ", ".join(f"{n} {v:.4g}" for n, v in {**line, "gradient": norm}.items())
            raise MomusError(f"the loss of step {self.step + 1} is no number any more ({said}); {self._stands()}")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {**line, "max_ratio": widest, "grad_norm": norm}

    def save(self) -> None:
        """Write the checkpoint, by the first process; the others wait."""
        if self.rank == 0:
            params = dict(self.model.named_parameters())
            weights = {name: params[name].detach() for name in self.names}
            optimizer = self.optimizer.state_dict()
            state = State(self.step, weights, optimizer, self.controller.coefficient)
            save_state(self.out / "state.pt", state, self.identity)
        self.accelerator.wait_for_everyone()

    def _resume(self, optimizer: torch.optim.Optimizer) -> tuple[int, Controller]:
        config = self.config.kl
        state = load_state(self.out / "state.pt", self.identity)
        coefficient = config.coefficient if state is None else state.coefficient
        adaptive = config.controller == "adaptive"
        controller = Adaptive(coefficient, config.target, config.horizon) if adaptive else Fixed(coefficient)
        if state is None:
            return 0, controller
        params = dict(self.model.named_parameters())
        with torch.no_grad():
            for name in self.names:
                params[name].copy_(state.weights[name])
        optimizer.load_state_dict(state.optimizer)
        return state.step, controller

    def _packed(self, model: PolicyValue, episodes: Sequence[Episode]) -> list[tuple[list[int], Packed]]:
        """Micro-batches of episodes: which of them, in the order of the pack, and the pack."""
        groups = grouped(episodes)
        number = {id(episode): i for i, episode in enumerate(episodes)}
        made = []
        for batch in micro_batches(groups, self.config.micro_tokens, share=model.share):
            rows = [number[id(episode)] for g in batch for episode in groups[g]]
            made.append((rows, pack([groups[g] for g in batch], self.codec.pad, share=model.share).to(self.device)))
        return made

    def _task(self, drawn: int) -> int:
        """The request that comes as number `drawn` of the run: each once, then again in another order."""
        epoch, place = divmod(drawn, len(self.requests))
        return int(np.random.default_rng((self.seed, 3, epoch)).permutation(len(self.requests))[place])

    def _sum(self, tensor: Tensor) -> Tensor:
        if self.world == 1:
            return tensor
        reduced: Tensor = self.accelerator.reduce(tensor.to(self.device), "sum")
        return reduced.cpu()

    def _any(self, here: bool) -> bool:
        return bool(self._sum(torch.tensor(float(here))) > 0)

    def _means(self, **columns: Tensor) -> dict[str, float]:
        sums = torch.stack([column.double().sum() for column in columns.values()])
        return dict(zip(columns, (self._sum(sums) / self.config.rollouts).tolist(), strict=True))

    def _stands(self) -> str:
        path = self.out / "state.pt"
        kept = f"the last good checkpoint stands in {path}" if path.exists() else "no checkpoint was written yet"
        return f"{kept}: go on with a new --out and a lower lr, or look at the reward model"


class _Timed:
    """Adds the CPU-seconds of a phase."""

    def __init__(self, seconds: dict[str, float], phase: str) -> None:
        self.seconds, self.phase = seconds, phase

    def __enter__(self) -> None:
        self.began = time.process_time()

    def __exit__(self, *error: object) -> None:
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + time.process_time() - self.began


def mask_of(episodes: Sequence[Episode]) -> Tensor:
    """Which places of [episodes, tokens] hold a token that was chosen."""
    lengths = torch.tensor([len(episode.choices) for episode in episodes])
    return torch.arange(int(lengths.max()))[None] < lengths[:, None]


def _accelerator() -> Any:
    """Raises MomusError where accelerate sees other processes than the launcher started: it would train alone."""
    try:
        from accelerate import Accelerator
    except ImportError:
        raise MissingExtra("PPO", "train") from None
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if accelerator.num_processes != launched:
        raise MomusError(
            f"accelerate runs {accelerator.num_processes} processes where {launched} were launched; "
            "start them with: ACCELERATE_USE_CPU=true torchrun --nproc_per_node N -m momus train ppo"
        )
    return accelerator
