"""Alembic asks here for the connection; it is the one that `store.migrate` opened."""

from __future__ import annotations

from alembic import context

from momus.desk.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
