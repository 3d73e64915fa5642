"""One connection: requests in, responses out, until either side has had enough."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Protocol

from agent.web.request import END_OF_HEAD, MAX_HEAD_BYTES, BadRequest, Request, parse_head
from agent.web.response import Response, error_response

IDLE_SECONDS = 120.0
"""A connection that asks nothing is closed after this time; scrapes come more often."""

HEAD_SECONDS = 5.0
"""From the first byte of a request to its last; one that dribbles holds a thread no longer."""

SEND_SECONDS = 30.0
"""For a client to take its answer."""

RECEIVE_BYTES = 8 << 10

PART_SECONDS, PART_PIECES = 1.0, 16
"""How long, and how much, is still listened to after the last answer."""

SHAKE_SECONDS = 5.0
"""For a client to agree on TLS."""

Answer = Callable[[Request], Response]


class Welcome(Protocol):
    """Turns a connection just taken into one to talk over: agrees on TLS, or does nothing."""

    def __call__(self, stream: socket.socket) -> tuple[socket.socket, Answer]:
        """Return what to talk over and how to answer; raise OSError to turn it away."""


class Connection:
    """A client we talk to.

    Args:
        stream: its socket.

    Attributes:
        quiet_since: monotonic seconds at which it last said something.
    """

    def __init__(self, stream: socket.socket) -> None:
        self.quiet_since = time.monotonic()
        self._stream = stream
        self._received = b""

    def serve(self, welcome: Welcome) -> None:
        """Answer what is asked until the client goes, is silent too long or talks nonsense."""
        # A client that goes away, or talks no TLS, is nothing to tell of: nobody is left to hear.
        try:
            with contextlib.suppress(OSError):
                self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._stream.settimeout(SHAKE_SECONDS)
                self._stream, answer = welcome(self._stream)
                self._answer_all(answer)
        finally:
            self._stream.close()

    def _answer_all(self, answer: Answer) -> None:
        last_head, request = b"", None
        try:
            while (head := self._next_head()) is not None:
                self.quiet_since = time.monotonic()
                if request is None or head != last_head:  # a scraper asks the same every time
                    last_head, request = head, parse_head(head)
                response = answer(request)
                self._stream.settimeout(SEND_SECONDS)
                has_body = request.method != "HEAD"
                self._stream.sendall(response.written(is_last=request.is_last, has_body=has_body))
                if request.is_last:
                    self._part()
                    return
        except BadRequest as error:
            response = error_response(error.status, "request", str(error))
            self._stream.sendall(response.written(is_last=True))
            self._part()

    def _part(self) -> None:
        """Let the client read to the end: closing over what it still sends would reset it."""
        socket.socket.shutdown(self._stream, socket.SHUT_WR)
        self._stream.settimeout(PART_SECONDS)
        for _ in range(PART_PIECES):
            if not self._stream.recv(RECEIVE_BYTES):
                return

    def _next_head(self) -> bytes | None:
        """Return the next request's head; None when the client went or said nothing."""
        deadline = None
        while (length := self._received.find(END_OF_HEAD)) < 0:
            self._require_bounded(len(self._received))
            if self._received and deadline is None:
                deadline = time.monotonic() + HEAD_SECONDS
            piece = self._receive(deadline)
            if not piece:
                return None
            self._received += piece
        self._require_bounded(length)
        head, _, self._received = self._received.partition(END_OF_HEAD)
        return head

    def _require_bounded(self, length: int) -> None:
        if length > MAX_HEAD_BYTES:
            raise BadRequest(431, f"expected a head of at most {MAX_HEAD_BYTES} bytes")

    def _receive(self, deadline: float | None) -> bytes:
        if deadline is None:
            self._stream.settimeout(IDLE_SECONDS)
            try:
                return self._stream.recv(RECEIVE_BYTES)
            except TimeoutError:
                return b""
        self._stream.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            return self._stream.recv(RECEIVE_BYTES)
        except TimeoutError:
            message = f"expected a whole request within {HEAD_SECONDS:g} s"
            raise BadRequest(408, message) from None

    def end(self) -> None:
        """End it from outside; whoever serves it is woken."""
        with contextlib.suppress(OSError):  # it may have gone by itself
            # Not TLS' own, which is not safe beside a read in another thread.
            socket.socket.shutdown(self._stream, socket.SHUT_RDWR)
