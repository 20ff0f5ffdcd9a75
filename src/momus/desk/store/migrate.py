"""Brings a database to the schema that this version needs, and back."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from momus.desk.store.engine import Store
from momus.errors import MomusError

_LOCK = 6_406_268_715  # any number, the same for every desk


def upgrade(store: Store, revision: str = "head") -> None:
    """Bring the schema up; what is there already stays. Two desks that start at once wait for each other.

    Raises MomusError where the database is from a newer version of Momus.
    """
    with store.connection() as connection:
        if not store.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = version(connection)
        known = {script.revision for script in ScriptDirectory.from_config(_config(connection)).walk_revisions()}
        if found is not None and found not in known:
            raise MomusError("this database is from a newer version of Momus: install that version, or another --db")
        command.upgrade(_config(connection), revision)


def downgrade(store: Store, revision: str) -> None:
    """Take the schema down to an earlier one, or to nothing (`base`): what only the later one holds is lost."""
    with store.connection() as connection:
        command.downgrade(_config(connection), revision)


def version(connection: Connection) -> str | None:
    """The schema's revision; None in an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
