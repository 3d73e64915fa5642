"""The alerts that other clients sent in the past, from alerting's own record of incidents.

Whatever Prometheus or the anomaly service also remembers is theirs and is left to them: what they
sent carries the labels they remember, and perhaps external ones beside (one whose labels
``alert_relabel_configs`` changes counts twice). What a detector raised is never another client's,
also when the anomaly service cannot be asked. An alert that came and went
more than once within an incident is known there by the last time only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerting.alert import Alert
from alerting.anomaly_feedback import of_detectors
from watchkeeper.clock import parse_rfc3339
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.peers import Peer

MOST_INCIDENTS = 1000
"""What alerting answers at most."""

LONGER = timedelta(days=1)
"""By how much an alert that still fires outlasts what is looked at."""


@dataclass(frozen=True, slots=True)
class Others:
    """What others sent, and since when that is known; None where it is from the beginning."""

    alerts: list[Alert]
    known_since: datetime | None = None


def alerts(
    alerting: Peer,
    theirs: Sequence[Alert],
    *,
    start: datetime,
    end: datetime,
    tolerance_seconds: float,
) -> Others:
    """Return the alerts that were told between ``start`` and ``end`` and are not ``theirs``.

    Args:
        alerting: asked for its incidents.
        theirs: what Prometheus and the anomaly service remember.
        start, end: both included.
        tolerance_seconds: by how much the times of one alert may differ between two records.

    Raises:
        UpstreamError: the service cannot be asked, or does not answer as one of ours.
    """
    answer = alerting.get("/api/v1/incidents", limit=str(MOST_INCIDENTS))
    try:
        incidents = answer["incidents"]
        told = [
            _alert(one, start, end)
            for incident in incidents
            for one in incident["alerts"]
            if one["labels"] not in of_detectors(incident)
        ]
        oldest = parse_rfc3339(incidents[-1]["started_at"]) if incidents else start
    except (KeyError, TypeError, ValueError) as error:
        raise UpstreamError(
            f"alerting's incidents cannot be understood: {error!r}", reason=Reason.BAD_ANSWER
        ) from None
    tolerance = timedelta(seconds=tolerance_seconds)
    within = (one for one in told if one.ends_at > start and one.starts_at <= end)
    is_cut = len(incidents) >= MOST_INCIDENTS and oldest > start
    return Others(list(_not_of(theirs, within, tolerance)), oldest if is_cut else None)


def _not_of(
    theirs: Sequence[Alert], told: Iterator[Alert], tolerance: timedelta
) -> Iterator[Alert]:
    by_name: dict[str, list[Alert]] = {}
    for one in theirs:
        by_name.setdefault(one.name, []).append(one)
    for alert in told:
        if not any(_is_same(alert, one, tolerance) for one in by_name.get(alert.name, [])):
            yield alert


def _is_same(told: Alert, remembered: Alert, tolerance: timedelta) -> bool:
    return (
        remembered.labels.items() <= told.labels.items()
        and remembered.starts_at - tolerance <= told.ends_at
        and told.starts_at <= remembered.ends_at + tolerance
    )


def _alert(member: Mapping[str, Any], start: datetime, end: datetime) -> Alert:
    ended = member["ends_at"]
    return Alert(
        dict(member["labels"]), dict(member["annotations"]),
        max(parse_rfc3339(member["starts_at"]), start),
        parse_rfc3339(ended) if ended else end + LONGER, "",
    )  # fmt: skip
