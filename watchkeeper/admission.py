"""Who may ask a service: the one rule that every HTTP shell of ours applies."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Answered without a token: container health checks have none."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: an HTTP status, a reason word and a sentence."""

    status: int
    reason: str
    message: str


def refusal(
    path: str, *, host: str, authorization: str, origin: str, token: str | None
) -> Refusal | None:
    """Return why a request is refused, or None when it is admitted.

    Args:
        path: without the query.
        host: the Host header, empty when there is none; so for the next two.
        authorization: the Authorization header.
        origin: the Origin header.
        token: what is asked for; None where binding loopback is the guard.
    """
    if path in OPEN_PATHS:
        return None
    if token:
        if hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            return None
        return Refusal(401, "authentication", "expected 'Authorization: Bearer <token>'")
    # On loopback the browser of this machine is the one way in for a stranger: refuse pages of
    # other origins, and names that a stranger's DNS could point here.
    if not _is_local_name(host):
        return Refusal(403, "refused", f"unexpected Host {host!r} on a loopback service")
    if origin and not _is_local_name(origin.partition("://")[2]):
        return Refusal(403, "refused", "requests from pages of other origins are refused")
    return None


def _is_local_name(netloc: str) -> bool:
    try:
        host = urlsplit(f"//{netloc}").hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
