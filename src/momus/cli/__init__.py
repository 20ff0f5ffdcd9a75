"""The command line: one thin file per verb, each imported only when it is called."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from momus import __version__
from momus.cli.saying import printable, say
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
            near = difflib.get_close_matches(cmd_name, VERBS, n=1)
            mend = f"did you mean 'momus {near[0]}'?" if near else "see 'momus --help'"
            raise click.UsageError(f"there is no command {cmd_name!r}: {mend}")
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
    """Run the command line. Exit codes: 0 nothing found, 1 findings, 2 not done, 130 interrupted.

    Whatever a verb fails with is a sentence and 2, never a traceback and 1, which would say that all was reviewed.
    """
    debug = "--debug" in sys.argv
    code: object
    try:
        code = cli.main(standalone_mode=False, prog_name="momus")
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk is told here, and not at the interpreter's end
    except (click.exceptions.Abort, KeyboardInterrupt):
        say("interrupted")
        _leave(130)
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            print(error.ctx.get_usage(), file=sys.stderr)
        print(f"Error: {printable(error.format_message())}", file=sys.stderr)
        sys.exit(2)
    except MomusError as error:
        if debug:
            raise
        say(str(error))
        sys.exit(2)
    except BrokenPipeError:
        _leave(2)
    except Exception as error:
        if debug:
            raise
        say(_in_a_sentence(error))
        _leave(2)
    sys.exit(code if isinstance(code, int) else 0)


def _in_a_sentence(error: Exception) -> str:
    """What happened, of an error that no verb has words for."""
    if sys.stdout is None:
        return "standard output is closed: give it somewhere to write, or a file with -o"
    if isinstance(error, FileNotFoundError) and not _has_folder():
        return "the current folder is gone: change to one that is there"
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename is not None else ""
        return f"{what}{error.strerror or error}: nothing can be done without it"
    if isinstance(error, UnicodeEncodeError):
        around = error.object[max(0, error.start - 40) : error.end + 40]
        return f"{around!r} is not Unicode and cannot be written: rename the file, or leave it out"
    return f"a defect, {type(error).__name__}: {error}; 'momus --debug ...' shows where, please report it"


def _has_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _leave(code: int) -> NoReturn:
    """Exit although a stream may take nothing more: the interpreter's own last flush would change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
