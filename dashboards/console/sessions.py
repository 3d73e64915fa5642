"""Sessions of a browser that has shown a token: signed, with an end, and kept nowhere.

The value is ``<name>.<end>.<signature>``. The name is that of the token, in base64, and empty for
the one our services share. The signature is an HMAC-SHA-256 under the token's key: a token that is
changed or taken away ends its sessions, and what the browser keeps does not tell the token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

COOKIE = "watchkeeper-session"
LIFETIME = timedelta(hours=12)
"""A shift: someone on call logs in once."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser claims: nothing of it holds before ``is_valid`` says so."""

    name: str
    end: str
    signature: str


def issue(name: str, key: str, *, now: datetime) -> str:
    """Return a session under the token of ``name`` that lasts ``LIFETIME`` from ``now``."""
    end = str(int((now + LIFETIME).timestamp()))
    encoded = base64.urlsafe_b64encode(name.encode()).decode()
    return f"{encoded}.{end}.{_signature(key, name, end)}"


def read(text: str) -> Session | None:
    """Return what a cookie claims, or None when it is none of ours."""
    parts = text.split(".")
    if len(parts) != 3 or not parts[1].isascii() or not parts[1].isdecimal():
        return None
    try:
        name = base64.urlsafe_b64decode(parts[0].encode()).decode()
    except (binascii.Error, ValueError):
        return None
    return Session(name, parts[1], parts[2])


def is_valid(session: Session, key: str, *, now: datetime) -> bool:
    """Return whether ``session`` was issued under ``key`` and has not ended."""
    expected = _signature(key, session.name, session.end)
    if not hmac.compare_digest(session.signature.encode(), expected.encode()):
        return False
    return now.timestamp() < int(session.end)


def _signature(key: str, name: str, end: str) -> str:
    message = f"session {len(name)} {name} {end}".encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
