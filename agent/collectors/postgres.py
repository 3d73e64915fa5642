"""A PostgreSQL server, over one connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.postgres.configuration import SETTINGS
from agent.postgres.question import Question
from agent.postgres.session import Session
from agent.postgres.sizes import SIZES
from agent.postgres.statements import statements as statements_question
from agent.postgres.statistics import ACTIVITY, DATABASES, LOCKS, SERVER
from watchkeeper.catalogue import postgres
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

QUESTIONS = (SERVER, DATABASES, ACTIVITY, LOCKS, SIZES, SETTINGS)
"""In the order they are asked; the slow ones last."""


class PostgresCollector:
    """Asks its questions one after another; one that is refused costs its own series only.

    Args:
        host: name, address, or the directory of a Unix socket.
        port: TCP port.
        database: to connect to.
        user: the role.
        password: empty for none.
        statements: how many single statements to tell of; 0 for none.
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
        self._questions = QUESTIONS + ((statements_question(statements),) if statements else ())
        self._slow_interval_seconds = slow_interval_seconds
        self._slow_asked_at = float("-inf")
        self._slow_families: dict[str, list[Family]] = {}
        self._session: Session | None = None
        self._refusals: dict[str, UpstreamError] = {}
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
        for question in self._questions:
            if question.is_slow and not is_slow_due:
                families += self._slow_families.get(question.name, [])
                continue
            families += self._ask(session, question)
            refusal = self._refusals.get(question.name)
            if refusal is not None and refusal.reason is Reason.TIMEOUT:
                break  # on a server this busy, the rest would only add to its load
        return [*families, *self._told_of_questions()]

    def _ask(self, session: Session, question: Question) -> list[Family]:
        started = time.monotonic()
        families: list[Family] = []
        try:
            rows = session.ask(question.sql(session.version))
            families += question.families(rows, self._server)
            self._refusals.pop(question.name, None)
        except UpstreamError as error:
            if session.is_lost:
                raise
            self._note_refusal(question, error)
        self._durations[question.name] = time.monotonic() - started
        if question.is_slow:
            self._slow_families[question.name] = families
        return families

    def _note_refusal(self, question: Question, error: UpstreamError) -> None:
        if question.name not in self._refusals:
            extra = {"server": self._server, "question": question.name, "detail": str(error)}
            log.warning("question refused", extra=extra)
        self._refusals[question.name] = error

    def _told_of_questions(self) -> Iterator[Family]:
        labelled = [((self._server, name), name) for name in self._durations]
        yield Family(
            postgres.QUESTION_SUCCESS,
            [(labels, int(name not in self._refusals)) for labels, name in labelled],
        )
        yield Family(
            postgres.QUESTION_DURATION,
            [(labels, self._durations[name]) for labels, name in labelled],
        )

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._slow_asked_at = float("-inf")
