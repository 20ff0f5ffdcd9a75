"""A study's TOML as stages: which there are, what each builds on, and which settings decide it."""

from __future__ import annotations

from functools import partial

from momus.corpus.build import file_hash
from momus.errors import MomusError
from momus.records import GOLD
from momus.study import family, loop, measuring, report, steps
from momus.study.config import StudyConfig
from momus.study.critiques import Way
from momus.study.graph import Stage


def plan(config: StudyConfig) -> list[Stage]:
    """All stages of a study. Raises MomusError where a file that it names is missing."""
    sizes = family.stages(config)
    # What a policy writes by itself is no critic that a reader would use, and stands in no comparison.
    ways = {p: tuple(way for way in _ways(config, p, config.seeds[0]) if way != "policy") for p in ("sft", "ppo")}
    summed = tuple(stage.name for stage in sizes if stage.name in ("scaling", "discriminators"))
    reported = report.stages(config, ways, summed)
    return [*steps.to_sft(config), *_loop(config), *_measuring(config), *sizes, *reported]


def _loop(config: StudyConfig) -> list[Stage]:
    """Every round: the newest policy of the first seed is the adversary and is sampled. The reward model and PPO begin
    anew from SFT, with the comparisons of all rounds so far. The last round's PPO is run for every seed."""
    first, last, sections = config.seeds[0], config.rounds, steps.dumped(config)
    stages: list[Stage] = []
    for n in steps.rounds(config):
        newest = f"sft-{first}" if n == 1 else f"ppo-{n - 1}-{first}"
        stages.append(steps.bundle(config, f"critic-{n}", newest))
        adversary = (f"critic-{n}",) if n > 1 and config.tamper.adversarial else ()
        stages += [
            Stage(
                f"tamper-{n}",
                partial(loop.tamper, config, n),
                ("tampers.jsonl",),
                ("split", *adversary),
                {"tamper": sections["tamper"], "seed": config.seed}
                | (
                    {"temperature": config.sample.temperature, "max_tokens": config.fsbs.max_tokens}
                    if adversary
                    else {}
                ),
            ),
            steps.sample(config, str(n), f"critic-{n}", (f"tamper-{n}",)),
            steps.rate(config, str(n), (f"tamper-{n}",)),
            steps.reward(config, str(n), steps.rounds(config)[:n]),
        ]
        for seed in config.seeds if n == last else (first,):
            stages.append(steps.ppo(config, f"ppo-{n}-{seed}", seed, str(n), steps.rounds(config)[:n]))
    tampers = tuple(f"tamper-{n}" for n in steps.rounds(config))
    if "rloo" in config.variants:
        stages.append(steps.ppo(config, "ppo-rloo", first, str(last), steps.rounds(config), rloo=True))
    if "no-tampered" in config.variants:
        stages += [
            steps.sample(config, "no-tampered", f"critic-{last}", tampers, tampered=False),
            steps.rate(config, "no-tampered", tampers, tampered=False),
            steps.reward(config, "no-tampered", ("no-tampered",)),
            steps.ppo(config, "ppo-no-tampered", first, "no-tampered", ("no-tampered",)),
        ]
    return stages


def _measuring(config: StudyConfig) -> list[Stage]:
    first, last = config.seeds[0], config.rounds
    sections, variants = steps.dumped(config), config.variants
    tasks = config.measure.tasks
    if tasks is not None and not tasks.is_file():
        raise MomusError(f"there is no {tasks}, which measure.tasks names: mend the path, or leave it out")
    about = {name: sections["measure"].get(name) for name in ("limit", "dev", "seed")}
    stages = [
        Stage(
            "items",
            partial(measuring.items, config),
            (measuring.ITEMS, measuring.DEV),
            ("corpus",),
            about | {"tasks": None if tasks is None else file_hash(tasks)},
        )
    ]
    policies: list[tuple[str, str, int, str]] = []  # arm, checkpoint, seed, reward model
    policies += [("sft", f"sft-{seed}", seed, f"reward-{last}") for seed in config.seeds]
    policies += [("ppo", f"ppo-{last}-{seed}", seed, f"reward-{last}") for seed in config.seeds]
    if "rloo" in variants:
        policies.append(("rloo", "ppo-rloo", first, f"reward-{last}"))
    if "no-tampered" in variants:
        policies.append(("no-tampered", "ppo-no-tampered", first, "reward-no-tampered"))
    measured: dict[str, tuple[str, int, tuple[Way, ...]]] = {}
    for arm, checkpoint, seed, reward in policies:
        name = f"{arm}-{seed}" if arm in ("sft", "ppo") else arm
        ways = _ways(config, arm, seed)
        stages += [
            steps.bundle(config, f"bundle-{name}", checkpoint, reward, dial=name == f"ppo-{first}"),
            steps.measure(config, name, ways),
        ]
        measured[f"measure-{name}"] = (arm, seed, ways)
    names = measuring.baseline_names(config)
    stages += [
        Stage(
            "measure-baselines",
            partial(measuring.baselines, config),
            tuple(measuring.file_of(name) for name in (*names, GOLD)),
            ("items", f"bundle-sft-{first}"),
            {"critics": list(names), "seed": config.measure.seed},
        ),
        Stage(
            "results",
            partial(measuring.report, config, measured),
            (measuring.RESULTS, measuring.TABLE, measuring.PICTURE),
            ("items", f"reward-{last}", *measured, "measure-baselines"),
            {"study": config.model_dump(mode="json")},
        ),
    ]
    return stages


def _ways(config: StudyConfig, arm: str, seed: int) -> tuple[Way, ...]:
    """How a policy's critiques are measured; what is not SFT or PPO itself, at the first seed only."""
    variants, first = config.variants, seed == config.seeds[0]
    if arm == "sft":
        ways: list[Way] = ["gate", "policy"]
        ways += ["fsbs"] if "fsbs-no-rl" in variants and first else []
        ways += ["best"] if "no-rm" in variants and first else []
        return tuple(ways)
    if arm == "ppo" and "rl-no-fsbs" not in variants:
        return ("policy", "fsbs")
    return ("gate", "policy", "fsbs")
