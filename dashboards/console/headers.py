"""What every answer of the console tells the browser: run and load nothing but our own files."""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

YEAR_SECONDS = 31_536_000


def add_to(app: Flask) -> None:
    """Send the headers with every answer, errors too; only fingerprinted files may be cached."""

    @app.after_request
    def _add(answer: Response) -> Response:
        for name, value in ALWAYS.items():
            answer.headers[name] = value
        if request.endpoint == "static" and "v" in request.args:
            answer.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        else:
            answer.headers["Cache-Control"] = "no-store"
        return answer
