"""Who may control the process: this machine, with the token, one at a time."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LEAST_TOKEN_CHARACTERS = 24
"""A token is never typed by hand; a short one could be guessed."""

MOST_BODY_BYTES = 4096


class Operation(Protocol):
    """Something to look at and to do; both take what was asked for and raise ValueError for it."""

    def look(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return how things are, and change nothing."""

    def act(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do it, and return what came of it."""


class Door:
    """One page: GET looks (asked by query), POST acts (asked by a JSON body).

    Args:
        token: at least 24 characters.
        operation: what is behind it; it may stop the program meanwhile, so there is one at a time.

    Raises:
        ValueError: the token is shorter.
    """

    def __init__(self, token: str, operation: Operation) -> None:
        if len(token) < LEAST_TOKEN_CHARACTERS:
            raise ValueError(f"expected a token of at least {LEAST_TOKEN_CHARACTERS} characters")
        self._authorization = f"Bearer {token}".encode()
        self._operation = operation
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not _is_local(environ.get("REMOTE_ADDR", "")):
            return _answer(start_response, "403 Forbidden", {"error": "only from this machine"})
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, self._authorization):
            return _answer(start_response, "401 Unauthorized", {"error": "not the right token"})
        method = environ.get("REQUEST_METHOD", "")
        if method not in {"GET", "POST"}:
            return _answer(start_response, "405 Method Not Allowed", {"error": "GET or POST"})
        if not self._one_at_a_time.acquire(blocking=False):
            return _answer(start_response, "409 Conflict", {"error": "another one is running"})
        try:
            if method == "GET":
                found = self._operation.look(dict(parse_qsl(environ.get("QUERY_STRING", ""))))
            else:
                found = self._operation.act(_body(environ))
        except ValueError as error:
            return _answer(start_response, "422 Unprocessable Content", {"error": str(error)})
        finally:
            self._one_at_a_time.release()
        return _answer(start_response, "200 OK", found)


def _body(environ: WSGIEnvironment) -> Mapping[str, Any]:
    """Return the JSON object sent; an empty one for no body."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MOST_BODY_BYTES:
        raise ValueError(f"expected at most {MOST_BODY_BYTES} bytes")
    found = json.loads(environ["wsgi.input"].read(length) or b"{}")
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object, got {type(found).__name__}")  # noqa: TRY004
    return found


def _is_local(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _answer(start_response: StartResponse, status: str, body: object) -> list[bytes]:
    data = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
    start_response(status, headers)
    return [data]
