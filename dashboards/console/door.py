"""Who may see the console where a token is asked for: whoever has shown it on the login page."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, redirect, request, url_for

from dashboards.console import sessions
from watchkeeper.admission import Refusal
from watchkeeper.clock import Clock
from watchkeeper.serving import TurnedAway, explain_refusal

OPEN_ENDPOINTS = frozenset({"static", "login.page", "login.enter"})
"""What a stranger may ask for: the login page and the files it needs."""

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Door:
    """Decides for each request without the token in its header.

    Args:
        token: what has to be shown; None where binding loopback is the guard.
        clock: tells whether a session has ended.
    """

    def __init__(self, token: str | None, clock: Clock) -> None:
        self.token = token
        self._clock = clock

    def turn_away(self, refused: Refusal) -> TurnedAway | None:
        """Return the answer to a refused request, or None to let it in."""
        if refused.status != 401 or self.token is None:
            return explain_refusal(refused)
        if not is_from_our_own_pages():
            reason = "requests from pages of other origins are refused"
            return explain_refusal(Refusal(403, "refused", reason))
        if request.endpoint in OPEN_ENDPOINTS or self.knows_the_browser():
            return None
        return _show_the_way(refused)

    def knows_the_browser(self) -> bool:
        """Return whether the request carries a session that holds."""
        session = request.cookies.get(sessions.COOKIE, "")
        return self.token is not None and sessions.is_valid(
            session, self.token, now=self._clock.now()
        )


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
