"""`momus review`: what is to be looked at, how it is shown, and what the exit code says."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momus.cli.saying import printable, say
from momus.errors import MomusError

if TYPE_CHECKING:
    from momus.review.baseline import Baselines
    from momus.review.config import Config, Settings
    from momus.review.finding import FileReport, Report
    from momus.review.plan import Asked, Plan

_FORMATS = "text, concise, json, jsonl, sarif, github, gitlab, rdjson, junit, markdown, html"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--diff", metavar="REF", help="Review what changed since this branch left REF, uncommitted work too.")
@click.option("--staged", is_flag=True, help="Review what is staged in git.")
@click.option("--patch", metavar="FILE", help="Review what a patch changes, applied or not ('-': standard input).")
@click.option("--stdin-filename", metavar="NAME", help="The name of what is read from standard input (PATH '-').")
@click.option("--critic", metavar="NAME", help="Who reviews: local:NAME, linter:ruff, ...  [default: auto]")
@click.option("--dial", type=int, metavar="PERCENTILE", help="How much is said: 10, 25, 50 or 75.  [default: 50]")
@click.option(
    "--max-spurious", type=float, metavar="X", help="Or: at most X spurious comments in 10 reviews, 90% confidence."
)
@click.option("--budget-tokens", type=int, metavar="N", help="server: read and write at most N tokens.")
@click.option("--budget-dollars", type=float, metavar="X", help="server: cost at most $X, by --prices.")
@click.option("--prices", metavar="IN,OUT", help="server: dollars for a million tokens read and written.")
@click.option("--depth", metavar="NAME", help="How much work a unit is worth: quick, normal or thorough.")
@click.option("--seed", type=int, help="Same seed, same review.  [default: 0]")
@click.option("--output-format", "--format", metavar="NAME", help=f"One of {_FORMATS}.  [default: text]")
@click.option("--json", "as_json", is_flag=True, help="The same as --output-format json.")
@click.option("-o", "--output-file", metavar="FILE", help="Write there instead of to standard output.")
@click.option("--suggest", is_flag=True, help="Print suggestions as a patch for 'git apply' instead of the findings.")
@click.option("--fail-on", metavar="SEVERITY", help="never, low, medium or high: from there, exit 1.  [default: low]")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even with findings; what could not be reviewed still exits 2.")
@click.option("--min-confidence", type=float, metavar="0..1", help="Hide findings below this confidence.  [default: 0]")
@click.option("--max-findings", type=int, metavar="N", help="Show at most N in a file; 0 for all.  [default: 10]")
@click.option("--baseline", metavar="FILE", help="Show only what is not in this file.")
@click.option("--write-baseline", is_flag=True, help="Write all findings to the --baseline file; its reasons stay.")
@click.option("--add-ignore", is_flag=True, help="Write an ignore comment beside every finding.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out, as a line of .gitignore would.")
@click.option("--config", "overrides", multiple=True, metavar="KEY=VALUE", help="Set one setting.")
@click.option("--isolated", is_flag=True, help="Read no configuration files and no MOMUS_* settings.")
@click.option("--no-cache", is_flag=True, help="Ask the critic again, even where nothing changed.")
@click.option("--no-run", is_flag=True, help="Run no code, not even in the sandbox.")
@click.option("--prove", is_flag=True, help="Run every suggestion, in the sandbox, and show an input that tells.")
@click.option("--project-tests", is_flag=True, help="Run the project's tests there too: their calls are inputs.")
@click.option("--show-settings", is_flag=True, help="Print the settings and where each was set, and stop.")
@click.option("--show-files", is_flag=True, help="Print the files that would be reviewed, and stop.")
@click.option("--dry-run", is_flag=True, help="Print what would be put to the critic, and stop.")
@click.option("--blind-spots", is_flag=True, help="Print what share of each class of bug a critic finds, and stop.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings only; nothing where there are none.")
def command(
    paths: tuple[Path, ...],
    diff: str | None,
    staged: bool,
    patch: str | None,
    stdin_filename: str | None,
    output_file: str | None,
    suggest: bool,
    exit_zero: bool,
    write_baseline: bool,
    add_ignore: bool,
    overrides: tuple[str, ...],
    isolated: bool,
    show_settings: bool,
    show_files: bool,
    dry_run: bool,
    blind_spots: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Review files, folders, standard input (-) or a diff; by default this folder.

    Silence a finding with a comment: `# momus: ignore[category] reason` beside or above it, `# momus: ignore-file
    reason` for a whole file. Settings: [tool.momus] in pyproject.toml, or momus.toml; the nearest holds.

    Exit codes: 0 nothing found, 1 findings, 2 something was not reviewed, 130 interrupted.

    Example: momus review src --fail-on high

    Example: momus review --diff main --output-format sarif -o review.sarif
    """
    from momus.review.account import exit_code
    from momus.review.config import Config
    from momus.review.output.summary import notices
    from momus.review.plan import plan

    if write_baseline and (diff is not None or staged or patch is not None):
        raise MomusError("--write-baseline needs whole files: leave out --diff, --staged and --patch")
    if add_ignore and (staged or patch is not None or Path("-") in paths):
        raise MomusError("--add-ignore writes into files on disk: leave out --staged, --patch and '-'")
    config = Config(options=_settings_given(options), overrides=overrides, isolated=isolated)
    root = Path.cwd()
    if blind_spots:
        return _show_blind_spots(config.near(root).critic)
    if show_settings:
        return _show_settings(config, paths, root)
    output = _checked_output(output_file)
    jobs = plan(_asked(paths, diff, staged, patch, stdin_filename), config, root)
    settings = (jobs.config or config).near(root)
    if write_baseline and not settings.baseline:
        raise MomusError("--write-baseline needs --baseline FILE to write to")
    if show_files or dry_run:
        return _show_jobs(jobs, settings, units=dry_run)
    if not jobs and not jobs.left_out:
        _say_nothing_found(paths, diff is not None or staged or patch is not None, quiet)
    known = _baselines(jobs, settings, root, write=write_baseline)
    report = _review(jobs, settings, root, known)
    limits = {job.shown: job.settings.fail_on for job in jobs}
    code = exit_code(report, lambda file: limits[file.path], exit_zero=exit_zero)
    if write_baseline:
        code = _write_baselines(report, known, jobs, root)
    elif add_ignore:
        code = _add_ignores(report, jobs)
    elif suggest:
        _print_patch(report, output)
    elif not (quiet and not report.findings and report.complete):
        _print_report(report, settings.output_format, output)
    if suggest or write_baseline or add_ignore:
        for notice in notices(report):
            if notice.failed or notice.kind == "left-out":
                say(f"{notice.where}: {notice.text}")
    if report.account:
        say(printable(report.account))
    if report.interrupted:
        kept = ", and what the critic has answered is kept for the next time" if report.settings.get("cache") else ""
        whole = len(report.files) - len(report.failed)
        say(f"interrupted: {whole} of {report.planned} files reviewed{kept}")
    return code


