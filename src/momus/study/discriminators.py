"""A discriminator of each size of the family, and what they say together (paper, Fig. 13 and section 7.7)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from momus.critics.recorded import Recorded
from momus.records import Sampled, read_jsonl
from momus.study.config import StudyConfig
from momus.study.graph import Job, write_json
from momus.study.measuring import ITEMS

DISCRIMINATORS = "discriminators.json"
SEEN = ("config.json", "model.safetensors", "tokenizer.json", "discriminator.json")


def discriminator(config: StudyConfig, pretrained: str, job: Job) -> bool:
    """One, from a size's pretrained checkpoint: on the loop's tampers, and on functions that it does not use."""
    from momus.train.discriminator.stage import discriminator as train

    assert config.scaling is not None
    return train(
        job.inputs[pretrained],
        job.folder,
        config=config.discriminator,
        tampers=[path / "tampers.jsonl" for name, path in job.inputs.items() if name.startswith("tamper-")],
        corpus=job.inputs["split"],
        functions=config.scaling.discriminator_functions,
        on=[job.inputs["items"] / ITEMS],
        seed=config.seed,
        minutes=job.minutes,
        say=job.say,
    )


def discriminators(config: StudyConfig, sizes: Mapping[str, str], critics: Mapping[str, str], job: Job) -> bool:
    """All sizes over the measured items; `sizes` and `critics` name their stages. Writes `discriminators.json`."""
    from momus.train.discriminator.compare import compare

    assert config.scaling is not None
    body = compare(
        [job.inputs[stage] for stage in sizes.values()],
        [job.inputs["items"] / ITEMS],
        critics=[_critic(name, job.inputs[stage] / f"{config.scaling.way}.jsonl") for name, stage in critics.items()],
        draws=config.measure.draws,
        seed=config.measure.seed,
    )
    write_json(job.folder / DISCRIMINATORS, _renamed(body, {stage: name for name, stage in sizes.items()}))
    return True


def _critic(name: str, path: Path) -> Recorded:
    return Recorded(name, (s.model_copy(update={"critic": name}) for s in read_jsonl(path, Sampled)))


def _renamed(body: Any, names: Mapping[str, str]) -> Any:
    """The same JSON, with the sizes' own names where stages stood, in keys as well."""
    if isinstance(body, dict):
        return {names.get(key, key): _renamed(value, names) for key, value in body.items()}
    if isinstance(body, list):
        return [_renamed(value, names) for value in body]
    return names.get(body, body) if isinstance(body, str) else body
