"""What a peer sends, of which one answer gets so many bytes and so much time."""

from __future__ import annotations

import socket
import time

MAX_ANSWER_BYTES = 16 << 20
"""A single answer longer than this is refused: one huge message must not fill our memory."""

RECEIVED_BYTES = 64 << 10
"""Taken from the socket at a time."""


class TooMuch(ValueError):  # noqa: N818  # it names what came
    """More than any answer to what we ask; what follows cannot be understood either."""


class Incoming:
    """The bytes of one answer after another.

    Args:
        connection: to the peer, whose timeout is ours to set.
        timeout_seconds: for each answer as a whole, however slowly it comes.
    """

    def __init__(self, connection: socket.socket, timeout_seconds: float) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds
        self._received = bytearray()
        self._ends_at = 0.0
        self._bytes_left = 0

    def begin(self) -> None:
        """Begin an answer, which has all the time and all the bytes before it."""
        self._ends_at = time.monotonic() + self._timeout_seconds
        self._bytes_left = MAX_ANSWER_BYTES
        self._connection.settimeout(self._timeout_seconds)  # also for what is asked

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            OSError: the connection broke, or the answer was not complete in time.
            TooMuch: the answer is larger than any we ask for.
        """
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise TooMuch(f"it answers with more than {MAX_ANSWER_BYTES} bytes")
        while len(self._received) < count:
            self._receive()
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    def line(self, max_bytes: int) -> bytes:
        """Return what comes before the next CR LF.

        Raises:
            OSError: as above.
            TooMuch: as above, or the line is longer than ``max_bytes``.
        """
        seen = 0
        while (end := self._received.find(b"\r\n", max(0, seen - 1))) < 0:
            seen = len(self._received)
            if seen > max_bytes:
                raise TooMuch(f"a line of more than {max_bytes} bytes is none")
            self._receive()
        return self.take(end + 2)[:-2]

    def _receive(self) -> None:
        left_seconds = self._ends_at - time.monotonic()
        if left_seconds <= 0:
            raise TimeoutError("the answer is not complete in time")
        self._connection.settimeout(left_seconds)
        more = self._connection.recv(RECEIVED_BYTES)
        if not more:
            raise ConnectionResetError("the server closed the connection")
        self._received += more