def _show_blind_spots(critic: str) -> int:
    """Print the card of a critic that has one: the bundled one. Raises MomusError for any other."""
    from momus.measure.blindspots import load, table
    from momus.models.bundled import SHIPPED

    if critic not in ("bundled", "bundled+fsbs"):
        raise MomusError(f"the critic {critic} has no blind-spot card: name one that has, --critic bundled")
    card = load(SHIPPED)
    if card is None:
        raise MomusError("the bundle ships no blind-spot card: make one with momus measure blind-spots")
    click.echo(table(card), nl=False)
    return 0


def _settings_given(options: dict[str, Any]) -> dict[str, object]:
    """The command line's settings under their names in the configuration; None for what was not given."""
    keys = (
        *("critic", "dial", "max_spurious", "budget_tokens", "budget_dollars", "prices", "depth", "seed", "fail_on"),
        *("min_confidence", "max_findings", "baseline"),
    )
    given: dict[str, object] = {key: options[key] for key in keys}
    if given["dial"] is not None:
        if given["max_spurious"] is not None:
            raise MomusError("--dial and --max-spurious set the same thing: give one of them")
        given["max_spurious"] = 0.0  # a promise that a file asks for is weaker
    given["output_format"] = "json" if options["as_json"] else options["output_format"]
    given["exclude"] = options["exclude"] or None
    given["cache"] = False if options["no_cache"] else None
    if options["no_run"] and options["prove"]:
        raise MomusError("--prove runs code and --no-run runs none: give one of them")
    if options["no_run"] and options["project_tests"]:
        raise MomusError("--project-tests runs code and --no-run runs none: give one of them")
    given["run"] = False if options["no_run"] else None
    given["prove"] = True if options["prove"] else None
    given["project_tests"] = True if options["project_tests"] else None
    return given


def _asked(
    paths: tuple[Path, ...], diff: str | None, staged: bool, patch: str | None, stdin_filename: str | None
) -> Asked:
    from momus.review.plan import Asked

    reads_stdin = Path("-") in paths
    if sum((diff is not None, staged, patch is not None, reads_stdin)) > 1 or (reads_stdin and len(paths) > 1):
        raise MomusError("--diff, --staged, --patch and '-' exclude each other: give one of them")
    if stdin_filename is not None and not reads_stdin:
        raise MomusError("--stdin-filename names standard input: give '-' as the path")
    if reads_stdin:
        return Asked(stdin=sys.stdin.buffer.read(), stdin_filename=stdin_filename or "stdin.py")
    return Asked(paths, diff=diff, staged=staged, patch=_read_patch(patch) if patch is not None else None)


