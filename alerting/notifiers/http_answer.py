"""What an HTTP answer means for a delivery: the same for every receiver reached over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from alerting.notifiers.notifier import NotDelivered
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.outbound import Answer, EgressPolicy, send

PASSING_STATUSES = frozenset({408, 425, 429})
"""Client errors that say "not now" rather than "not ever"; every 5xx says so too."""

SHOWN_CHARACTERS = 200


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    policy: EgressPolicy,
    now: datetime,
    timeout_seconds: float = 15.0,
) -> Answer:
    """Post ``body`` and return a 2xx answer.

    Raises:
        NotDelivered: for any other outcome, saying whether another attempt makes sense. An egress
            refusal is worth one: nothing left this machine, and the allow-list may be mended.
    """
    try:
        answer = send(
            "POST", url, body=body, headers=headers, policy=policy, timeout_seconds=timeout_seconds
        )
    except UpstreamError as error:
        raise NotDelivered(str(error), reason=error.reason) from None
    if 200 <= answer.status < 300:
        return answer
    is_passing = answer.status in PASSING_STATUSES or answer.status >= 500
    raise NotDelivered(
        f"answered {answer.status}: {answer.text[:SHOWN_CHARACTERS]}",
        reason=Reason.HTTP_STATUS,
        is_permanent=not is_passing,
        retry_after_seconds=retry_after_seconds(answer.headers, now=now),
    )


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return what ``Retry-After`` asks for, in seconds from ``now``, or None (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
