"""A PostgreSQL server, over one connection."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from agent.family import Family
from agent.postgres.bloat import index_bloat, table_bloat
from agent.postgres.blocking import BLOCKING
from agent.postgres.configuration import SETTINGS
from agent.postgres.replication import CONFLICTS, REPLICATION, SLOTS, STANDBYS
from agent.postgres.session import Session
from agent.postgres.sizes import SIZES
from agent.postgres.statements import statements as statements_about
from agent.postgres.statistics import ACTIVITY, DATABASES, LOCKS, SATURATION, SERVER
from agent.postgres.tables import indexes as indexes_about
from agent.postgres.tables import tables as tables_about
from agent.postgres.upkeep import (
    ARCHIVER,
    BGWRITER,
    CHECKPOINTER,
    LONG_TRANSACTIONS,
    WAL,
    WRAPAROUND,
)
from agent.sql.interview import Interview, Outcome
from watchkeeper.catalogue import postgres

QUESTIONS = (
    SERVER, DATABASES, ACTIVITY, SATURATION, BLOCKING, LOCKS, LONG_TRANSACTIONS, BGWRITER,
    CHECKPOINTER, ARCHIVER, REPLICATION, STANDBYS, SLOTS,
)  # fmt: skip
"""Asked every time, in this order."""

SLOW_QUESTIONS = (CONFLICTS, SETTINGS, WRAPAROUND, WAL, SIZES)
"""Asked at the slow interval, after the others: they cost the server more, or may meet a lock."""

TABLE_QUESTIONS = (tables_about, indexes_about, table_bloat, index_bloat)
"""Asked of the database we are in, each about so many of the largest."""


class PostgresCollector:
    """Asks its questions one after another; one that is refused costs its own series only.

    Args:
        host: name, address, or the directory of a Unix socket.
        port: TCP port.
        database: to connect to.
        user: the role.
        password: empty for none.
        statements: how many single statements to tell of; 0 for none.
        tables: how many tables, and as many indexes, to tell of; 0 for none.
        timeout_seconds: of each question.
        slow_interval_seconds: between two times of asking the slow ones; in between, what they
            last brought is told again.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        database: str,
        user: str,
        password: str,
        statements: int,
        tables: int,
        timeout_seconds: float,
        slow_interval_seconds: float,
    ) -> None:
        connect = partial(
            Session,
            host=host,
            port=port,
            database=database,
            user=user,
            password=password,
            timeout_seconds=timeout_seconds,
        )
        self._interview = Interview(
            f"{host}:{port}",
            connect,
            quick=QUESTIONS,
            slow=[
                *SLOW_QUESTIONS,
                *([statements_about(statements)] if statements else []),
                *(about(tables) for about in TABLE_QUESTIONS if tables),
            ],
            slow_interval_seconds=slow_interval_seconds,
            outcome=Outcome(postgres.UP, postgres.QUESTION_SUCCESS, postgres.QUESTION_DURATION),
        )

    def collect(self) -> Iterator[Family]:
        """Return what the server tells now; raise CollectionFailed with ``pg_up 0``."""
        return self._interview.collect()

    def close(self) -> None:
        """Close the connection."""
        self._interview.close()
