"""One deadline and one size for a whole HTTP answer, however its bytes are sent.

The read timeout of http.client holds between two bytes, so a peer that sends one now and then
holds its caller for ever, in the headers as well as in the body. Here it holds for all of it: each
read of the socket may take only what is left. It costs a step per read of a buffer, none per byte.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

BUFFER_BYTES = 64 * 1024

PIECE_BYTES = 256 * 1024

LATE_READS = 16
LATE_READ_SECONDS = 0.01
"""What has arrived in time is taken, though our process was stopped and looks late: so often, and
so long each. A peer that drips gains a sixth of a second by it."""


def within(timeout_seconds: float, *, connect_seconds: float | None = None) -> urllib3.Timeout:
    """Return limits for connecting, for each piece that is sent, and for the whole answer."""
    return urllib3.Timeout(total=timeout_seconds, connect=connect_seconds or timeout_seconds)


def body_of(answer: urllib3.BaseHTTPResponse, limit_bytes: int) -> bytes:
    """Return the body, decoded, up to ``limit_bytes``; no more of it is read.

    Raises:
        urllib3.exceptions.HTTPError: it did not end in time, broke off or cannot be decoded.
    """
    pieces: list[bytes] = []
    left_bytes = limit_bytes
    # read1 gives what has arrived, where read would wait for more.
    while left_bytes and (piece := answer.read1(min(PIECE_BYTES, left_bytes), decode_content=True)):
        pieces.append(piece)
        left_bytes -= len(piece)
    return b"".join(pieces)


class _Response(http.client.HTTPResponse):
    """An answer read from a socket that is given less time with each read."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        raw = _Remaining(self.fp.detach(), sock)
        self.fp = io.BufferedReader(raw, BUFFER_BYTES)


class _Remaining(io.RawIOBase):
    """The bytes of a socket until its timeout, counted from now, is over."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        timeout_seconds = sock.gettimeout()
        self._end_seconds = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        self._late_reads = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._end_seconds is not None:
            self._sock.settimeout(self._left_seconds(self._end_seconds))
        return self._raw.readinto(buffer)

    def _left_seconds(self, end_seconds: float) -> float:
        left_seconds = end_seconds - time.monotonic()
        if left_seconds > 0:
            return left_seconds
        self._late_reads += 1
        if self._late_reads > LATE_READS:
            raise TimeoutError("the answer did not end in time")
        return LATE_READ_SECONDS

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Connection(HTTPConnection):
    response_class = _Response


class _TLSConnection(HTTPSConnection):
    response_class = _Response


class HTTPPool(urllib3.HTTPConnectionPool):
    """Connections whose read timeout is for the whole answer."""

    ConnectionCls = _Connection


class HTTPSPool(urllib3.HTTPSConnectionPool):
    """Connections over TLS whose read timeout is for the whole answer."""

    ConnectionCls = _TLSConnection
