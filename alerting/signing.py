"""Standard Webhooks 1.0.0: the three headers that prove who sent a body and when."""

from __future__ import annotations

from datetime import datetime

from standardwebhooks import Webhook


def headers(secret: str, message_id: str, body: str, *, now: datetime) -> dict[str, str]:
    """Return the headers for one attempt to send ``body``.

    Args:
        secret: ``whsec_`` and base64 of 24 to 64 bytes.
        message_id: the same on every attempt; holds no dot.
        body: exactly the text that is sent.
        now: the time of this attempt; receivers refuse one more than five minutes off.
    """
    return {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
