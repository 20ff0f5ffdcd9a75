"""The last stages of a study: what its report needs beside the results, and the report itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from momus.corpus.build import file_hash
from momus.measure.report.source import EVIDENCE
from momus.records import GOLD
from momus.study import evidence, measuring
from momus.study.config import StudyConfig
from momus.study.critiques import Way
from momus.study.graph import Job, Stage

PAGE = "report.html"


def stages(config: StudyConfig, ways: Mapping[str, tuple[Way, ...]], more: tuple[str, ...]) -> list[Stage]:
    """`ways` are those in which the first seed's SFT and PPO are measured, `more` stages whose JSON is reported too.

    Raises MomusError where the file of natural bugs is missing.
    """
    first = config.seeds[0]
    natural = evidence.natural_file(config)
    names = measuring.baseline_names(config)
    baselines = tuple(measuring.file_of(name) for name in (*names, GOLD))
    about = {"natural": None if natural is None else file_hash(natural), "seed": config.measure.seed}
    written = {"fsbs": config.fsbs.model_dump(mode="json"), "temperature": config.sample.temperature}
    written |= {"samples": config.measure.samples, "seed": config.measure.seed}
    return [
        Stage(
            "report-items",
            partial(evidence.items, config),
            (measuring.ITEMS,),
            ("corpus",),
            about | {"limit": config.report.limit, "scattered": config.report.scattered},
        ),
        *(
            Stage(
                f"report-{policy}",
                partial(evidence.critiques, config, those),
                tuple(f"{way}.jsonl" for way in those),
                ("report-items", f"bundle-{policy}-{first}", f"measure-{policy}-{first}"),
                {"ways": list(those)} | written,
            )
            for policy, those in ways.items()
        ),
        Stage(
            "report-baselines",
            partial(evidence.baselines, config),
            baselines,
            ("report-items", f"bundle-sft-{first}"),
            {"critics": list(names), "seed": config.measure.seed},
        ),
        Stage(
            EVIDENCE,
            partial(evidence.evidence, config, ways),
            evidence.FILES,
            (
                *("items", "report-items", "measure-baselines", "report-baselines", "results", *more),
                *(name for policy in ways for name in (f"report-{policy}", f"measure-{policy}-{first}")),
            ),
            {
                "raters": list(config.report.raters),
                "untampered": config.rate.untampered,
                "seed": config.measure.seed,
                "draws": config.measure.draws,
            },
        ),
        Stage("report", partial(page, config), (PAGE,), (EVIDENCE,), {"draws": config.measure.draws}),
    ]


def page(config: StudyConfig, job: Job) -> bool:
    """One page with every figure that the study has data for."""
    from momus.measure.report import write_report

    written = write_report(
        job.inputs[EVIDENCE].parent,
        job.folder / PAGE,
        command=f"momus study {config.name}.toml",
        draws=config.measure.draws,
        seed=config.measure.seed,
    )
    for heading, why in written.missing:
        job.say(f"{heading}: no data: {why}")
    return True
