"""One time for all replicas: the database's, so that their own clocks may disagree."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from watchkeeper.storage import reading

RECHECK_SECONDS = 10.0
"""How often the database is asked; between, the monotonic clock goes on (it drifts by < 1 ms)."""


class SharedClock:
    """The PostgreSQL server's clock, carried on by this machine's monotonic one.

    A lease that one replica takes is then judged by another by the very clock it was taken by.
    A jump of a replica's own clock, or a skew of minutes, changes nothing.

    Raises:
        StorageError: from any method that has to ask, when the database cannot be asked.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._asked_at_seconds = -RECHECK_SECONDS
        self._offset_seconds = 0.0

    def now(self) -> datetime:
        """Return the database's time, aware, in UTC."""
        with self._lock:
            if time.monotonic() - self._asked_at_seconds >= RECHECK_SECONDS:
                self._ask()
            return datetime.fromtimestamp(time.monotonic() + self._offset_seconds, UTC)

    def monotonic_seconds(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        return time.monotonic()

    def _ask(self) -> None:
        began_seconds = time.monotonic()
        with reading(self._engine) as connection:
            query = sa.text("SELECT extract(epoch FROM clock_timestamp())")
            unix_seconds = float(connection.execute(query).scalar_one())
        ended_seconds = time.monotonic()
        # The answer was true at some moment between; the middle is off by half the trip at most.
        self._offset_seconds = unix_seconds - (began_seconds + ended_seconds) / 2
        self._asked_at_seconds = ended_seconds
