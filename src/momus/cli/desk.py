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
        proxy_headers=settings.https,
        forwarded_allow_ips="127.0.0.1" if settings.https else None,
    )
    if warning is not None:
        tell(warning)
    with _listening(settings.host, settings.port) as listening:
        tell(f"the desk is at http://{settings.host}:{listening.getsockname()[1]}")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


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


@command.command("import")
@DB
@click.option("--project", required=True, help="The project's short name; made if it is not there.")
@click.option("--kind", type=click.Choice(KINDS), help="What people do with it; an archive of a project knows.")
@click.option("--overlap", default=1, show_default=True, type=click.IntRange(1, 100), help="How many people each.")
@click.option("--priority", default=0, show_default=True, type=click.IntRange(-1000, 1000))
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def import_(
    settings: DeskSettings, db: str | None, project: str, kind: str | None, overlap: int, priority: int, path: Path
) -> None:
    """Add work from PATH: JSON lines, a data set's folder, or an archive that `export` wrote.

    Example: momus desk import --project first --kind rate runs/rated/comparisons.jsonl
    """
    from momus.desk.transfer import import_path

    store = _open(settings, db)
    added = import_path(store, project, kind, path, overlap=overlap, priority=priority)
    print(f"{added.added:,} added, {added.known:,} known already")


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
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder, or the archive's file.")
@click.pass_obj
def export(settings: DeskSettings, db: str | None, project: str, form: str, out: Path) -> None:
    """Write what a project holds, people under pseudonyms.

    Example: momus desk export --project first --format records -o runs/desk
    """
    from momus.desk.transfer import export_path

    for line in export_path(_open(settings, db), project, form, out):
        print(line)


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
