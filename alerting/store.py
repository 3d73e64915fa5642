"""Alerting's database, and the lock that says whose it is."""

from __future__ import annotations

import fcntl
from pathlib import Path

import sqlalchemy as sa

from alerting.tables import MIGRATIONS
from watchkeeper.errors import StorageError
from watchkeeper.storage import migrate, open_database, reading, sqlite_url

DATABASE_FILE = "alerting.sqlite"
LOCK_FILE = "alerting.lock"


class Store:
    """The database in ``data_dir``, held until closed.

    The kernel drops the lock with the process, however it ends, so whoever gets it knows that every
    lease found in the database belongs to nobody.

    Raises:
        StorageError: another process holds it, or the database cannot be used.
    """

    def __init__(self, data_dir: Path) -> None:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._lock = (data_dir / LOCK_FILE).open("w")
        except OSError as error:
            raise StorageError(f"{data_dir} cannot be used: {error}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise StorageError(f"another alerting process uses {data_dir}") from None
        self.engine = open_database(sqlite_url(data_dir / DATABASE_FILE))
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
        self._lock.close()
