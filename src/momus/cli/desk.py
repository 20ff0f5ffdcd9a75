"""`momus desk`: the web application where people work."""

from __future__ import annotations

import contextlib
import socket
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from momus.cli.saying import tell
from momus.errors import MissingExtra, MomusError

if TYPE_CHECKING:
    from momus.desk.settings import DeskSettings

DB = click.option("--db", help="SQLite file, or postgresql://USER@HOST/NAME.  [default: desk.db]")
NEEDED = ("fastapi", "uvicorn", "sqlalchemy", "alembic", "pwdlib", "pydantic_settings", "prometheus_client")
KINDS = ("tamper", "rate", "write", "team", "compare", "judge", "grade", "canary")


@click.group(invoke_without_command=True)
@DB
@click.option("--host", help="Where to listen.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="[default: 8321; 0: any that is free]")
@click.option("--origin", "origins", multiple=True, help="Address by which browsers come. May be repeated.")
@click.option("--https", is_flag=True, help="A proxy in front ends TLS.")
@click.option("--insecure-public", is_flag=True, help="Let others come without TLS.")
@click.option(
    "--trusted-proxy", "proxies", multiple=True, help="Address or network of a proxy in front. May be repeated."
)
@click.option("--critic", help="Who writes for teams and is the tampers' adversary.  [default: auto]")
@click.option("--sandbox", type=click.Choice(["auto", "unsafe-local"]), help="Where code runs.  [default: auto]")
@click.option("--accept-unsafe-local", is_flag=True, help="What --sandbox unsafe-local means is known.")
@click.pass_context
def command(
    ctx: click.Context,
    db: str | None,
    host: str | None,
    port: int | None,
    origins: tuple[str, ...],
    https: bool,
    insecure_public: bool,
    proxies: tuple[str, ...],
    critic: str | None,
    sandbox: str | None,
    accept_unsafe_local: bool,
) -> None:
    """Open the desk: tamper, rate, write, team up and compare in the browser.

    Example: momus desk --db desk.db
    """
    settings = _settings(
        db=db,
        host=host,
        port=port,
        origins=origins or None,
        https=https or None,
        insecure_public=insecure_public or None,
        trusted_proxies=proxies or None,
        critic=critic,
        sandbox=sandbox,
        accept_unsafe_local=accept_unsafe_local or None,
    )
    ctx.obj = settings
    if ctx.invoked_subcommand is not None:
        return
    settings.check_bind()
    warning = settings.check_sandbox()
    import uvicorn

    from momus.desk.app import create_app
    from momus.desk.observe import log_to_stderr

    if settings.log:
        log_to_stderr()
    app = create_app(settings)
    # Its own log would hold paths with ids in them; the desk writes one line for each request itself.
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the desk reads them itself, from proxies that it trusts
    )
    if warning is not None:
        tell(warning)
    with _listening(settings.host, settings.port) as listening:
        at = settings.model_copy(update={"port": listening.getsockname()[1]})
        tell(f"the desk is at http://{at.host}:{at.port}")
        if (link := _first_admin(app, at)) is not None:
            tell(f"nobody is here yet: come in as the first admin, once, within a day: {link}")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


def _first_admin(app: Any, settings: DeskSettings) -> str | None:
    """A link by which the first person comes in as an admin; None where there is somebody already."""
    from sqlalchemy import select

    from momus.desk.auth import invite
    from momus.desk.mail import join_link
    from momus.desk.store.tables import User

    desk = app.state.desk
    with desk.store.write() as session:
        if session.scalar(select(User.id).limit(1)) is not None:
            return None
        key, _ = invite(session, desk.clock(), timedelta(days=1), admin=True)
    return join_link(settings, key)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; told where it is, as port 0 is any that is free. Raises MomusError where taken."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise MomusError(f"the desk can't listen on {host}:{port} ({error.strerror}): give another --port") from None


@command.command("admin-token")
@DB
@click.pass_obj
def admin_token(settings: DeskSettings, db: str | None) -> None:
    """Print a key with which one person comes in as an admin, once, within a day.

    Example: momus desk admin-token
    """
    from momus.desk.auth import invite

    store = _open(settings, db)
    with store.write() as session:
        from momus.desk.store.types import utc_now

        key, _ = invite(session, utc_now(), timedelta(days=1), admin=True)
    print(key)


