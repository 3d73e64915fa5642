"""Where alerts come in, being overloaded is answered 503, so that clients keep them and come again.

Never 429: Alertmanager gives a notification up on that one.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, jsonify, request

from watchkeeper.errors import Reason

INTAKE = frozenset({("POST", "/api/v2/alerts"), ("POST", "/api/v1/webhooks/alertmanager")})
"""By method and rule; these are never subject to a rate limit."""

MAX_WAITING = 100
"""Requests that may wait for a thread; with eight threads the last of them waits for seconds."""

RETRY_AFTER_SECONDS = 2


def refuse_when_overloaded(
    app: Flask, waiting: Callable[[], int], on_refused: Callable[[], None]
) -> None:
    """Answer alerts with 503 while more than ``MAX_WAITING`` requests wait."""

    @app.before_request
    def refuse() -> tuple[Response, int] | None:
        rule = request.url_rule.rule if request.url_rule else ""
        if (request.method, rule) not in INTAKE or waiting() <= MAX_WAITING:
            return None
        on_refused()
        message = f"more than {MAX_WAITING} requests are waiting; nothing was kept, send it again"
        answer = jsonify(error={"reason": Reason.BUSY, "message": message})
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer, 503
