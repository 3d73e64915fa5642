"""One HTTP response, as bytes."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple

from watchkeeper import __version__

PHRASES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
"""Every status the agent answers with."""

SERVER = f"watchkeeper-agent/{__version__}"


class Response(NamedTuple):
    """What is answered; ``headers`` besides those every response has."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def written(self, *, is_last: bool, has_body: bool = True) -> bytes:
        """Return it as it goes over the wire.

        Args:
            is_last: tell the client that the connection ends here.
            has_body: False for HEAD.
        """
        now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        further = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        closing = "Connection: close\r\n" if is_last else ""
        head = (
            f"HTTP/1.1 {self.status} {PHRASES[self.status]}\r\nServer: {SERVER}\r\nDate: {now}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
            f"{further}{closing}\r\n"
        ).encode("latin-1")
        return head + self.body if has_body else head


def json_response(status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return a response with ``value`` as JSON."""
    return Response(status, "application/json", json.dumps(value).encode(), headers)


def error_response(
    status: int, reason: str, message: str, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """Return an error in the shape all our services have."""
    return json_response(status, {"error": {"reason": reason, "message": message}}, headers)
