"""The login page: the token of the stack, shown once a shift."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, make_response, redirect, render_template, request

from dashboards.console import sessions
from dashboards.console.door import Door, safe_path
from dashboards.console.room import Room
from watchkeeper.logs import get_logger
from watchkeeper.serving import TurnedAway

log = get_logger(__name__)


def blueprint(room: Room) -> Blueprint:
    """Return the routes of the page and of the way out."""
    pages = Blueprint("login", __name__)
    door = room.door

    @pages.get("/login")
    def page() -> TurnedAway:
        if door.token is None or door.knows_the_browser():
            return redirect(safe_path(request.args.get("next", "/")), 303)
        return _page(failed=False)

    @pages.post("/login")
    def enter() -> TurnedAway:
        shown = request.form.get("token", "").strip()
        if door.token is None or not hmac.compare_digest(shown.encode(), door.token.encode()):
            log.warning("a login was refused", extra={"remote": request.remote_addr})
            return _page(failed=True)
        answer = make_response(redirect(safe_path(request.form.get("next", "/")), 303))
        _remember(answer, door, room)
        return answer

    @pages.post("/logout")
    def leave() -> TurnedAway:
        answer = make_response(redirect("/login", 303))
        answer.delete_cookie(sessions.COOKIE)
        return answer

    return pages


def _page(*, failed: bool) -> tuple[Response, int]:
    next_path = safe_path(request.values.get("next", "/"))
    answer = make_response(render_template("login.html", failed=failed, next=next_path))
    return answer, 401 if failed else 200


def _remember(answer: Response, door: Door, room: Room) -> None:
    assert door.token is not None  # noqa: S101  # the caller compared it
    answer.set_cookie(
        sessions.COOKIE,
        sessions.issue(door.token, now=room.clock.now()),
        max_age=sessions.LIFETIME,
        httponly=True,
        secure=request.is_secure,
        # Lax, so that a link in a message opens for who is logged in; writes check their origin.
        samesite="Lax",
    )
