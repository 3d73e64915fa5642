"""Sessions of a browser that has shown the token: signed, with an end, and kept nowhere.

The value is ``<end>.<signature>``; the signature is an HMAC-SHA-256 under the token, so a new token
ends every session, and what the browser keeps does not tell the token.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

COOKIE = "watchkeeper-session"
LIFETIME = timedelta(hours=12)
"""A shift: someone on call logs in once."""


def issue(token: str, *, now: datetime) -> str:
    """Return a session that lasts ``LIFETIME`` from ``now``."""
    end = str(int((now + LIFETIME).timestamp()))
    return f"{end}.{_signature(token, end)}"


def is_valid(session: str, token: str, *, now: datetime) -> bool:
    """Return whether ``session`` was issued under ``token`` and has not ended."""
    end, _, signature = session.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(token, end).encode()):
        return False
    return now.timestamp() < int(end)


def _signature(token: str, end: str) -> str:
    return hmac.new(token.encode(), f"session {end}".encode(), hashlib.sha256).hexdigest()
