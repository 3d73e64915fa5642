"""Receivers on loopback that fail on request and tell at which point of a call they are."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Point(StrEnum):
    """Where in a call the receiver is."""

    CONNECTED = "connected"
    """The request's head has come, its body has not been read."""
    BODY_READ = "body read"
    """Everything has come and counts as received, nothing was answered."""
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at_monotonic_seconds: float
    at: datetime

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)


class Receiver:
    """An HTTP server that answers ``answer(call)`` and keeps every call it read whole.

    Args:
        answer: decides the reply.
        at_point: called at each point of each call.
    """

    def __init__(
        self,
        answer: Callable[[Call], Reply] = lambda _call: Reply(),
        at_point: Callable[[Point], None] = lambda _point: None,
    ) -> None:
        self.answer = answer
        self.at_point = at_point
        self.calls: list[Call] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.at_point(Point.CONNECTED)
                size_bytes = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size_bytes)
                if len(body) < size_bytes:  # the caller died while sending
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                at, monotonic = datetime.now(UTC), time.monotonic()
                call = Call(self.command, self.path, headers, body, monotonic, at)
                reply = outer.answer(call)
                outer.calls.append(call)
                outer.at_point(Point.BODY_READ)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
                outer.at_point(Point.ANSWERED)

            do_GET = do_POST  # noqa: N815  # the name http.server looks for

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that were killed in the middle: that is what is measured."""
