"""Reading from Prometheus, or anything that speaks its HTTP API."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from watchkeeper.errors import UpstreamError
from watchkeeper.http_session import HTTPSession
from watchkeeper.listen import Listen
from watchkeeper.outbound import Answer
from watchkeeper.prometheus_answer import (
    Labels,
    Sample,
    Series,
    check_status,
    data_of,
    samples_of,
    series_of,
)

__all__ = ["Labels", "PrometheusClient", "Sample", "Series", "encodings_asked_of", "is_number"]

RANGES = "/api/v1/query_range"

MAX_ANSWER_BYTES = 256 << 20
"""Of an answer, decompressed. The anomaly room reads half a million samples at a time, at most some
2 million (100,000 series for the first time), and a sample takes 25 to 35 bytes."""

READY_BYTES = 4096


class PrometheusClient:
    """Instant and range queries with a deadline each.

    Args:
        base_url: for example http://127.0.0.1:9090, without /api.
        timeout_seconds: for the whole answer, also sent as the query's own limit.
        headers: sent with each request, for a tenant or a token.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float = 10.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_seconds = timeout_seconds
        encodings = {"Accept-Encoding": encodings_asked_of(self.base_url)}
        self._session = HTTPSession({**encodings, **(headers or {})})

    def query(self, expression: str, *, at: datetime | None = None) -> list[Sample]:
        """Evaluate ``expression`` at one time (the server's now by default).

        Series that hold a native histogram, which is no number, are left out beside others.

        Raises:
            UpstreamError: no usable answer; ``reason`` says whether it was time, the connection,
                the status, the expression itself, or what came: such as histograms alone.
        """
        parameters = {"query": expression, "timeout": f"{self.timeout_seconds:g}s"}
        if at is not None:
            parameters["time"] = f"{at.timestamp():.3f}"
        return samples_of(self._get("/api/v1/query", parameters), expression)

    def query_range(
        self, expression: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> list[Series]:
        """Evaluate ``expression`` from ``start`` to ``end``, both included, every step.

        Raises:
            UpstreamError: as for ``query``.
        """
        parameters = self._range(expression, start, end, step_seconds)
        return series_of(self._get(RANGES, parameters), expression)

    def range_content(
        self, expression: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> bytes:
        """Return the answer of ``query_range`` as it came, for who reads millions of samples.

        Raises:
            UpstreamError: as for ``query``.
        """
        answer = self._fetch(RANGES, self._range(expression, start, end, step_seconds))
        check_status(answer, self.base_url + RANGES)
        return answer.body

    def _range(
        self, expression: str, start: datetime, end: datetime, step_seconds: float
    ) -> dict[str, str]:
        return {
            "query": expression,
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step_seconds:g}",
            "timeout": f"{self.timeout_seconds:g}s",
        }

    def is_ready(self) -> bool:
        """Return whether the server answers and says it is ready."""
        try:
            answer = self._session.ask(
                "GET",
                f"{self.base_url}/-/ready",
                name=self.base_url,
                timeout_seconds=self.timeout_seconds,
                limit_bytes=READY_BYTES,
                is_cut=True,
            )
        except UpstreamError:
            return False
        return answer.status == 200

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """Return the ``data`` of any other endpoint, such as ``/api/v1/alerts`` or ``/rules``."""
        return self._get(path, dict(parameters or {}))

    def _get(self, path: str, parameters: dict[str, str]) -> Any:
        return data_of(self._fetch(path, parameters), self.base_url + path)

    def _fetch(self, path: str, parameters: dict[str, str]) -> Answer:
        return self._session.ask(
            "GET",
            self.base_url + path,
            name=self.base_url,
            timeout_seconds=self.timeout_seconds,
            limit_bytes=MAX_ANSWER_BYTES,
            params=parameters,
        )


def encodings_asked_of(base_url: str) -> str:
    """Return the encodings an answer may have: across a network any, from this machine none.

    Compressing a day of samples costs Prometheus several times what finding them does (2 against
    0.4 us a sample, 2.42), and here there is no line to save bytes on.
    """
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:  # which asking it will say
        host = ""
    return "identity" if Listen(host, 0).is_loopback else "gzip, deflate"


def is_number(value: float) -> bool:
    """Return whether ``value`` is finite; NaN and infinities are never evidence of anything."""
    return math.isfinite(value)
