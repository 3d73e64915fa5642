"""Who may see the console where a token is asked for: whoever has shown it on the login page."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Response, redirect, request, url_for

from dashboards.console import sessions
from watchkeeper.admission import Refusal
from watchkeeper.clock import Clock
from watchkeeper.roles import STACK, Identity
from watchkeeper.serving import TurnedAway, explain_refusal
from watchkeeper.tokens import TokenFile

OPEN_ENDPOINTS = frozenset({"static", "login.page", "login.enter"})
"""What a stranger may ask for: the login page and the files it needs."""

SHARED = ""
"""The name in a session that was opened with the token our services share."""

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Door:
    """Decides for each request without a token in its header.

    Args:
        token: what our services share; None where binding loopback is the guard.
        tokens: those of people, each with a role.
        clock: tells whether a session has ended.
    """

    def __init__(self, token: str | None, tokens: TokenFile, clock: Clock) -> None:
        self.token = token
        self._tokens = tokens
        self._clock = clock

    def turn_away(self, refused: Refusal) -> TurnedAway | None:
        """Return the answer to a refused request, or None to let it in."""
        if refused.status != 401 or self.token is None:
            return explain_refusal(refused)
        if not is_from_our_own_pages():
            reason = "requests from pages of other origins are refused"
            return explain_refusal(Refusal(403, "refused", reason))
        if request.endpoint in OPEN_ENDPOINTS:
            return None
        return _show_the_way(refused)

    def open_with(self, shown: str) -> str | None:
        """Return a session for whoever showed this token, or None when it is none."""
        now = self._clock.now()
        if self.token and hmac.compare_digest(shown.encode(), self.token.encode()):
            return sessions.issue(SHARED, self.token, now=now)
        known = self._tokens.identify(shown)
        kept = self._tokens.named(known.name) if known else None
        return sessions.issue(kept.name, kept.sha256, now=now) if kept else None

    def recognise(self) -> Identity | None:
        """Return whose session the request carries, if it holds and a page of ours sent it."""
        session = sessions.read(request.cookies.get(sessions.COOKIE, ""))
        if session is None or not is_from_our_own_pages():
            return None
        found = self._key_of(session.name)
        if found is None or not sessions.is_valid(session, found[0], now=self._clock.now()):
            return None
        return found[1]

    def _key_of(self, name: str) -> tuple[str, Identity] | None:
        """Return what sessions of a token are signed with, and who they are."""
        if name == SHARED:
            return (self.token, STACK) if self.token else None
        kept = self._tokens.named(name)
        return (kept.sha256, Identity(name, kept.role, is_person=True)) if kept else None


def is_from_our_own_pages() -> bool:
    """Return whether a request that changes something comes from a page of this very address."""
    if request.method in SAFE_METHODS:
        return True
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def safe_path(path: str) -> str:
    """Return ``path`` if it stays on this console, else the first page."""
    parts = urlsplit(path)
    is_ours = path.startswith("/") and not parts.scheme and not parts.netloc
    return path if is_ours and "\\" not in path and path.isprintable() else "/"


def _show_the_way(refused: Refusal) -> TurnedAway:
    if request.headers.get("HX-Request"):  # a page whose session ended: the whole page must go
        away = Response(status=401)
        away.headers["HX-Redirect"] = url_for("login.page")
        return away
    if request.method == "GET" and request.accept_mimetypes.accept_html:
        return redirect(url_for("login.page", next=request.full_path.rstrip("?")), 303)
    return explain_refusal(refused)