@command.command("reset-link")
@DB
@click.option("--email", required=True, help="Whose password is forgotten.")
@click.pass_obj
def reset_link(settings: DeskSettings, db: str | None, email: str) -> None:
    """Print a link by which somebody sets a new password, once, within a day.

    Example: momus desk reset-link --email ann@example.org
    """
    from sqlalchemy import select

    from momus.desk.auth import make_reset
    from momus.desk.mail import reset_link as link
    from momus.desk.store.tables import User
    from momus.desk.store.types import utc_now

    store = _open(settings, db)
    with store.write() as session:
        user = session.scalar(select(User).where(User.email == email.strip().lower(), User.active.is_(True)))
        if user is None:
            raise MomusError(f"nobody comes in as {email} here: see that --db and the address are right")
        key = make_reset(session, user, utc_now())
    print(link(settings, key))


@command.command("import")
@DB
@click.option("--project", required=True, help="The project's short name; made if it is not there.")
@click.option("--kind", type=click.Choice(KINDS), help="What people do with it; an archive of a project knows.")
@click.option("--overlap", default=1, show_default=True, type=click.IntRange(1, 100), help="How many people each.")
@click.option("--priority", default=0, show_default=True, type=click.IntRange(-1000, 1000))
@click.option("--column", "columns", multiple=True, help="FIELD=COLUMN, where names don't tell. May be repeated.")
@click.option("--table", help="Which folder of a data set, where it has several.")
@click.option("--good-only", is_flag=True, help="Leave out rows that are wrong.")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def import_(
    settings: DeskSettings,
    db: str | None,
    project: str,
    kind: Any,
    overlap: int,
    priority: int,
    columns: tuple[str, ...],
    table: str | None,
    good_only: bool,
    path: Path,
) -> None:
    """Add work from PATH: JSON lines, a JSON list, CSV, Parquet, a data set's folder, exports of Label Studio and
    Argilla, or an archive that `export` wrote.

    Example: momus desk import --project first --kind rate runs/rated/comparisons.jsonl
    """
    from momus.desk.transfer import import_path

    given: dict[str, str | list[str]] = {}
    for each in columns:
        field, there, column = each.partition("=")
        if not there:
            raise MomusError(f"--column {each} names no column: write it as FIELD=COLUMN, such as question=prompt")
        before = given.get(field, [])
        given[field] = [*([before] if isinstance(before, str) else before), column] if before else column
    store = _open(settings, db)
    added = import_path(
        store,
        project,
        kind,
        path,
        overlap=overlap,
        priority=priority,
        columns=given or None,
        table=table,
        good_only=good_only,
    )
    more = f", of which {added.changed:,} got tests, gold or more people" if added.changed else ""
    wrong = f", {added.left_out:,} wrong and left out" if added.left_out else ""
    print(f"{added.added:,} added, {added.known:,} known already{more}{wrong}")
    if added.unused:
        print(f"columns that went into nothing: {', '.join(added.unused)}")


@command.command("export")
@DB
@click.option("--project", required=True, help="The project's short name.")
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(["archive", "records", "preferences", "hf", "parquet"]),
    help="archive: all, to be imported again; records: what `momus train` reads; preferences: TRL's forms.",
)
@click.option(
    "--pass",
    "passed",
    type=click.Choice(["first", "second"]),
    default="second",
    show_default=True,
    help="Which ratings stand where a reward model is trained from: before the bug was shown, or after.",
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder, or the archive's file.")
@click.pass_obj
def export(settings: DeskSettings, db: str | None, project: str, form: str, passed: Any, out: Path) -> None:
    """Write what a project holds, people under pseudonyms.

    Example: momus desk export --project first --format records -o runs/desk
    """
    from momus.desk.transfer import export_path

    for line in export_path(_open(settings, db), project, form, out, passed):
        print(line)
    if form != "archive":
        when = "after the bug was shown" if passed == "second" else "before the bug was shown"
        print(f"what trains: the {passed} pass of ratings, {when}")


def _settings(**given: Any) -> DeskSettings:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra("the desk", "desk")
    from pydantic import ValidationError

    from momus.desk.settings import DeskSettings

    try:
        return DeskSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise MomusError(f"the desk's setting {first['loc'][0]} is not accepted: {first['msg']}") from None


def _open(settings: DeskSettings, db: str | None) -> Any:
    from sqlalchemy.exc import OperationalError

    from momus.desk.store import open_store
    from momus.desk.store.migrate import upgrade

    store = open_store(db or settings.db)
    try:
        upgrade(store)
    except OperationalError as error:
        raise MomusError(
            f"the database can't be opened ({type(error.orig).__name__}): see that --db is right"
        ) from None
    return store
