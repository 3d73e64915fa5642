"""Caches inside an application: how often they help and how long they take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry

from watchkeeper.catalogue import cache
from watchkeeper.instrument.buckets import CACHE_SECONDS
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.tracing import current_exemplar

Result = Literal["hit", "miss", "error"]
Operation = Literal["get", "set", "delete"]


class CacheMetrics:
    """The families of all caches of an application; ``of`` gives the instrument of one."""

    def __init__(self, service: str, registry: CollectorRegistry, guard: Guard) -> None:
        self._service = service
        self.guard = guard
        self.requests = cache.REQUESTS.counter(registry)
        self.latency = cache.LATENCY.histogram(registry, CACHE_SECONDS)

    def of(self, name: str, *, level: str) -> CacheInstrument:
        """Return the instrument of one cache.

        Args:
            name: the cache, such as ``search``; a label.
            level: where it lies, ``memory`` or ``redis``; a label.
        """
        return CacheInstrument(self, (self._service, name, level))


class CacheInstrument:
    """What one cache reports."""

    def __init__(self, metrics: CacheMetrics, labels: tuple[str, str, str]) -> None:
        self._metrics = metrics
        self._labels = labels

    def count(self, result: Result) -> None:
        """Count one look-up by its result."""
        with self._metrics.guard.around("cache"):
            self._metrics.requests.labels(*self._labels, result).inc()

    @contextmanager
    def timing(self, operation: Operation) -> Iterator[None]:
        """Time one operation, whether it succeeds or not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            took_seconds = time.perf_counter() - started
            with self._metrics.guard.around("cache"):
                duration = self._metrics.latency.labels(*self._labels, operation)
                duration.observe(took_seconds, current_exemplar())
