"""The login page: a token, shown once a shift."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from dashboards.console import sessions
from dashboards.console.door import safe_path
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
        if door.token is None or door.recognise():
            return redirect(safe_path(request.args.get("next", "/")), 303)
        return _page(failed=False)

    @pages.post("/login")
    def enter() -> TurnedAway:
        session = door.open_with(request.form.get("token", "").strip())
        if session is None:
            log.warning("a login was refused", extra={"remote": request.remote_addr})
            return _page(failed=True)
        answer = make_response(redirect(safe_path(request.form.get("next", "/")), 303))
        _remember(answer, session)
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


def _remember(answer: WerkzeugResponse, session: str) -> None:
    answer.set_cookie(
        sessions.COOKIE,
        session,
        max_age=sessions.LIFETIME,
        httponly=True,
        secure=request.is_secure,
        # Lax, so that a link in a message opens for who is logged in; writes check their origin.
        samesite="Lax",
    )
