"""Database calls as the client sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from watchkeeper.catalogue import http
from watchkeeper.instrument.buckets import DATABASE_SECONDS
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.tracing import current_exemplar


class DatabaseMetrics:
    """Duration of database operations by system and operation."""

    def __init__(self, service: str, registry: CollectorRegistry, guard: Guard) -> None:
        self._service = service
        self._guard = guard
        self._duration = http.DB_OPERATION_DURATION.histogram(registry, DATABASE_SECONDS)

    @contextmanager
    def operation(self, name: str, *, system: str = "postgresql") -> Iterator[None]:
        """Time one operation, whether it succeeds or not.

        Args:
            name: what the application calls it (``find task``), never SQL text; a label.
            system: OpenTelemetry's ``db.system.name``.
        """
        started = time.perf_counter()
        try:
            yield
        finally:
            took_seconds = time.perf_counter() - started
            with self._guard.around("database"):
                duration = self._duration.labels(self._service, system, name)
                duration.observe(took_seconds, current_exemplar())
