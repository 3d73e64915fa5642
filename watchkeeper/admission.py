"""Who may ask a service: the one rule that every HTTP shell of ours applies."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from watchkeeper.roles import STACK, THIS_MACHINE, Identity, Role

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Answered without a token: container health checks have none."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: an HTTP status, a reason word and a sentence."""

    status: int
    reason: str
    message: str
    retry_after_seconds: int = 0
    """When asking again makes sense; 0 where time changes nothing."""


class Tokens(Protocol):
    """The tokens people have of their own."""

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""

    def identify(self, token: str) -> Identity | None:
        """Return whose token this is, or None."""


class NoTokens:
    """Nobody has a token of their own."""

    is_empty = True

    def identify(self, token: str) -> Identity | None:  # noqa: ARG002  # the seam's signature
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class Ask:
    """What admission looks at in a request; absent headers are empty.

    Attributes:
        path: without the query.
        needed: what the endpoint asks for.
    """

    path: str
    host: str
    authorization: str
    origin: str
    needed: Role = Role.VIEWER


def admit(ask: Ask, *, token: str | None, tokens: Tokens) -> Identity | Refusal:
    """Return who is asking, or why the request is refused.

    Args:
        ask: the request.
        token: what our services share; None where binding loopback is the guard.
        tokens: those of people, good beside it.
    """
    if ask.path in OPEN_PATHS:
        return THIS_MACHINE
    identity = _identify(ask, token, tokens)
    return identity if isinstance(identity, Refusal) else check_role(identity, ask.needed)


def check_role(identity: Identity, needed: Role) -> Identity | Refusal:
    """Return who is asking, or that this is more than their role allows."""
    if identity.role.includes(needed):
        return identity
    return Refusal(403, "permission", f"{identity.name} is {identity.role}; this needs {needed}")


def _identify(ask: Ask, token: str | None, tokens: Tokens) -> Identity | Refusal:
    if token and hmac.compare_digest(ask.authorization.encode(), f"Bearer {token}".encode()):
        return STACK
    scheme, _, shown = ask.authorization.partition(" ")
    if scheme == "Bearer" and not tokens.is_empty:
        known = tokens.identify(shown)
        # Also on loopback: a token that was taken away must not make its owner everybody.
        return known or Refusal(401, "authentication", "this token is not, or no longer, valid")
    if token:
        return Refusal(401, "authentication", "expected 'Authorization: Bearer <token>'")
    return _on_loopback(ask)


def _on_loopback(ask: Ask) -> Identity | Refusal:
    # On loopback the browser of this machine is the one way in for a stranger: refuse pages of
    # other origins, and names that a stranger's DNS could point here.
    if not _is_local_name(ask.host):
        return Refusal(403, "refused", f"unexpected Host {ask.host!r} on a loopback service")
    if ask.origin and not _is_local_name(ask.origin.partition("://")[2]):
        return Refusal(403, "refused", "requests from pages of other origins are refused")
    return THIS_MACHINE


def refusal(
    path: str, *, host: str, authorization: str, origin: str, token: str | None
) -> Refusal | None:
    """Return why a request that only looks is refused where people have no tokens of their own."""
    answer = admit(Ask(path, host, authorization, origin), token=token, tokens=NoTokens())
    return answer if isinstance(answer, Refusal) else None


def _is_local_name(netloc: str) -> bool:
    try:
        host = urlsplit(f"//{netloc}").hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
