"""What a study is made of: one TOML file, checked before anything runs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from momus.critics.fsbs import SearchSettings
from momus.decode import TooDeep, from_toml
from momus.errors import MomusError
from momus.models.weights import BLOCK
from momus.train.config import DataConfig, DiscriminatorConfig, ModelConfig, RewardConfig, StageConfig, TrainConfig
from momus.train.ppo.config import PPOConfig
from momus.train.section import Section

# Each switches one thing off, or for another.
Variant = Literal["no-tampered", "no-rm", "rl-no-fsbs", "fsbs-no-rl", "rloo"]
OWN = "own"  # the study's own model among the sizes of its family


class StartConfig(Section):
    """Folders that other runs have left; a stage that is named here is not run."""

    corpus: Path | None = None
    tokenizer: Path | None = None
    ngram: Path | None = None
    pretrain: Path | None = None
    scan: Path | None = None
    sft: tuple[Path, ...] = ()  # one for each of the first seeds


class Modules(Section):
    """Modules of the standard library, by split: `textwrap`, `json.decoder`."""

    train: tuple[str, ...] = Field(min_length=1)
    dev: tuple[str, ...] = Field(min_length=1)
    heldout: tuple[str, ...] = Field(min_length=1)


class CorpusConfig(Section):
    """Where code comes from: the packages of `momus train corpus`, or modules of the standard library (no network)."""

    modules: Modules | None = None
    limit: int | None = Field(default=None, ge=1)  # functions of each split, in their order; modules only


class TokenizerConfig(Section):
    size: int = Field(default=8192, ge=300)
    ngrams: int = Field(default=1_400_000, ge=1)


class TamperConfig(Section):
    """The bugs that the loop trains on: by the operators that train, in functions that the SFT stage does not see."""

    functions: int = Field(ge=2)  # in each round
    per_task: int = Field(default=1, ge=1)
    linter: str | None = "ruff"
    linter_keep: float = Field(default=0.3, ge=0, le=1)
    adversarial: bool = True  # from the second round on: only what the newest critic misses
    misses: int = Field(default=1, ge=1)  # at least so many times
    tries: int = Field(default=3, ge=1)  # of so many


class SampleConfig(Section):
    """The critiques that are rated, of each answer."""

    n: int = Field(default=4, ge=1)  # as the policy writes them by itself
    forced: int = Field(default=0, ge=0)  # as a search begins: with the opener put in, so that none is silent
    gated: int = Field(default=2, ge=0)  # by the critic `bundled`: the first as in use, further ones speak in any case
    temperature: float = Field(default=1.0, gt=0)


class RateConfig(Section):
    rater: str = "oracle"
    per_task: int = Field(default=1, ge=1)  # comparisons of each answer, of different critiques
    gold: float = Field(default=1.0, ge=0, le=1)  # share of comparisons on tampered answers with the gold critique
    moved: float = Field(default=0.0, ge=0, le=1)  # share of them that are of one comment at several lines
    untampered: float = Field(default=0.25, ge=0, lt=1)  # share of comparisons on unmodified answers
    empty: float = Field(default=0.25, ge=0, le=1)  # share with a silent critique put in where none is silent


class FsbsConfig(Section):
    """Force sampling beam search (paper section 2.3)."""

    n: int = Field(default=4, ge=1)
    k: int = Field(default=2, ge=1)
    rounds: int = Field(default=4, ge=1)
    mode: Literal["paper", "momus"] = "momus"
    gate: bool = False  # search, and rank drafts, of lines that the gate suspects, as a review does
    temperature: float = Field(default=0.7, gt=0)
    max_tokens: int = Field(default=256, ge=1)  # of one continuation
    percentiles: tuple[int, ...] = Field(default=(10, 25, 50, 75), min_length=1)  # the dial

    @property
    def settings(self) -> SearchSettings:
        return SearchSettings(self.n, self.k, self.rounds, self.mode, self.temperature, self.max_tokens)


class MeasureConfig(Section):
    """What critics are measured on, each answer beside its clean twin."""

    tasks: Path | None = None  # JSONL of tampers; None: made of the held-out split of the corpus
    limit: int | None = Field(default=None, ge=1)
    dev: int = Field(default=100, ge=1)  # development tampers that the study's dials are fitted on
    samples: int = Field(default=4, ge=1)  # of the policy by itself, averaged on each answer
    linters: tuple[str, ...] = ()
    seed: int = 0
    draws: int = Field(default=2000, ge=1)


class ExportConfig(Section):
    """How policies become bundles."""

    bits: Literal[8, 32] = 8
    pairs: int = Field(default=400, ge=20)  # development tampers that the gate is fitted on
    dial_pairs: int = Field(default=200, ge=0)  # and further ones for the dial of the first seed's PPO; 0: none
    clean_flagged: float = Field(default=0.1, ge=0, le=1)


class SizeConfig(Section):
    """One size of the family; what it leaves out is as the study's own model has it."""

    name: str = Field(pattern="^[a-z0-9]+$")
    hidden: int | None = Field(default=None, gt=0)
    layers: int | None = Field(default=None, gt=0)
    heads: int | None = Field(default=None, gt=0)
    kv_heads: int | None = Field(default=None, gt=0)
    head_dim: int | None = Field(default=None, gt=0, multiple_of=2)
    ffn: int | None = Field(default=None, gt=0)
    pretrain_tokens: int | None = Field(default=None, gt=0)

    def model(self, own: ModelConfig) -> ModelConfig:
        """This size's decoder. Raises ValidationError where its heads do not share evenly."""
        given = self.model_dump(exclude={"name", "pretrain_tokens"}, exclude_none=True)
        return ModelConfig.model_validate({**own.model_dump(), **given})


