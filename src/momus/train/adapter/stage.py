"""From a model's name and the development data to an adapter and its card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from momus.decode import from_json
from momus.errors import MomusError
from momus.train.adapter.config import AdapterConfig
from momus.train.adapter.examples import Example, correction, examples
from momus.train.adapter.pairs import Allowed, clean_answers, mixed, shown, sources

if TYPE_CHECKING:
    from momus.measure.draws import Draws
    from momus.models.tokens import Tokens

CARD, EXAMPLES = "card.json", "examples.jsonl"  # a run goes on with its own examples, whatever makes others by then
CLEAN_EVERY = 12  # after so many examples of pairs a correct answer is copied


def adapter(
    model: str,
    draws: Draws,
    config: AdapterConfig,
    out: Path,
    *,
    minutes: float | None = None,
    threads: int | None = None,
    say: Callable[[str], None] = print,
) -> bool:
    """Train an adapter for a model of the catalogue or a GGUF; whether it is finished. See `loop.train` for errors."""
    from momus.models.catalogue import resolve
    from momus.models.convert import converted

    weights = resolve(model)
    if weights.is_dir():
        raise MomusError(f"{weights} is a folder: name the GGUF file, which is what reviews read")
    base = converted(weights)
    made = _kept(out / EXAMPLES)
    if len(made) < config.examples:
        made += training_set(draws, base.tokens, config)[len(made) :]
        _keep(out / EXAMPLES, made)
    shares = Counter(example.source for example in made[: config.examples])
    say(f"{len(made):,} examples: " + ", ".join(f"{name} {count}" for name, count in shares.most_common()))

    import torch

    from momus.train.adapter.base import open_base
    from momus.train.adapter.loop import Run, train

    if threads is not None:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = Run(open_base(weights, config, device), base.digest, made, config, out)
    done = train(run, minutes=minutes, say=say)
    card = {"base": base.digest, "config": config.model_dump(), "examples": dict(shares)}
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return done


def _kept(path: Path) -> list[Example]:
    if not path.is_file():
        return []
    try:
        lines = [from_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [Example(each["source"], tuple(each["ids"]), each["first"], tuple(each["weights"])) for each in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise MomusError(f"{path} can't be read ({error}); remove it, and the checkpoint beside it") from None


def _keep(path: Path, made: Sequence[Example]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    work = path.with_name(f".{path.name}")
    work.write_text("".join(json.dumps(asdict(each)) + "\n" for each in made), encoding="utf-8")
    work.replace(path)


def training_set(draws: Draws, tokens: Tokens, config: AdapterConfig) -> list[Example]:
    """The examples in the order of training, as many as are wanted or as there are."""
    if draws.data is None:
        raise MomusError("an adapter is trained on development data: set MOMUS_DATA to the folder that holds it")
    told = from_json((draws.benchmarks / "draws.manifest.json").read_text(encoding="utf-8"))
    kept_back = [
        name for key in ("untrained_problems", "untrained_repositories") for part in told[key].values() for name in part
    ]
    allowed = Allowed(draws, kept_back)
    pairs = mixed(sources(draws.data, draws.benchmarks, allowed, config.seed))
    clean = iter(clean_answers(draws.data, allowed, config.seed))
    made: list[Example] = []
    for example in examples(pairs, tokens, config.max_tokens):
        made.append(example)
        if len(made) % CLEAN_EVERY == 0 and (task := next(clean, None)) is not None:
            bare = shown(task)
            copied = correction("correct", bare, bare.answer, tokens)
            made += [copied] if len(copied.ids) <= config.max_tokens else []
        if len(made) >= config.examples:
            break
    return made[: config.examples]
