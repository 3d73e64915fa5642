"""The latest answer of one source, and what is wrong when it stops answering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from watchkeeper.errors import UpstreamError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Reading(Generic[Value]):
    """What a source last said.

    Attributes:
        value: the last good answer; kept when the source stops answering, never passed off as
            current (``is_current``).
        at: when that answer was given.
        problem: why there is none now, as a sentence; None while all is well.
        asked: whether the source has been asked at all yet.
    """

    value: Value | None = None
    at: datetime | None = None
    problem: str | None = None
    asked: bool = False

    @property
    def is_current(self) -> bool:
        """Whether ``value`` is what the source says now."""
        return self.asked and self.problem is None

    def answered(self, value: Value, at: datetime) -> Reading[Value]:
        """Return the reading after a good answer."""
        return Reading(value, at, None, asked=True)

    def failed(self, problem: str) -> Reading[Value]:
        """Return the reading after a failure: the old value stays, marked."""
        return replace(self, problem=problem, asked=True)


def take(ask: Callable[[], Value], *, now: datetime) -> Reading[Value]:
    """Return the reading of a source asked just now, for pages that are seldom looked at."""
    unasked: Reading[Value] = Reading()
    try:
        return unasked.answered(ask(), now)
    except UpstreamError as error:
        return unasked.failed(str(error))
