"""A door through which the operator of this machine has the process collect its garbage."""

from __future__ import annotations

import gc
import hmac
import json
import os
import threading
import time
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/control/garbage-collection"

LEAST_TOKEN_CHARACTERS = 24
"""A token is never typed by hand; a short one could be guessed."""


class GarbageCollection:
    """One page: GET says what there is, POST collects. Only from this machine, with the token.

    A collection stops the program while it runs, so there is one at a time.

    Args:
        token: at least 24 characters.

    Raises:
        ValueError: the token is shorter.
    """

    def __init__(self, token: str) -> None:
        if len(token) < LEAST_TOKEN_CHARACTERS:
            raise ValueError(f"expected a token of at least {LEAST_TOKEN_CHARACTERS} characters")
        self._authorization = f"Bearer {token}".encode()
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not _is_local(environ.get("REMOTE_ADDR", "")):
            return _answer(start_response, "403 Forbidden", {"error": "only from this machine"})
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, self._authorization):
            return _answer(start_response, "401 Unauthorized", {"error": "not the right token"})
        method = environ.get("REQUEST_METHOD", "")
        if method == "GET":
            found = {"tracked": len(gc.get_objects()), "resident_bytes": _resident_bytes()}
            return _answer(start_response, "200 OK", found)
        if method != "POST":
            return _answer(start_response, "405 Method Not Allowed", {"error": "GET or POST"})
        if not self._one_at_a_time.acquire(blocking=False):
            return _answer(start_response, "409 Conflict", {"error": "a collection is running"})
        try:
            return _answer(start_response, "200 OK", _collect())
        finally:
            self._one_at_a_time.release()


def _collect() -> dict[str, float | None]:
    before_bytes = _resident_bytes()
    began = time.perf_counter()
    unreachable = gc.collect()
    return {
        "unreachable": unreachable,
        "uncollectable": len(gc.garbage),
        "seconds": time.perf_counter() - began,
        "resident_bytes_before": before_bytes,
        "resident_bytes_after": _resident_bytes(),
    }


def _resident_bytes() -> int | None:
    """Return the memory in use as Linux tells it, proc(5); None elsewhere."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


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
