"""`momus train corpus` and `momus train tokenizer`: what the models learn from, and how it becomes numbers."""

from __future__ import annotations

import json
from pathlib import Path

import click

from momus.cli.saying import tell

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--out", type=FOLDER, default=Path("runs/corpus"), show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Packages read at once.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def corpus(out: Path, jobs: int, as_json: bool) -> None:
    """Fetch the named packages with pip and write their functions, without copies, one file a split.

    Goes on where it was stopped. Wheels that lie in OUT/packages are not fetched again.

    Example: momus train corpus --out runs/corpus
    """
    from momus.corpus.build import build

    manifest = build(out, jobs=jobs, report=_say)
    if as_json:
        print(json.dumps(manifest, indent=1))
        return
    for split, part in manifest["splits"].items():
        print(f"{split:8} {part['functions']:>8,} functions {part['characters']:>12,} characters  {out / part['file']}")


@click.command()
@click.option("--corpus", "corpus_dir", type=FOLDER, default=Path("runs/corpus"), show_default=True)
@click.option("--out", type=FOLDER, default=Path("runs/tokenizer"), show_default=True)
@click.option("--ngram", type=FOLDER, help="Folder of the 5-gram.  [default: 'ngram' beside --out]")
@click.option("--size", type=click.IntRange(min=1024), default=8192, show_default=True, help="Tokens, specials too.")
@click.option("--entries", type=click.IntRange(min=1), default=1_400_000, show_default=True, help="N-grams to keep.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the measurements as JSON.")
def tokenizer(
    corpus_dir: Path, out: Path, ngram: Path | None, size: int, entries: int, seed: int, as_json: bool
) -> None:
    """Train the tokenizer on the train split, and on its tokens the 5-gram of the surprisal baseline.

    Stages that have finished on the same corpus with the same options are not run again.

    Example: momus train tokenizer --corpus runs/corpus --out runs/tokenizer
    """
    from momus.corpus.prepare import prepare_ngram, prepare_tokenizer
    from momus.models.dialect import SPECIALS

    trained, told = prepare_tokenizer(corpus_dir, out, SPECIALS, size=size, seed=seed, report=_say)
    told_ngram = prepare_ngram(corpus_dir, trained, out, ngram or out.parent / "ngram", entries=entries, report=_say)
    if as_json:
        print(json.dumps({"tokenizer": told, "ngram": told_ngram}, indent=1))
        return
    print(f"tokenizer {told['tokens']:,} tokens, {told['characters_per_token']:.2f} characters a token (held out)")
    print(
        f"5-gram    {told_ngram['entries']:,} n-grams, {told_ngram['bits_per_token']:.2f} bits a token (held out), "
        f"{told_ngram['bits_per_token_shuffled']:.2f} with the tokens shuffled"
    )


def _say(line: str) -> None:
    tell(line)