def _read_patch(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise MomusError(f"cannot read the patch {name}: {error.strerror or error}") from None
    return data.decode("utf-8", "surrogateescape")


def _checked_output(name: str | None) -> Path | None:
    """The file to write to, found to be writable before any work is done. Nothing is made or changed until then."""
    from momus.review.links import refuse_leading_out

    if name is None or name == "-":
        return None
    path = Path(name)
    refuse_leading_out(path, "the file to write to,")
    if path.is_dir():
        raise MomusError(f"cannot write to {name}: it is a folder")
    if not path.parent.is_dir():
        raise MomusError(f"cannot write to {name}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise MomusError(f"cannot write to {name}: it may not be written to")
    return path


def _baselines(jobs: Plan, settings: Settings, root: Path, *, write: bool) -> Baselines:
    """The baselines that hold. Raises MomusError where the one of this folder cannot be read."""
    from momus.review.baseline import Baselines

    base = None if write else jobs.base
    known = Baselines(root, base, missing_ok=write or base is not None)
    known.of(settings)
    return known


def _review(jobs: Plan, settings: Settings, root: Path, known: Baselines) -> Report:
    from momus.cli.fetching import have_model
    from momus.cli.progress import pace_bar
    from momus.review.run import conduct

    if jobs:
        have_model(settings.critic)
    with pace_bar("Reviewing") as meter:
        return conduct(jobs, settings, root, baseline=known, meter=meter)


def _print_report(report: Report, name: str, output: Path | None) -> None:
    from momus.review.output import FORMATS, Options

    if output is None:
        _write(FORMATS[name](report, Options.for_stream(sys.stdout)).encode("utf-8", "replace"), None)
    else:
        plain = Options(workspace=Options.for_stream(sys.stderr).workspace)
        _write(FORMATS[name](report, plain).encode("utf-8", "replace"), output)


def _print_patch(report: Report, output: Path | None) -> None:
    from momus.review.output.visible import visible
    from momus.review.suggest import suggestions_patch

    patch, left = suggestions_patch(report.files)
    if output is None and sys.stdout.isatty():  # for the eyes: what is to be applied goes into a file or a pipe
        patch = visible(patch.decode("utf-8", "replace")).encode()
    _write(patch, output)
    for sentence in left:
        say(f"left out: {sentence}")


def _write(data: bytes, output: Path | None) -> None:
    from momus.review.replacing import replace_file

    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        if output.exists() and not output.is_file():  # a device or a pipe
            output.write_bytes(data)
        else:
            replace_file(Path(os.path.realpath(output)), data)
    except OSError as error:
        raise MomusError(f"cannot write to {output}: {error.strerror or error}") from None


def _write_baselines(report: Report, known: Baselines, jobs: Plan, root: Path) -> int:
    """Write the baselines of the files that were reviewed."""
    from momus.review.baseline import write_baseline

    files: dict[Path, list[FileReport]] = {path: [] for path in known.known}
    places = {job.shown: known.path(job.settings) for job in jobs}
    for file in report.files:
        if (place := places[file.path]) is not None:
            files[place].append(file)
    for path, reports in files.items():
        written = known.known[path].updated(reports, root)
        write_baseline(path, written)
        count = len(written.known)
        say(f"{count} finding{'' if count == 1 else 's'} in {path}")
    return 0 if report.complete else 2


def _add_ignores(report: Report, jobs: Plan) -> int:
    from momus.review.silence import silence

    places = {job.shown: job.path for job in jobs}
    total, left = 0, list[str]()
    for file in report.files:
        covered, said = silence(file, places[file.path])
        total += covered
        left += said
    for sentence in left:
        say(f"not ignored: {sentence}")
    count = "1 finding" if total == 1 else f"{total} findings"
    say(f"{count} ignored: now give each comment its reason")
    return 0 if report.complete and not left else 2


def _show_settings(config: Config, paths: tuple[Path, ...], root: Path) -> int:
    """Print the settings that hold for the first path, as TOML, with where each comes from."""
    from momus.review.output.interchange import json_text

    place = Path(os.path.abspath(root / paths[0])) if paths else root  # noqa: PTH100 -- a link keeps its name
    settings = config.near(place)
    for key, value in settings.as_dict().items():
        click.echo(f"{key} = {json_text(value, indent=None)}  # {printable(settings.origin.get(key, 'default'))}")
    return 0


def _show_jobs(jobs: Plan, settings: Settings, *, units: bool) -> int:
    """Print the files that would be reviewed, and with `units` what of them would be put to the critic."""
    from momus.review.run import cut_named, units_of

    how = cut_named(settings.critic, settings) if units else None
    failed = False
    for job in jobs:
        try:
            if job.error is not None:
                raise MomusError(job.error)
            found = units_of(job, how) if how is not None else None
        except MomusError as error:
            failed = True
            say(f"{job.shown}: {error}")
            continue
        if found is None:
            click.echo(printable(job.shown))
            continue
        click.echo(f"{printable(job.shown)}: {len(found)} {'unit' if len(found) == 1 else 'units'}")
        for unit in found:
            click.echo(f"  {unit.lines[0]}-{unit.lines[-1]}  {printable(unit.name)}  ({len(unit.lines)} lines)")
    return 2 if failed else 0


def _say_nothing_found(paths: tuple[Path, ...], of_diff: bool, quiet: bool) -> None:
    if not quiet:
        where = "in the diff" if of_diff else f"under {', '.join(map(str, paths)) or 'this folder'}"
        say(f"there is no Python to review {where}")
