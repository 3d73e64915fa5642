"""A PostgreSQL server, over one connection."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.postgres.bloat import index_bloat, table_bloat
from agent.postgres.blocking import BLOCKING
from agent.postgres.configuration import SETTINGS
from agent.postgres.question import Question
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
from agent.postgres.versions import Facts
from watchkeeper.catalogue import postgres
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

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
        self._quick = QUESTIONS
        self._slow = [
            *SLOW_QUESTIONS,
            *([statements_about(statements)] if statements else []),
            *(about(tables) for about in TABLE_QUESTIONS if tables),
        ]
        self._slow_interval_seconds = slow_interval_seconds
        self._slow_asked_at = float("-inf")
        self._slow_families: list[Family] = []
        self._session: Session | None = None
        self._words: Mapping[str, str] = {}
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
                self._words = Facts(self._session.version).words()
            families = self._ask_all(self._session)
        except UpstreamError as error:
            self.close()
            down = single(postgres.UP, 0, (self._server,))
            raise CollectionFailed(str(error), reason=error.reason, families=[down]) from None
        yield single(postgres.UP, 1, (self._server,))
        yield from families

    def _ask_all(self, session: Session) -> list[Family]:
        now = time.monotonic()
        quick, goes_on = self._ask_each(session, self._quick, goes_on=True)
        if now - self._slow_asked_at >= self._slow_interval_seconds:
            self._slow_asked_at = now
            goes_on = goes_on and self._learn(session)
            self._slow_families, _ = self._ask_each(session, self._slow, goes_on=goes_on)
        return [*quick, *self._slow_families, *self._told_of_questions()]

    def _learn(self, session: Session) -> bool:
        """Look at the server again, and return whether to go on asking."""
        try:
            self._words = session.facts().words()
        except UpstreamError as error:
            return self._goes_on_after("facts", error, session)
        self._answered["facts"] = True
        return True

    def _ask_each(
        self, session: Session, questions: Sequence[Question], *, goes_on: bool
    ) -> tuple[list[Family], bool]:
        """Return the families of all that answered, and whether to go on asking."""
        families: list[Family] = []
        for question in questions:
            if session.version < question.since:
                continue
            if not goes_on:
                self._answered[question.name] = False
                continue
            try:
                families += self._ask(session, question)
            except UpstreamError as error:
                goes_on = self._goes_on_after(question.name, error, session)
        return families, goes_on

    def _ask(self, session: Session, question: Question) -> list[Family]:
        if question.needs and question.needs not in self._words:
            message = f"the database has no {question.needs}"
            raise UpstreamError(message, reason=Reason.BAD_ANSWER)
        started = time.monotonic()
        try:
            rows = session.ask(question.statement(self._words))
        finally:
            self._durations[question.name] = time.monotonic() - started
        families = list(question.families(rows, self._server))
        self._answered[question.name] = True
        return families

    def _goes_on_after(self, name: str, error: UpstreamError, session: Session) -> bool:
        if session.is_lost:
            raise error
        if self._answered.get(name, True):  # once an outage, not once a run
            extra = {"server": self._server, "question": name, "detail": str(error)}
            log.warning("question refused", extra=extra)
        self._answered[name] = False
        # On a server this busy or locked, the rest would only add to its load.
        return error.reason is not Reason.TIMEOUT

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
