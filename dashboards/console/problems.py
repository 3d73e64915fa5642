"""Errors as pages: what is wrong, and what to do next; never a traceback."""

from __future__ import annotations

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from watchkeeper.errors import UpstreamError, WatchkeeperError

NEXT_STEPS = {
    404: "It may be gone, or the address mistyped. The first page lists what is known.",
    409: "Go back to see how it stands now.",
    502: "Check that the service runs and that its address is right, then try again.",
}
PASSED_ON = frozenset({404, 409})
"""Statuses that say something of the request, not of the service that was asked."""

DEFAULT_STEP = "Try again; if it stays, the console's log says more."


def add_to(app: Flask) -> None:
    """Answer errors of pages as pages, and errors of ``/api`` as JSON."""
    app.register_error_handler(WatchkeeperError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)


def _of_ours(error: WatchkeeperError) -> Response:
    status = error.status if isinstance(error, UpstreamError) else None
    return _answer(
        status if status is not None and status in PASSED_ON else 502, str(error.reason), str(error)
    )


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    return _answer(status, "request", error.description or error.name)


def _answer(status: int, reason: str, message: str) -> Response:
    if request.path.startswith("/api/"):
        answer = jsonify(error={"reason": reason, "message": message})
    else:
        next_step = NEXT_STEPS.get(status, DEFAULT_STEP)
        answer = make_response(
            render_template("problem.html", status=status, message=message, next_step=next_step)
        )
    answer.status_code = status
    return answer
