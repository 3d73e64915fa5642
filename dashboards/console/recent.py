"""Answers kept for a moment: fifty open pages that ask the same thing are one question."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import PrometheusClient

Value = TypeVar("Value")

MOST_ANSWERS = 500
"""Kept at most; the least recently used goes first."""

FRESH_SECONDS = 5.0
"""The stack's scrape interval: what Prometheus says does not change faster."""


@dataclass(slots=True)
class _Answer(Generic[Value]):
    """One answer or failure, and when it was given."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float = float("-inf")
    value: Value | None = None
    error: UpstreamError | None = None


class Recent(Generic[Value]):
    """Remembers what was answered by key, failures too: a source that hangs is not asked again
    by everybody at once.

    Args:
        fresh_seconds: how long an answer is good for.
        monotonic: the time in seconds; only differences matter.
    """

    def __init__(
        self, fresh_seconds: float, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._fresh_seconds = fresh_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, _Answer[Value]] = OrderedDict()

    def get(self, key: Hashable, ask: Callable[[], Value]) -> Value:
        """Return the answer for ``key``, asked for at most once while it is fresh.

        Raises:
            UpstreamError: as ``ask`` did, now or a moment ago.
        """
        answer = self._answer(key)
        with answer.lock:  # whoever comes second waits for the first one's answer
            if self._monotonic() - answer.at > self._fresh_seconds:
                self._ask(answer, ask)
            if answer.error is not None:
                raise answer.error.with_traceback(None)
            return answer.value  # type: ignore[return-value]  # set together with ``at``

    def forget(self) -> None:
        """Ask anew from now on."""
        with self._lock:
            self._answers.clear()

    def _ask(self, answer: _Answer[Value], ask: Callable[[], Value]) -> None:
        try:
            answer.value, answer.error = ask(), None
        except UpstreamError as error:
            answer.error = error
        answer.at = self._monotonic()

    def _answer(self, key: Hashable) -> _Answer[Value]:
        with self._lock:
            answer = self._answers.setdefault(key, _Answer())
            self._answers.move_to_end(key)
            if len(self._answers) > MOST_ANSWERS:
                self._answers.popitem(last=False)
            return answer


class RecentPrometheus(PrometheusClient):
    """A client whose answers are shared by all who ask the same within a scrape interval."""

    def __init__(self, base_url: str, *, timeout_seconds: float) -> None:
        super().__init__(base_url, timeout_seconds=timeout_seconds)
        self._recent: Recent[Any] = Recent(FRESH_SECONDS)

    def _get(self, path: str, parameters: dict[str, str]) -> Any:
        key = (path, *sorted(parameters.items()))
        return self._recent.get(key, lambda: super(RecentPrometheus, self)._get(path, parameters))
