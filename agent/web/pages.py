"""What the agent answers: /metrics, /healthz, /readyz, its configuration, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from agent.text import MOST_REMEMBERED, TextFormat, format_for, quality_of
from agent.web.request import Request
from agent.web.response import Response, error_response, json_response
from watchkeeper import __version__
from watchkeeper.health import Readiness
from watchkeeper.in_force import PATH


class Render(Protocol):
    """Writes the page of /metrics."""

    def __call__(self, text_format: TextFormat, *, is_compressed: bool) -> bytes:
        """Return the page, compressed with gzip if so asked."""


class Pages:
    """Answers requests that were let in.

    Args:
        readiness: what /readyz says.
        render: writes the page of /metrics.
        in_force: tells the configuration file that is followed, with no secret in it.
    """

    def __init__(
        self,
        readiness: Readiness,
        render: Render,
        in_force: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self._readiness = readiness
        self._render = render
        self._in_force = in_force

    def answer(self, request: Request) -> Response:
        """Return what stands at the path that was asked for."""
        if request.path == "/metrics":
            return self._metrics(request)
        if request.path == "/healthz":
            about = {"status": "alive", "service": "agent", "version": __version__}
            return json_response(200, about)
        if request.path == "/readyz":
            return self._readyz()
        if request.path == PATH and self._in_force:
            return json_response(200, {"files": [self._in_force()]})
        return error_response(404, "request", "expected /metrics, /healthz or /readyz")

    def _metrics(self, request: Request) -> Response:
        text_format = format_for(request.header("accept"))
        is_compressed = accepts_gzip(request.header("accept-encoding"))
        body = self._render(text_format, is_compressed=is_compressed)
        headers = (("Content-Encoding", "gzip"),) if is_compressed else ()
        varies = (("Vary", "Accept, Accept-Encoding"),)
        return Response(200, text_format.value, body, headers + varies)

    def _readyz(self) -> Response:
        problems = self._readiness.problems()
        status = "not ready" if problems else "ready"
        answer = {"status": status, "service": "agent", "reasons": problems}
        return json_response(503 if problems else 200, answer)


@lru_cache(maxsize=MOST_REMEMBERED)
def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding header takes gzip; ``gzip;q=0`` refuses it."""
    return quality_of("gzip", accept_encoding) > 0
