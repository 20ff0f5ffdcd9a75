"""`momus measure pairs`, `choose` and `truth`: which of two solutions passes, with a critique and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momus.cli.saying import say
from momus.errors import MomusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from momus.records import Record
    from momus.sharding import Work

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--critic", help="Who criticises both solutions.  [default: nobody]")
@click.option("--bundle", type=click.Path(path_type=Path, file_okay=False), help="Folder of the bundle.")
@click.option("--split", help="One side of the split only.")
@click.option("--limit", type=click.IntRange(1), help="So many lines of each file, from the top.")
@click.option("--sandbox", default="auto", show_default=True, help="auto, or unsafe-local.")
@click.option("--seed", default=0, show_default=True, help="Of which one stands first, and of the critic.")
@click.option("-o", "--output", required=True, type=FILE, help="JSONL of pairs to write, for the desk's kind judge.")
def pairs(
    paths: tuple[Path, ...],
    critic: str | None,
    bundle: Path | None,
    split: str | None,
    limit: int | None,
    sandbox: str,
    seed: int,
    output: Path,
) -> int:
    """Make pairs of solutions of which one passes its tests, of tasks with known bugs in PATHS, proved in the sandbox.

    A run that was stopped goes on at its last whole shard.

    Example: momus measure pairs tampers.jsonl --critic bundled -o pairs.jsonl
    """
    from momus.measure import load_bugs
    from momus.measure.truth_pairs import SHARD, PairWork, with_tests
    from momus.records import Pair, read_jsonl

    found = with_tests(bug for path in paths for bug in load_bugs(path, split=split, limit=limit))
    if not found:
        raise MomusError(f"no task in {', '.join(map(str, paths))} has tests and a fix: give tampers that do")
    options = {} if bundle is None else {"bundle": str(bundle.resolve())}
    if options and critic is None:
        raise MomusError("--bundle is for a critic: name one with --critic, or leave it out")
    work = PairWork(critic, options, seed=seed, sandbox=sandbox)
    settings = {"critic": critic, "options": options, "seed": seed, "sandbox": sandbox}
    _in_shards("measure pairs", found, work, SHARD, output, settings, paths, "pairs")
    made = list(read_jsonl(output, Pair))
    left = len(found) - len(made)
    click.echo(f"{len(made)} pairs in {output}; {left} of {len(found)} tasks gave none")
    if left:
        why = "both solutions pass, both fail" + ("" if critic is None else ", or the critic failed")
        say(f"of a task that gives no pair {why}")
    return 0 if made else 2


@click.command()
@click.argument("path", type=FILE)
@click.option("--by", required=True, help="Who chooses: believer, or judge:MODEL@URL.")
@click.option("--timeout", type=click.FloatRange(0.1), help="judge: seconds for one request.")
@click.option("--seed", default=0, show_default=True)
@click.option("-o", "--output", required=True, type=FILE, help="JSONL of choices to write.")
def choose(path: Path, by: str, timeout: float | None, seed: int, output: Path) -> int:
    """Choose the solution that passes of each pair in PATH, without critiques and with them. The chooser is simulated.

    The key of a judge's server is read from the environment variable MOMUS_API_KEY.

    Example: momus measure choose pairs.jsonl --by judge:MODEL@http://127.0.0.1:8000/v1 -o choices.jsonl
    """
    from momus.measure.truth_choosers import SHARD, ChooseWork
    from momus.records import Choice, Pair, read_jsonl

    found = _read(path, Pair)
    if unknown := [pair.id for pair in found if pair.passes is None]:
        raise MomusError(
            f"{path}: {unknown[0]} does not say which solution passes: make pairs with momus measure pairs"
        )
    if not found:
        raise MomusError(f"{path} holds no pair: make some with momus measure pairs")
    options = {} if timeout is None else {"timeout_s": timeout}
    settings = {"by": by, "options": options, "seed": seed}
    _in_shards("measure choose", found, ChooseWork(by, options, seed), SHARD, output, settings, (path,), by)
    made = list(read_jsonl(output, Choice))
    _print(made, False, 1000)
    return 2 if all(choice.chosen is None for choice in made) else 0


@click.command()
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--draws", default=2000, show_default=True, type=click.IntRange(1), help="Bootstrap draws.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def truth(paths: tuple[Path, ...], draws: int, as_json: bool) -> int:
    """How often the solution that passes was chosen, without and with a critique: choices of people or of a judge.

    Example: momus measure truth run/choices.jsonl
    """
    from momus.records import Choice

    made = [choice for path in paths for choice in _read(path, Choice)]
    if not made:
        raise MomusError(f"there is no choice in {', '.join(map(str, paths))}: let people or a judge choose first")
    _print(made, as_json, draws)
    return 0


def _print(choices: Sequence[Any], as_json: bool, draws: int) -> None:
    from momus.measure.truth import lines
    from momus.measure.truth import truth as measured

    found = measured(choices, draws=draws)
    click.echo(json.dumps(found.to_json(), indent=1) if as_json else "\n".join(lines(found)))


def _in_shards(
    verb: str,
    items: Sequence[Any],
    work: Work[Any],
    shard: int,
    output: Path,
    settings: dict[str, Any],
    paths: Sequence[Path],
    what: str,
) -> None:
    """Do the work into `output`, with a manifest beside it. A finished output is left as it is."""
    from momus.cli.critique import hashes_of, runner
    from momus.sharding import finished, identity_of, in_shards, manifest_of, map_shards, open_parts, write_manifest

    identity = identity_of({"verb": verb, "shard": shard, **settings}, items)
    manifest = manifest_of(output)
    if finished(output, manifest, identity) is None:
        open_parts(output, identity)
        map_shards(in_shards(items, shard), work, output, run=runner("local", 1, what))
        told = {"settings": {"verb": verb, **settings}, "inputs": hashes_of(paths)}
        write_manifest(manifest, output, verb, identity, told)


def _read(path: Path, kind: type[Record]) -> list[Any]:
    from momus.records import read_jsonl

    try:
        return list(read_jsonl(path, kind))
    except OSError as error:
        raise MomusError(f"can't read {path}: {error.strerror or error}: give another file") from None
