"""The alerts that the anomaly service raised in the past, from its own record of episodes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alerting.alert import Alert
from watchkeeper.clock import parse_rfc3339
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.peers import Peer

MOST = 100_000

LONGER = timedelta(days=1)
"""By how much an episode that is under way outlasts what is looked at."""


def alerts(anomaly: Peer, *, start: datetime, end: datetime) -> list[Alert]:
    """Return one alert for each episode that was told between ``start`` and ``end``.

    Raises:
        UpstreamError: the service cannot be asked, or does not answer as one of ours.
    """
    answer = anomaly.get("/api/v1/episodes", limit=str(MOST))
    try:
        found = [_alert(one, start, end) for one in answer["episodes"] if not one["habitual"]]
    except (KeyError, TypeError, ValueError) as error:
        raise UpstreamError(
            f"anomaly's episodes cannot be understood: {error!r}", reason=Reason.BAD_ANSWER
        ) from None
    return [one for one in found if one.ends_at > start and one.starts_at <= end]


def _alert(episode: Mapping[str, Any], start: datetime, end: datetime) -> Alert:
    begun, ended = parse_rfc3339(episode["started_at"]), episode["ended_at"]
    return Alert(
        dict(episode["alert_labels"]), {}, max(begun, start),
        parse_rfc3339(ended) if ended else end + LONGER, "",
    )  # fmt: skip
