"""Alerting's database, and the lock that says whose it is."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa

from alerting.tables import MIGRATIONS
from watchkeeper.errors import StorageError
from watchkeeper.storage import migrate, open_database, reading, sqlite_url

DATABASE_FILE = "alerting.sqlite"
LOCK_FILE = "alerting.lock"


class Store:
    """The database: a SQLite file of one process, or a PostgreSQL that replicas share.

    The kernel drops the lock on the file's directory with the process, however it ends, so whoever
    gets it knows that every lease found in the database belongs to nobody. On PostgreSQL a lease
    may be another replica's, and only time ends it.

    Args:
        data_dir: where the SQLite file lies.
        url: of a PostgreSQL; empty for the file.

    Raises:
        StorageError: another process holds it, or the database cannot be used.
    """

    def __init__(self, data_dir: Path, *, url: str = "") -> None:
        self.is_shared = bool(url)
        self._lock = None if url else _hold(data_dir)
        self.engine = open_database(url or sqlite_url(data_dir / DATABASE_FILE))
        migrate(self.engine, MIGRATIONS)

    def problem(self) -> str | None:
        """Return why the database cannot be used, or None; a readiness check."""
        try:
            with reading(self.engine) as connection:
                connection.execute(sa.text("SELECT 1"))
        except StorageError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Let go of the database and the lock."""
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()


def _hold(data_dir: Path) -> TextIO:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / LOCK_FILE).open("w")
    except OSError as error:
        raise StorageError(f"{data_dir} cannot be used: {error}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StorageError(f"another alerting process uses {data_dir}") from None
    return lock
