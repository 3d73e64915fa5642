"""Gets the chart that goes with a message: the first anomalous series of its incident."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from alerting.chart import Points, draw
from watchkeeper.clock import parse_rfc3339
from watchkeeper.errors import UpstreamError
from watchkeeper.peers import Peer

MINUTES = 60
"""Shown before now: what was normal, and what became of it."""


def chart_of(anomaly: Peer, incident: Mapping[str, Any]) -> bytes:
    """Return a PNG, or nothing where there is no series or nobody to give it.

    A message never waits for its picture: the link beside it shows the same and more.
    """
    alert = next((one for one in incident["alerts"] if is_of_detector(one)), None)
    if alert is None:
        return b""
    series = _series_of(alert["generator_url"])
    if series is None:
        return b""
    try:
        found = anomaly.get(f"/api/v1/series/{quote(series, safe='')}", minutes=str(MINUTES))
    except UpstreamError:
        return b""
    points = found["points"]
    return draw(
        alert["annotations"].get("summary", found["query"]),
        Points(
            [_seconds(moment) for moment in points["timestamps"]],
            *(points[name] for name in ("actual", "expected", "lower", "upper")),
        ),
    )


def is_of_detector(alert: Mapping[str, Any]) -> bool:
    """Return whether a detector raised the alert, so that its series has a band."""
    return alert["labels"].get("alertname") == "Anomaly" and bool(alert.get("generator_url"))


def _series_of(generator_url: str) -> str | None:
    """Return the id an address ends with, or None: whoever sent the alert wrote the address."""
    try:
        path = urlsplit(generator_url).path
    except ValueError:
        return None
    return path.rstrip("/").rpartition("/")[2] or None


def _seconds(moment: str | float) -> float:
    if isinstance(moment, str):
        parsed: datetime = parse_rfc3339(moment)
        return parsed.timestamp()
    return float(moment)
