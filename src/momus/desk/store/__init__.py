"""Where the desk keeps its data: SQLite or PostgreSQL, by SQLAlchemy."""

from momus.desk.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
