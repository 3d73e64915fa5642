"""HTTP requests an application makes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from watchkeeper.catalogue import http
from watchkeeper.instrument.buckets import HTTP_SECONDS
from watchkeeper.instrument.guard import Guard
from watchkeeper.instrument.tracing import current_exemplar


@dataclass(slots=True)
class Call:
    """One request being made; set ``status`` when an answer arrives."""

    status: int | None = None


class HttpClientMetrics:
    """Duration of outgoing requests by server, status or kind of error."""

    def __init__(self, service: str, registry: CollectorRegistry, guard: Guard) -> None:
        self._service = service
        self._guard = guard
        self._duration = http.CLIENT_REQUEST_DURATION.histogram(registry, HTTP_SECONDS)

    @contextmanager
    def calling(self, server: str, method: str) -> Iterator[Call]:
        """Time one call; an exception that leaves the block names the error.

        Args:
            server: name or address of the server, from a bounded set; a label.
            method: the HTTP method.
        """
        call = Call()
        started = time.perf_counter()
        error_type = ""
        try:
            yield call
        except Exception as error:
            error_type = type(error).__name__
            raise
        finally:
            took_seconds = time.perf_counter() - started
            with self._guard.around("http_client"):
                status = "" if call.status is None else str(call.status)
                labels = (self._service, server, method, status, error_type)
                self._duration.labels(*labels).observe(took_seconds, current_exemplar())
