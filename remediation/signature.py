"""Whether a call comes from who holds the key, and is fresh: Standard Webhooks 1.0.0."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from remediation.refusal import CallRefused, Outcome


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    tolerance_seconds: float,
) -> None:
    """Return when the call is genuine and fresh.

    The library computes the signature; the comparison is ours because its own verifier asks the
    machine's clock and answers a malformed header with whatever exception it meets.

    Args:
        secrets: any of them may have signed (the current and the previous one).
        headers: by lower-case name.
        body: the bytes as they came.

    Raises:
        CallRefused: 401, with the reason.
    """
    message_id, stamp, signatures = (
        headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (message_id and stamp and signatures):
        raise _unproven("expected the headers webhook-id, webhook-timestamp, webhook-signature")
    sent_at = _sent_at(stamp)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise _unproven("the body is not UTF-8") from None
    expected = [Webhook(secret).sign(message_id, sent_at, text).encode() for secret in secrets]
    given = [one.encode() for one in signatures.split(" ")]
    if not any(hmac.compare_digest(one, right) for one in given for right in expected):
        raise _unproven("no signature matches: another key, or the call was changed on its way")
    # Only now: a stranger must not learn from our answers how far our clocks are apart.
    age_seconds = (now - sent_at).total_seconds()
    if abs(age_seconds) > tolerance_seconds:
        raise CallRefused(
            f"webhook-timestamp is {age_seconds:.0f} s old; {tolerance_seconds:g} s are allowed",
            status=401,
            outcome=Outcome.STALE,
        )


def _sent_at(stamp: str) -> datetime:
    # The signature covers the text of the timestamp, so only its one plain spelling is taken.
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 11) or stamp != str(int(stamp)):
        raise _unproven("webhook-timestamp: expected whole Unix seconds")
    return datetime.fromtimestamp(int(stamp), UTC)


def _unproven(message: str) -> CallRefused:
    return CallRefused(message, status=401, outcome=Outcome.UNPROVEN)
