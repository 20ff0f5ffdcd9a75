"""A family of sizes as stages: each size is pretrained, taught to imitate and trained by PPO, and both are measured.

All sizes share what does not go by size: the corpus, the tokenizer, the split, the tampers and comparisons of the loop,
the items, and the reward model. It is the study's own, from the checkpoint of its own model, as it reads the same
tokens: so all sizes are trained against one yardstick, and what differs between them is the policy's size alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from momus.study import discriminators, scaling, steps
from momus.study.config import OWN, SizeConfig, StudyConfig
from momus.study.graph import COMPUTE, Job, Stage, write_json
from momus.study.scaling import RL, SFT, Member

_TRAINED = ("pretrain", "scan")  # all before it imitates: the compute that a size is placed by


def stages(config: StudyConfig) -> list[Stage]:
    """The stages of all further sizes, and the one that sums them up; none without the section [scaling]."""
    if config.scaling is None:
        return []
    first, last = config.seeds[0], config.rounds
    found: list[Stage] = []
    members: list[Member] = []
    for size in config.scaling.sizes:
        mine = _one_size(_sized(config, size))
        names = {stage.name: f"scaling-{size.name}-{stage.name}" for stage in mine}
        found += [_renamed(stage, names) for stage in mine]
        measured = {SFT: names["measure-sft"], RL: names["measure-ppo"]}
        members.append(Member(size.name, tuple(names[name] for name in _TRAINED), measured))
    trained_here = config.start.pretrain is None and config.start.scan is None and not config.start.sft
    if trained_here and "ppo" in _policies(config):
        own = {SFT: f"measure-sft-{first}", RL: f"measure-ppo-{first}"}
        members.append(Member(OWN, _TRAINED, own))
    inputs = [name for member in members for name in (*member.trained, *member.measured.values())]
    return [
        *found,
        *_discriminators(config, members),
        Stage(
            "scaling",
            partial(scaling.scaling, config, members),
            (scaling.SCALING,),
            tuple(dict.fromkeys(("items", f"reward-{last}", f"measure-sft-{first}", *inputs))),
            {
                "measure": config.scaling.measure,
                "way": config.scaling.way,
                "sizes": [member.name for member in members],
                "rater": config.rate.rater,
                "seed": config.measure.seed,
                "draws": config.measure.draws,
            },
        ),
    ]


def _discriminators(config: StudyConfig, members: list[Member]) -> list[Stage]:
    """A discriminator of each size, from its pretrained checkpoint, and all of them over the items."""
    assert config.scaling is not None
    rounds = tuple(f"tamper-{n}" for n in steps.rounds(config))
    sizes = {member.name: f"scaling-{member.name}-discriminator" for member in members}
    critics = {policy: f"measure-{policy}-{config.seeds[0]}" for policy in _policies(config)}
    settings = {
        "discriminator": config.discriminator.model_dump(mode="json"),
        "functions": config.scaling.discriminator_functions,
        "seed": config.seed,
    }
    return [
        *(
            Stage(
                sizes[member.name],
                steps.seeded(config.seed, partial(discriminators.discriminator, config, member.trained[0])),
                discriminators.SEEN,
                (member.trained[0], "split", *rounds, "items"),
                settings,
            )
            for member in members
        ),
        Stage(
            "discriminators",
            partial(discriminators.discriminators, config, sizes, critics),
            (discriminators.DISCRIMINATORS,),
            ("items", *sizes.values(), *critics.values()),
            {"way": config.scaling.way, "seed": config.measure.seed, "draws": config.measure.draws},
        ),
    ]


def _policies(config: StudyConfig) -> tuple[str, ...]:
    """The study's own policies that are measured in the way of the family."""
    assert config.scaling is not None
    both = config.scaling.way == "policy" or "rl-no-fsbs" in config.variants
    return ("sft", "ppo") if both else ("sft",)


def _sized(config: StudyConfig, size: SizeConfig) -> StudyConfig:
    """The study as if its own model were of this size, trained from scratch."""
    pretrain = config.pretrain
    if size.pretrain_tokens is not None:
        pretrain = pretrain.model_copy(
            update={"optim": pretrain.optim.model_copy(update={"tokens": size.pretrain_tokens})}
        )
    start = config.start.model_copy(update={"pretrain": None, "scan": None, "sft": ()})
    update = {"model": size.model(config.model), "pretrain": pretrain, "start": start, "seeds": config.seeds[:1]}
    return config.model_copy(update=update)


def _one_size(config: StudyConfig) -> list[Stage]:
    """The first seed's stages of one size, under the names of a study, but for `ppo`, `bundle-*` and `measure-*`."""
    assert config.scaling is not None
    sft = f"sft-{config.seeds[0]}"
    trained = [stage for stage in steps.to_sft(config) if stage.name in ("pretrain", "scan", sft)]
    rounds = steps.rounds(config)
    return [
        *(replace(stage, run=partial(_counted, stage.run)) for stage in trained),
        steps.ppo(config, "ppo", config.seeds[0], str(config.rounds), rounds),
        steps.bundle(config, "bundle-sft", sft),
        steps.bundle(config, "bundle-ppo", "ppo"),
        steps.measure(config, "sft", (config.scaling.way,)),
        steps.measure(config, "ppo", (config.scaling.way,)),
    ]


def _renamed(stage: Stage, names: Mapping[str, str]) -> Stage:
    """The stage under its new name, which runs as if it and what it needs still had the old ones."""
    inputs = tuple(names.get(name, name) for name in stage.inputs)

    def run(job: Job) -> bool:
        old = {name: job.inputs[names.get(name, name)] for name in stage.inputs}
        return stage.run(replace(job, inputs=old))

    return replace(stage, name=names[stage.name], run=run, inputs=inputs)


def _counted(run: Callable[[Job], bool], job: Job) -> bool:
    """A training stage that leaves beside its checkpoint what it has cost."""
    from momus.train.compute import compute_of

    if not run(job):
        return False
    write_json(job.folder / COMPUTE, compute_of(job.folder).to_json())
    return True
