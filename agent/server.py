"""The agent's HTTP server: /metrics, /healthz, /readyz, and nothing else.

The standard library's: a web framework would take as much memory as all collectors together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from agent.text import TextFormat, format_for
from watchkeeper import __version__
from watchkeeper.admission import refusal
from watchkeeper.health import Readiness
from watchkeeper.listen import Listen, require_guarded

IDLE_SECONDS = 30.0
"""A connection that says nothing is closed after this time; scrapes come more often."""


class Render(Protocol):
    """Writes the page of /metrics."""

    def __call__(self, text_format: TextFormat, *, is_compressed: bool) -> bytes:
        """Return the page, compressed with gzip if so asked."""


class MetricsServer(ThreadingHTTPServer):
    """Serves pages.

    Args:
        listen: the address; port 0 takes a free one.
        token: asked of everyone who wants more than health; None on loopback.
        readiness: what /readyz says.
        render: writes the page of /metrics.

    Raises:
        ConfigError: the address reaches other machines and there is no token.
    """

    daemon_threads = True
    # Connections in progress must not hold up the end of the process.
    block_on_close = False

    def __init__(
        self,
        listen: Listen,
        token: str | None,
        readiness: Readiness,
        render: Render,
    ) -> None:
        require_guarded(listen, token)
        self.token = token
        self.readiness = readiness
        self.render = render
        super().__init__(listen, _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about a client that went away; there is nobody left to tell."""


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    protocol_version = "HTTP/1.1"
    server_version = f"watchkeeper-agent/{__version__}"
    sys_version = ""
    timeout = IDLE_SECONDS
    # The body leaves at once, without waiting for the head to be acknowledged.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer one request."""
        path = self.path.partition("?")[0]
        refused = refusal(
            path,
            host=self.headers.get("Host", ""),
            authorization=self.headers.get("Authorization", ""),
            origin=self.headers.get("Origin", ""),
            token=self.server.token,
        )
        if refused is not None:
            self._send_error(refused.status, refused.reason, refused.message)
        elif path == "/metrics":
            self._metrics()
        elif path == "/healthz":
            self._send_json(200, {"status": "alive", "service": "agent", "version": __version__})
        elif path == "/readyz":
            self._readyz()
        else:
            self._send_error(404, "request", "expected /metrics, /healthz or /readyz")

    def do_HEAD(self) -> None:
        """Answer as for GET, without the body."""
        self.do_GET()

    def _metrics(self) -> None:
        text_format = format_for(self.headers.get("Accept", ""))
        is_compressed = "gzip" in self.headers.get("Accept-Encoding", "")
        body = self.server.render(text_format, is_compressed=is_compressed)
        headers = {"Content-Type": text_format.value}
        if is_compressed:
            headers["Content-Encoding"] = "gzip"
        self._send(200, body, headers)

    def _readyz(self) -> None:
        problems = self.server.readiness.problems()
        status = "not ready" if problems else "ready"
        answer = {"status": status, "service": "agent", "reasons": problems}
        self._send_json(503 if problems else 200, answer)

    def _send_error(self, status: int, reason: str, message: str) -> None:
        self._send_json(status, {"error": {"reason": reason, "message": message}})

    def _send_json(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its signature
        """Keep scrapes out of the log."""
