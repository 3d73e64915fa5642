"""Hand-over of work between two agents, and how far one's copy is behind the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

from watchkeeper.catalogue import tasks
from watchkeeper.instrument.buckets import TASK_SECONDS
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.interval import between_clocks
from watchkeeper.instrument.tracing import current_exemplar


class HandoffMetrics:
    """The hand-over families of an application."""

    def __init__(
        self,
        service: str,
        registry: CollectorRegistry,
        guard: Guard,
        skew: Counter,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._guard = guard
        self._skew = skew.labels(service, "handoff")
        self._now_seconds = now_seconds
        self._handoff = tasks.HANDOFF.histogram(registry, TASK_SECONDS)
        self._lag = tasks.SYNC_LAG.gauge(registry)

    def accepted(self, source: str, target: str, handed_over_seconds: float) -> None:
        """Note that ``target`` has just accepted what ``source`` handed over.

        Args:
            source: the agent that handed over; a label.
            target: the agent that accepted; a label.
            handed_over_seconds: Unix time by the source's clock.
        """
        with self._guard.around("handoff"):
            elapsed_seconds = between_clocks(handed_over_seconds, self._now_seconds())
            if elapsed_seconds is None:
                self._skew.inc()
            else:
                handoff = self._handoff.labels(self._service, source, target)
                handoff.observe(elapsed_seconds, current_exemplar())

    def sync_lag(self, source: str, target: str, *, grace_seconds: float) -> SyncLag:
        """Return the watermark that the copier of ``source`` into ``target`` keeps up to date.

        Args:
            source: the agent copied from; a label.
            target: the agent that holds the copy; a label.
            grace_seconds: how long a confirmation counts; a little over the pause between two.
        """
        lag = SyncLag(self._now_seconds, grace_seconds)
        gauge = self._lag.labels(self._service, source, target)
        gauge.set_function(lag.seconds)
        return lag


class SyncLag:
    """The moment up to which a copy is known to be complete.

    The lag is worked out when it is asked for, so a copier that hangs or dies shows as a growing
    lag and not as the last good value.
    """

    def __init__(self, now_seconds: Callable[[], float], grace_seconds: float) -> None:
        self._now_seconds = now_seconds
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._complete_until_seconds = now_seconds()
        self._behind = False

    def caught_up(self) -> None:
        """Say that the copy has everything now."""
        with self._lock:
            self._complete_until_seconds = self._now_seconds()
            self._behind = False

    def behind_since(self, changed_seconds: float) -> None:
        """Say that a change made at ``changed_seconds`` (Unix time) is not copied yet."""
        with self._lock:
            self._complete_until_seconds = changed_seconds
            self._behind = True

    def seconds(self) -> float:
        """Return the lag, 0 or more; 0 while the last confirmation is within the grace."""
        with self._lock:
            lag_seconds = max(0.0, self._now_seconds() - self._complete_until_seconds)
            if not self._behind and lag_seconds <= self._grace_seconds:
                return 0.0
            return lag_seconds
