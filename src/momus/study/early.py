"""The stages up to a critic that imitates: corpus, tokenizer, split, pretrain, scan, SFT."""

from __future__ import annotations

import platform
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from momus.corpus.build import SPLITS, build, file_hash, read_split
from momus.corpus.dedupe import fingerprint, unique
from momus.corpus.functions import Function, Split, functions_of
from momus.corpus.prepare import prepare_ngram, prepare_tokenizer
from momus.corpus.tokenizer import Tokenizer
from momus.errors import MomusError
from momus.models.dialect import SPECIALS
from momus.records import write_jsonl
from momus.study.config import CorpusConfig, StudyConfig
from momus.study.graph import Job, write_json

CORPUS = tuple(f"functions-{split}.jsonl" for split in SPLITS)


def corpus(config: StudyConfig, job: Job) -> bool:
    """The functions of every split: of the packages, or of a few modules of the standard library."""
    if config.corpus.modules is None:
        build(job.folder, jobs=job.jobs, report=job.say)
    else:
        _corpus_of_modules(config.corpus, job.folder)
    return True


def tokenizer(config: StudyConfig, job: Job) -> bool:
    prepare_tokenizer(
        job.inputs["corpus"], job.folder, SPECIALS, size=config.tokenizer.size, seed=config.seed, report=job.say
    )
    return True


def ngram(config: StudyConfig, job: Job) -> bool:
    """The 5-gram of the surprisal baseline."""
    folder = job.inputs["tokenizer"]
    tokens = Tokenizer.load(folder / "tokenizer.json")
    prepare_ngram(job.inputs["corpus"], tokens, folder, job.folder, entries=config.tokenizer.ngrams, report=job.say)
    return True


def split(config: StudyConfig, job: Job) -> bool:
    """Part the train split: functions for the rounds of the loop, and those that the stages before it learn from.

    What a policy has learned from it may know by heart, and a reward model would learn to trust that. So the loop gets
    no function that a checkpoint of [start] has learned from either.
    """
    from momus.train.stages import drawn_by

    functions = list(read_split(job.inputs["corpus"], "train"))
    random.Random(f"{config.seed}/split").shuffle(functions)
    wanted = config.tamper.functions * config.rounds
    if len(functions) < 2 * wanted:
        raise MomusError(
            f"the corpus has {len(functions)} functions to train on, and {wanted} are asked for the loop, which may "
            "have half of them: lower tamper.functions or rounds"
        )
    known = drawn_by(_learned(config), job.inputs["corpus"])
    loop = [function for function in functions if function.id not in known][:wanted]
    if len(loop) < wanted:
        raise MomusError(
            f"{wanted} functions are asked for the loop, and the checkpoints of [start] leave {len(loop)} that they "
            "have not learned from: lower tamper.functions or rounds"
        )
    for number in range(config.rounds):
        part = loop[number * config.tamper.functions : (number + 1) * config.tamper.functions]
        write_jsonl(job.folder / f"functions-round-{number + 1}.jsonl", part)
    taken = {function.id for function in loop}
    write_jsonl(job.folder / "functions-train.jsonl", (f for f in functions if f.id not in taken))
    return True


def _learned(config: StudyConfig) -> list[Path]:
    """The checkpoints of [start] that learned from tampered functions."""
    return [folder for folder in (config.start.scan, *config.start.sft) if folder is not None]


def pretrain(config: StudyConfig, job: Job) -> bool:
    from momus.train import stages

    functions, tokens = job.inputs["split"], job.inputs["tokenizer"] / "tokenizer.json"
    return stages.pretrain(
        config.training(config.seed), functions, tokens, job.folder, jobs=job.jobs, minutes=job.minutes
    )


def scan(config: StudyConfig, job: Job) -> bool:
    from momus.train import stages

    return stages.scan(
        config.training(config.seed),
        job.inputs["split"],
        job.inputs["tokenizer"] / "tokenizer.json",
        job.inputs["pretrain"],
        job.folder,
        jobs=job.jobs,
        minutes=job.minutes,
    )


def sft(config: StudyConfig, seed: int, job: Job) -> bool:
    """Imitation of gold critiques; the seed decides the order, the tampers and where line markers start."""
    from momus.train import stages

    return stages.sft(
        config.training(seed),
        job.inputs["split"],
        job.inputs["tokenizer"] / "tokenizer.json",
        job.inputs["scan"],
        job.folder,
        jobs=job.jobs,
        minutes=job.minutes,
    )


def _corpus_of_modules(config: CorpusConfig, folder: Path) -> None:
    found = list(unique((fingerprint(function.code), function) for function in _functions(config)))
    splits = {}
    for split in SPLITS:
        part = [function for function in found if function.split == split][: config.limit]
        path = folder / f"functions-{split}.jsonl"
        write_jsonl(path, part)
        splits[split] = {"file": path.name, "functions": len(part), "sha256": file_hash(path)}
    assert config.modules is not None
    inputs = [
        [name, platform.python_version(), "PSF-2.0", split, 0]
        for split in SPLITS
        for name in getattr(config.modules, split)
    ]
    write_json(folder / "manifest.json", {"schema_version": 1, "inputs": inputs, "splits": splits})


def _functions(config: CorpusConfig) -> Iterator[Function]:
    """A module stands for a package, so that intervals have groups to draw."""
    root = Path(sysconfig.get_paths()["stdlib"])
    splits: tuple[Split, ...] = ("train", "dev", "heldout")
    for split in splits:
        for module in getattr(config.modules, split):
            path = root.joinpath(*module.split(".")).with_suffix(".py")
            if not path.is_file():
                raise MomusError(f"the standard library has no {module} in one file: mend corpus.modules.{split}")
            files = [(f"{module}.py", path.read_bytes())]
            yield from functions_of(
                files, package=module, version=platform.python_version(), licence="PSF-2.0", split=split
            )
