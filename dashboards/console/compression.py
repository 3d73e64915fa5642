"""Answers made smaller for the way: someone woken at night may have a phone and one bar.

Nothing secret stands in a page beside what a stranger can put there (the session is a cookie that
scripts cannot read), so compressing pages gives nothing away.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

SMALLEST_BYTES = 1000
"""Below this an answer fits a packet anyway."""

LEVEL = 5
"""zlib's level: most of what 9 gains at a third of its time."""

TYPES = frozenset(
    {
        "text/html",
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/json",
        "image/svg+xml",
    }
)


def add_to(app: Flask) -> None:
    """Compress answers that gain from it for clients that take gzip."""

    @app.after_request
    def _compress(answer: Response) -> Response:
        answer.headers.add("Vary", "Accept-Encoding")
        takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        if not takes_gzip or answer.mimetype not in TYPES or answer.status_code == 304:
            return answer
        if "Content-Encoding" in answer.headers or request.method == "HEAD":
            return answer
        answer.direct_passthrough = False  # static files are handed over unread otherwise
        body = answer.get_data()
        if len(body) >= SMALLEST_BYTES:
            answer.set_data(gzip.compress(body, LEVEL, mtime=0))
            answer.headers["Content-Encoding"] = "gzip"
        return answer
