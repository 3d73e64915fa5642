"""Puts questions to a server over one connection, one after another."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.sql.question import Question, Session
from watchkeeper.catalogue import Metric
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.logs import get_logger

log = get_logger(__name__)

LOOKING = "facts"


BUSY_RATIO = 0.01
"""A slow question keeps the server busy for no more than this part of the time."""

MAX_INTERVALS = 20
"""But it is asked after so many intervals at the latest: five minutes by default."""

Answers = dict[str, list[Family]]
"""Families by name of the question."""


def pause_seconds(interval_seconds: float, duration_seconds: float) -> float:
    """Return how long to wait before asking a slow question again that took so long."""
    rare = min(duration_seconds / BUSY_RATIO, MAX_INTERVALS * interval_seconds)
    return max(interval_seconds, rare)


class Outcome(NamedTuple):
    """The metrics that tell how it went: of the server, unless others do, and by question."""

    up: Metric | None
    success: Metric
    duration: Metric


class Interview:
    """Asks all its questions; one that is refused costs its own series only.

    Args:
        server: the ``server`` label of all series.
        connect: makes the session; raises UpstreamError.
        quick: asked every time, in this order.
        slow: asked after them, at the slow interval only, and those that take the server long more
            rarely; in between, what they last brought is told again.
        slow_interval_seconds: between two times of asking these.
        question_seconds: the longest that one may take; none is begun that could outlast the run.
        outcome: what tells how it went.
        looking: the name under which looking at the server itself is told of, as if it were a
            question.
    """

    def __init__(
        self,
        server: str,
        connect: Callable[[], Session],
        *,
        quick: Sequence[Question],
        slow: Sequence[Question],
        slow_interval_seconds: float,
        question_seconds: float,
        outcome: Outcome,
        looking: str = LOOKING,
    ) -> None:
        self._server = server
        self._connect = connect
        self._quick = quick
        self._order = list(quick)  # but who got no turn comes first
        self._slow = slow
        self._slow_interval_seconds = slow_interval_seconds
        self._question_seconds = question_seconds
        self._ends_at = math.inf
        self._unasked: set[str] = set()
        self._outcome = outcome
        self._looking = looking
        self._session: Session | None = None
        self._due_at: dict[str, float] = {}
        self._kept: Answers = {}
        self._answers: Answers = {}
        self._answered: dict[str, bool] = {}
        self._durations: dict[str, float] = {}

    def collect(self, ends_at: float = math.inf) -> Iterator[Family]:
        """Return what the server tells now.

        What there is no time for is told as it was last answered, counts as not answered, and is
        asked first the next time.

        Args:
            ends_at: of the run, on the monotonic clock in seconds.

        Raises:
            CollectionFailed: it cannot be reached or refuses us; with ``up`` at 0.
        """
        self._ends_at = ends_at
        try:
            if self._session is None:
                self._session = self._connect()
            families = self._ask_all(self._session)
        except UpstreamError as error:
            self.close()
            down = self.when_silent()
            raise CollectionFailed(str(error), reason=error.reason, families=down) from None
        yield from self._told_of_server(1)
        yield from families

    def when_silent(self) -> list[Family]:
        """Return what holds while the server says nothing: that it is not up."""
        return list(self._told_of_server(0))

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._due_at.clear()
        for before in (self._answers, self._kept):  # of a server that may come back another
            before.clear()

    def kept(self) -> Iterator[Family]:
        """Yield what was last told of the slow questions, without asking."""
        yield from itertools.chain(*self._kept.values())

    def _has_time(self) -> bool:
        return time.monotonic() + self._question_seconds <= self._ends_at

    def _ask_all(self, session: Session) -> list[Family]:
        self._order.sort(key=lambda question: question.name not in self._unasked)
        self._unasked.clear()
        answers, goes_on = self._ask_each(session, self._order, goes_on=True)
        for question in self._quick:
            if question.name in self._unasked:
                answers[question.name] = self._answers.get(question.name, [])
        self._answers = {question.name: answers.get(question.name, []) for question in self._quick}
        now = time.monotonic()
        due = [question for question in self._slow if self._due_at.get(question.name, now) <= now]
        if due and self._has_time():
            due.sort(key=lambda question: self._due_at.get(question.name, now))
            goes_on = goes_on and self._look(session)
            slow_answers, _ = self._ask_each(session, due, goes_on=goes_on)
            for question in due:
                if question.name in self._unasked:
                    self._due_at.setdefault(question.name, now)
                    continue
                self._kept[question.name] = slow_answers.get(question.name, [])
                self._due_at[question.name] = now + self._pause_seconds(question, slow_answers)
        families = itertools.chain.from_iterable(self._answers.values())
        return [*families, *self.kept(), *self._told_of_questions()]

    def _pause_seconds(self, question: Question, answers: Answers) -> float:
        interval = max(self._slow_interval_seconds, question.interval_seconds)
        if question.name not in answers:
            return self._slow_interval_seconds
        return pause_seconds(interval, self._durations[question.name])

    def _look(self, session: Session) -> bool:
        """Look at the server again, and return whether to go on asking."""
        try:
            session.learn()
        except UpstreamError as error:
            return self._goes_on_after(self._looking, error, session)
        self._answered[self._looking] = True
        return True

    def _ask_each(
        self, session: Session, questions: Sequence[Question], *, goes_on: bool
    ) -> tuple[Answers, bool]:
        """Return the families of those that answered, and whether to go on asking."""
        answers: Answers = {}
        for question in questions:
            if session.version < question.since:
                continue
            if not goes_on:
                self._answered[question.name] = False
                continue
            if not self._has_time():
                self._answered[question.name] = False
                self._unasked.add(question.name)
                continue
            try:
                answers[question.name] = self._ask(session, question)
            except UpstreamError as error:
                goes_on = self._goes_on_after(question.name, error, session)
        return answers, goes_on

    def _ask(self, session: Session, question: Question) -> list[Family]:
        if question.needs and question.needs not in session.words:
            message = f"the server has no {question.needs} here"
            raise UpstreamError(message, reason=Reason.BAD_ANSWER)
        started = time.monotonic()
        try:
            rows = session.ask(question.statement(session.words))
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

    def _told_of_server(self, value: int) -> Iterator[Family]:
        if self._outcome.up is not None:
            yield single(self._outcome.up, value, (self._server,))

    def _told_of_questions(self) -> Iterator[Family]:
        yield Family(
            self._outcome.success,
            [((self._server, name), int(answered)) for name, answered in self._answered.items()],
        )
        yield Family(
            self._outcome.duration,
            [((self._server, name), seconds) for name, seconds in self._durations.items()],
        )
