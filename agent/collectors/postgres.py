"""A PostgreSQL server, over one connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.postgres.blocking import BLOCKING
from agent.postgres.configuration import SETTINGS
from agent.postgres.question import Question
from agent.postgres.replication import CONFLICTS, REPLICATION, SLOTS, STANDBYS
from agent.postgres.session import Session
from agent.postgres.sizes import SIZES
from agent.postgres.statements import statements as statements_about
from agent.postgres.statistics import ACTIVITY, DATABASES, LOCKS, SERVER
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
from watchkeeper.catalogue import postgres
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

QUESTIONS = (
    SERVER, DATABASES, ACTIVITY, BLOCKING, LOCKS, LONG_TRANSACTIONS, BGWRITER, CHECKPOINTER,
    ARCHIVER, REPLICATION, STANDBYS, SLOTS, CONFLICTS, SETTINGS, WRAPAROUND, WAL, SIZES,
)  # fmt: skip
"""In the order they are asked; the slow ones last, those that may meet a lock at the very end."""


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
        self._server = f"{host}:{port}"
        self._connect = partial(
            Session,
            host=host,
            port=port,
            database=database,
            user=user,
            password=password,
            timeout_seconds=timeout_seconds,
        )
        self._questions = [
            *QUESTIONS,
            *([statements_about(statements)] if statements else []),
            *([tables_about(tables), indexes_about(tables)] if tables else []),
        ]
        self._slow_interval_seconds = slow_interval_seconds
        self._slow_asked_at = float("-inf")
        self._slow_families: dict[str, list[Family]] = {}
        self._session: Session | None = None
        self._answered: dict[str, bool] = {}
        self._durations: dict[str, float] = {}

    def collect(self) -> Iterator[Family]:
        """Return what the server tells now.

        Raises:
            CollectionFailed: with ``pg_up 0``: it cannot be reached or refuses us.
        """
        try:
            if self._session is None:
                self._session = self._connect()
            families = self._ask_all(self._session)
        except UpstreamError as error:
            self.close()
            down = single(postgres.UP, 0, (self._server,))
            raise CollectionFailed(str(error), reason=error.reason, families=[down]) from None
        yield single(postgres.UP, 1, (self._server,))
        yield from families

    def _ask_all(self, session: Session) -> list[Family]:
        now = time.monotonic()
        is_slow_due = now - self._slow_asked_at >= self._slow_interval_seconds
        if is_slow_due:
            self._slow_asked_at = now
        families: list[Family] = []
        is_hopeless = False
        for question in self._questions:
            if session.version < question.since:
                continue
            if question.is_slow and not is_slow_due:
                families += self._slow_families.get(question.name, [])
                continue
            if is_hopeless:
                self._answered[question.name] = False
                continue
            try:
                families += self._ask(session, question)
            except UpstreamError as error:
                if session.is_lost:
                    raise
                self._note_refusal(question, error)
                # On a server this busy or locked, the rest would only add to its load.
                is_hopeless = error.reason is Reason.TIMEOUT
        return [*families, *self._told_of_questions()]

    def _ask(self, session: Session, question: Question) -> list[Family]:
        started = time.monotonic()
        self._slow_families.pop(question.name, None)
        try:
            rows = session.ask(question.sql(session.version))
        finally:
            self._durations[question.name] = time.monotonic() - started
        families = list(question.families(rows, self._server))
        self._answered[question.name] = True
        if question.is_slow:
            self._slow_families[question.name] = families
        return families

    def _note_refusal(self, question: Question, error: UpstreamError) -> None:
        if self._answered.get(question.name, True):  # once an outage, not once a run
            extra = {"server": self._server, "question": question.name, "detail": str(error)}
            log.warning("question refused", extra=extra)
        self._answered[question.name] = False

    def _told_of_questions(self) -> Iterator[Family]:
        yield Family(
            postgres.QUESTION_SUCCESS,
            [((self._server, name), int(answered)) for name, answered in self._answered.items()],
        )
        yield Family(
            postgres.QUESTION_DURATION,
            [((self._server, name), seconds) for name, seconds in self._durations.items()],
        )

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._slow_asked_at = float("-inf")
