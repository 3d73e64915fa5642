"""One HTTP request, read from its head. The agent takes no bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAX_HEAD_BYTES = 16 << 10
"""Of request line and headers together; Prometheus sends a fortieth of it."""

END_OF_HEAD = b"\r\n\r\n"

METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked.

    Attributes:
        method: GET or HEAD.
        path: without the query.
        headers: by lower-case name; of one sent twice, the values joined by a comma.
        is_last: whether the connection is to be closed after the answer.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    is_last: bool

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, empty when it was not sent."""
        return self.headers.get(name, "")


class BadRequest(ValueError):  # noqa: N818  # it names what came
    """What came cannot be answered; ``status`` says why, in HTTP's numbers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def parse_head(head: bytes) -> Request:
    """Return the request whose head this is, without the empty line that ends it (RFC 9112).

    Raises:
        BadRequest: malformed, of another version, or neither GET nor HEAD.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = _request_line(first)
    headers = _headers(lines)
    if version == "HTTP/1.1" and "host" not in headers:
        raise BadRequest(400, "expected a Host header")
    connection = headers.get("connection", "").lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    is_last = "close" in connection or (version == "HTTP/1.0" and "keep-alive" not in connection)
    # A body is not read, so what follows it cannot be told from it.
    return Request(method, _path(target), headers, is_last or has_body)


def _request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[1]:
        raise BadRequest(400, "expected a request line of method, path and version")
    method, target, version = parts
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(505, "expected HTTP/1.1")
    if method not in METHODS:
        raise BadRequest(405, f"expected {' or '.join(METHODS)}")
    return method, target, version


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400, "expected headers of a name, a colon and a value")
        name, value = name.lower(), value.strip(" \t")
        if name == "host" and name in headers:
            raise BadRequest(400, "expected one Host header")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _path(target: str) -> str:
    if target.startswith(("http://", "https://")):  # a proxy's form, which servers must take
        _, _, rest = target.partition("://")
        target = "/" + rest.partition("/")[2]
    return target.partition("?")[0]
