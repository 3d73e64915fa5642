"""A PostgreSQL server, over one connection."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.postgres.bloat import index_bloat, table_bloat
from agent.postgres.blocking import BLOCKING
from agent.postgres.configuration import SETTINGS
from agent.postgres.queries import queries as questions_of
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
from agent.sql.interview import LOOKING, Interview, Outcome
from agent.sql.question import Question
from watchkeeper.catalogue import Metric, postgres

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
        run_seconds: of all of them; what there is no time for is asked first the next time.
        slow_interval_seconds: between two times of asking the slow ones; in between, what they
            last brought is told again.
        databases: further ones whose tables and indexes are told of, over a connection each.
        tls: ``prefer`` or ``verify``.
        certificates: file with the authorities to trust; empty for the system's.
        queries: questions of the user's own, each with the arguments of ``postgres.queries.query``.
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
        run_seconds: float = math.inf,
        databases: Sequence[str] = (),
        tls: str = "prefer",
        certificates: str = "",
        queries: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._server = f"{host}:{port}"
        self._slow_interval_seconds = slow_interval_seconds
        self._timeout_seconds, self._run_seconds = timeout_seconds, run_seconds
        self._connect = partial(
            Session,
            host=host,
            port=port,
            user=user,
            password=password,
            tls=tls,
            certificates=certificates,
            timeout_seconds=timeout_seconds,
        )
        about_tables = [about(tables) for about in TABLE_QUESTIONS if tables]
        about_statements = [statements_about(statements)] if statements else []
        slow = [*SLOW_QUESTIONS, *about_statements, *about_tables, *questions_of(queries)]
        self._interview = self._interviewing(database, QUESTIONS, slow, postgres.UP)
        self._further = {
            name: self._interviewing(name, (), [_of(name, one) for one in about_tables], None)
            for name in databases
        }

    def _interviewing(
        self, database: str, quick: Sequence[Question], slow: Sequence[Question], up: Metric | None
    ) -> Interview:
        return Interview(
            self._server,
            partial(self._connect, database=database),
            quick=quick,
            slow=slow,
            slow_interval_seconds=self._slow_interval_seconds,
            question_seconds=self._timeout_seconds,
            outcome=Outcome(up, postgres.QUESTION_SUCCESS, postgres.QUESTION_DURATION),
            looking=LOOKING if up else f"{LOOKING} in {database}",
        )

    def collect(self) -> Iterator[Family]:
        """Return what the server tells now; raise CollectionFailed with ``pg_up 0``."""
        ends_at = time.monotonic() + self._run_seconds
        yield from self._interview.collect(ends_at)
        for name in list(self._further):
            families, answers = self._told_of(name, ends_at)
            yield from families
            yield single(postgres.QUESTION_SUCCESS, answers, (self._server, _place(name)))

    def _told_of(self, name: str, ends_at: float) -> tuple[list[Family], int]:
        """Return what a further database tells, and whether it answers."""
        interview = self._further[name]
        # A login and a question: one database that hangs must not cost what the others told.
        if time.monotonic() + 2 * self._timeout_seconds > ends_at:
            return list(interview.kept()), 0
        self._further[name] = self._further.pop(name)  # who was asked goes to the end
        try:
            return list(interview.collect(ends_at)), 1
        except CollectionFailed:  # one database that is gone costs its own series only
            return [], 0

    def when_silent(self) -> list[Family]:
        """Return ``pg_up 0``."""
        return self._interview.when_silent()

    def close(self) -> None:
        """Close the connections."""
        for interview in (self._interview, *self._further.values()):
            interview.close()


def _place(database: str) -> str:
    return f"database {database}"


def _of(database: str, question: Question) -> Question:
    """Return a question under a name that tells in which database it is put."""
    return replace(question, name=f"{question.name} in {database}")
