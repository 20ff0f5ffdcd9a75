"""The command line: one thin file per verb, each imported only when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from momus import __version__
from momus.errors import MomusError

# verb -> (module that holds `command`, the line that `momus --help` shows). Kept here so that help imports nothing.
VERBS: dict[str, tuple[str, str]] = {
    "review": ("momus.cli.review", "Review files, folders or a diff; comments on exact pieces of the code."),
    "tamper": ("momus.cli.tamper", "Put subtle, described bugs into code."),
    "critique": ("momus.cli.critique", "Write critiques of tasks, several each, into record files."),
    "rate": ("momus.cli.rate", "Rate critiques side by side, by the form of the paper."),
    "train": ("momus.cli.train", "Train a critic: corpus, tokenizer, pretrain, sft, export."),
    "measure": ("momus.cli.measure", "Measure critics on tasks with known bugs."),
    "study": ("momus.cli.study", "Run the whole loop from one TOML file, stage by stage, to a table."),
    "audit": ("momus.cli.audit", "Look again at answers that were rated good, the most suspect first."),
    "model": ("momus.cli.model", "Fetch, verify and remove the weights of pretrained models."),
    "desk": ("momus.cli.desk", "Open the desk, where people tamper, rate, write and compare."),
    "bench": ("momus.cli.bench", "Time what is promised to be fast, as ratios against named peers."),
}


class LazyGroup(click.Group):
    """A group that knows its verbs by name and loads one only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="momus")
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
def cli(debug: bool) -> None:
    """Find the bugs in model-written code.

    Example: momus review app.py
    """


def main() -> None:
    """Run the command line. Exit codes: 0 nothing found, 1 findings, 2 not done."""
    debug = "--debug" in sys.argv
    try:
        code = cli.main(standalone_mode=False, prog_name="momus")
    except click.exceptions.Abort:
        print("momus: interrupted", file=sys.stderr)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except MomusError as error:
        if debug:
            raise
        print(f"momus: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)
