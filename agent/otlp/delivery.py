"""Handing one message to the receiver, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from watchkeeper.errors import UpstreamError
from watchkeeper.outbound import Answer, EgressPolicy, send

SEND_SECONDS = 10.0
"""OpenTelemetry's own default, OTEL_EXPORTER_OTLP_TIMEOUT."""

PASSING_STATUSES = frozenset({429, 502, 503, 504})
"""After which the same message may be sent again (OTLP 1.7, "Retryable Response Codes")."""

LONGEST_WAIT_SECONDS = 3600.0
"""Whatever a receiver asks for."""


class Fate(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"


class Verdict(NamedTuple):
    """What a receiver made of a message.

    Attributes:
        fate: what became of it.
        detail: in words, when it was not taken.
        wait_seconds: how long the receiver asked to be left alone; None when it did not say.
        rejected_points: how many of its points were left out.
    """

    fate: Fate
    detail: str = ""
    wait_seconds: float | None = None
    rejected_points: int = 0


def deliver(url: str, headers: Mapping[str, str], message: bytes) -> Verdict:
    """Send a message, compressed already, to a receiver that the configuration names."""
    policy = EgressPolicy(allowed_hosts=frozenset({(urlsplit(url).hostname or "").lower()}))
    sent = {
        **headers, "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip",
    }  # fmt: skip
    try:
        answer = send(
            "POST", url, policy=policy, body=message, headers=sent, timeout_seconds=SEND_SECONDS
        )
    except UpstreamError as error:
        return Verdict(Fate.LATER, str(error))
    return verdict_on(answer, datetime.now(UTC))


def verdict_on(answer: Answer, now: datetime) -> Verdict:
    """Return what an answer that came at ``now`` means."""
    if answer.status in PASSING_STATUSES:
        wait_seconds = retry_after_seconds(answer.headers.get("retry-after", ""), now)
        return Verdict(Fate.LATER, f"answered {answer.status}", wait_seconds)
    if not 200 <= answer.status < 300:
        return Verdict(Fate.REFUSED, f"answered {answer.status}: {answer.text[:200]!r}")
    return Verdict(Fate.TAKEN, rejected_points=_rejected_points(answer))


def retry_after_seconds(text: str, now: datetime) -> float | None:
    """Return what a Retry-After header asks for (RFC 9110, 10.2.3), within an hour; else None."""
    if text.isdecimal():
        return min(float(text), LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_WAIT_SECONDS)


def _rejected_points(answer: Answer) -> int:
    if answer.headers.get("content-type", "").partition(";")[0] != "application/x-protobuf":
        return 0
    try:
        response = ExportMetricsServiceResponse.FromString(answer.body)
    except DecodeError:
        return 0
    return int(response.partial_success.rejected_data_points)