class ScalingConfig(Section):
    """Smaller and larger models, each as SFT alone and as RL (paper, Fig. 5). The study's own model is one of them."""

    sizes: tuple[SizeConfig, ...] = Field(min_length=1)
    way: Literal["gate", "policy"] = "gate"  # as a review uses it, at equally many clean answers; or by itself
    measure: Literal["cbi_place", "cbi_claim", "cbi_fix"] = "cbi_fix"  # what the compute multiplier is told by
    discriminator_functions: int = Field(default=2000, ge=1)  # that each size learns to tell from tampered ones


class ReportConfig(Section):
    """What the report needs beside the study's own items, and who rates for it."""

    natural: Path | None = None  # JSONL of natural bugs; None: the small set that Momus wrote itself
    limit: int | None = Field(default=None, ge=1)  # of these
    scattered: int = Field(default=12, ge=0)  # answers with two or three bugs far apart
    raters: tuple[str, ...] = Field(default=("oracle:noise=0.5", "oracle:noise=1"), min_length=1)


class StudyConfig(Section):
    """One study. `seed` is that of all that is done once, `seeds` those of SFT and PPO; the first of them samples."""

    name: str
    seed: int = 0
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1)
    rounds: int = Field(default=1, ge=1)
    variants: tuple[Variant, ...] = ("no-rm", "rl-no-fsbs", "fsbs-no-rl")  # those that train nothing
    start: StartConfig = StartConfig()
    corpus: CorpusConfig = CorpusConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    pretrain: StageConfig
    scan: StageConfig
    sft: StageConfig
    tamper: TamperConfig
    sample: SampleConfig = SampleConfig()
    rate: RateConfig = RateConfig()
    reward: RewardConfig = RewardConfig()
    ppo: PPOConfig = PPOConfig()
    fsbs: FsbsConfig = FsbsConfig()
    export: ExportConfig = ExportConfig()
    measure: MeasureConfig = MeasureConfig()
    scaling: ScalingConfig | None = None
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    report: ReportConfig = ReportConfig()

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for name in ("seeds", "variants"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} holds a value twice: {', '.join(map(str, values))}")
        if self.tamper.misses > self.tamper.tries:
            raise ValueError(f"a bug cannot be missed {self.tamper.misses} times in {self.tamper.tries} tries")
        sizes = self.scaling.sizes if self.scaling is not None else ()
        if len({size.name for size in sizes} | {OWN}) <= len(sizes):
            raise ValueError(f"each size needs a name of its own, and {OWN} is that of the study's own model")
        models = {OWN: self.model}
        for size in sizes:
            try:
                models[size.name] = size.model(self.model)
            except ValidationError as error:
                raise ValueError(f"the size {size.name}: {error.errors()[0]['msg']}") from None
        for name, model in models.items() if self.export.bits == 8 else ():
            odd = [width for width in (model.hidden, model.heads * model.head_dim, model.ffn) if width % BLOCK]
            if odd:
                raise ValueError(
                    f"the size {name} cannot become a bundle of 8 bits, as {odd[0]} is no multiple of {BLOCK}: "
                    "choose another hidden or ffn, or export.bits = 32"
                )
        return self

    def training(self, seed: int) -> TrainConfig:
        """The same sections as a training run."""
        names = TrainConfig.model_fields.keys() & type(self).model_fields.keys() - {"seed"}
        return TrainConfig(seed=seed, **{name: getattr(self, name) for name in names})


def load_study(path: Path) -> StudyConfig:
    """Read a study's TOML. What it leaves out of the training sections comes from the file that `base` names.

    `base` is relative to the file's folder. Raises MomusError naming the first setting that is wrong.
    """
    body = _read(path)
    base = body.pop("base", None)
    if base is not None:
        if not isinstance(base, str):
            raise MomusError(f"{path}: base: name the file of a training config")
        body = _merged(_read(path.parent / base), body)
    try:
        return StudyConfig.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the study"
        if first["type"] == "extra_forbidden":
            raise MomusError(f"{path}: there is no setting {where}; remove it, or mend its name") from None
        raise MomusError(f"{path}: {where}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return from_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MomusError(f"no config at {path}; the studies that ship stand in study/") from None
    except OSError as error:
        raise MomusError(f"cannot read the config {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TooDeep) as error:
        raise MomusError(f"{path} is not TOML: {error}") from None


def _merged(base: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """`body` over `base`, table by table."""
    whole = dict(base)
    for name, value in body.items():
        below = whole.get(name)
        whole[name] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return whole
