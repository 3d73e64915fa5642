"""Reading answers of the Redis protocol from a peer that may say anything, or stop halfway."""

from __future__ import annotations

import socket
import time
from typing import Any

from watchkeeper.errors import Reason, UpstreamError

MAX_ANSWER_BYTES = 16 << 20
"""A single answer longer than this is refused: one huge message must not fill our memory."""

MAX_LINE_BYTES = 64 << 10
"""Of a status, an error or a number; what is long comes as a string of a told length."""

MAX_ITEMS = 1 << 17
"""Of one answer, those of lists within lists included; an empty list takes 4 bytes to send and
14 times that of our memory."""

MAX_DEPTH = 8
"""Lists within lists; nothing we ask for has more than three."""

RECEIVED_BYTES = 64 << 10
"""Taken from the socket at a time."""

Answer = bytes | int | list[Any] | None

REASONS = {
    "NOAUTH": Reason.AUTHENTICATION,
    "WRONGPASS": Reason.AUTHENTICATION,
    "NOPERM": Reason.PERMISSION,
    "DENIED": Reason.PERMISSION,
    "LOADING": Reason.BUSY,
    "BUSY": Reason.BUSY,
}
"""Reason by the first word of an error; any other is ``refused``."""


class CommandRefused(UpstreamError):  # noqa: N818  # it names what happened
    """The server answered with an error; the connection is still good."""


class Answers:
    """What a server answers, one answer after another.

    Args:
        connection: to the server; its timeout is set before each reading.
        timeout_seconds: for each answer as a whole, however slowly it comes.
    """

    def __init__(self, connection: socket.socket, timeout_seconds: float) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds
        self._received = bytearray()
        self._ends_at = 0.0
        self._bytes_left = 0
        self._items_left = 0

    def read(self) -> Answer | CommandRefused:
        """Return the next answer.

        Raises:
            OSError: the connection broke, or the answer was not complete in time.
            ValueError: it is no answer, or larger than any we ask for.
        """
        self._ends_at = time.monotonic() + self._timeout_seconds
        self._bytes_left = MAX_ANSWER_BYTES
        self._items_left = MAX_ITEMS
        return self._answer(MAX_DEPTH)

    def _answer(self, depth: int) -> Answer | CommandRefused:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            return _refused(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._string(int(rest))
        if kind == b"*":
            return self._list(int(rest), depth)
        raise ValueError("it does not speak RESP2")

    def _list(self, count: int, depth: int) -> Answer:
        if count == -1:
            return None
        self._items_left -= count
        if count < 0 or self._items_left < 0 or depth == 0:
            raise ValueError(f"a list of {count} within {MAX_DEPTH - depth} others is too much")
        return [self._answer(depth - 1) for _ in range(count)]

    def _string(self, length: int) -> bytes | None:
        if length == -1:
            return None
        if length < 0:
            raise ValueError(f"a string of {length} bytes is none")
        body = self._take(length + 2)
        if not body.endswith(b"\r\n"):
            raise ValueError("a string does not end where it should")
        return body[:-2]

    def _line(self) -> bytes:
        seen = 0
        while (end := self._received.find(b"\r\n", max(0, seen - 1))) < 0:
            seen = len(self._received)
            if seen > MAX_LINE_BYTES:
                raise ValueError(f"a line of more than {MAX_LINE_BYTES} bytes is none")
            self._receive()
        return self._take(end + 2)[:-2]

    def _take(self, count: int) -> bytes:
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise ValueError(f"it answers with more than {MAX_ANSWER_BYTES} bytes")
        while len(self._received) < count:
            self._receive()
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    def _receive(self) -> None:
        left_seconds = self._ends_at - time.monotonic()
        if left_seconds <= 0:
            raise TimeoutError("the answer is not complete in time")
        self._connection.settimeout(left_seconds)
        more = self._connection.recv(RECEIVED_BYTES)
        if not more:
            raise ConnectionResetError("the server closed the connection")
        self._received += more


def _refused(text: str) -> CommandRefused:
    return CommandRefused(text, reason=REASONS.get(text.partition(" ")[0], Reason.REFUSED))
