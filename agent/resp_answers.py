"""Reading answers of the Redis protocol from a peer that may say anything, or stop halfway."""

from __future__ import annotations

import socket
from typing import Any

from agent.incoming import Incoming, TooMuch
from watchkeeper.errors import Reason, UpstreamError

MAX_LINE_BYTES = 64 << 10
"""Of a status, an error or a number; what is long comes as a string of a told length."""

MAX_ITEMS = 1 << 17
"""Of one answer, those of lists within lists included; an empty list takes 4 bytes to send and
14 times that of our memory."""

MAX_DEPTH = 8
"""Lists within lists; nothing we ask for has more than three."""

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
        connection: to the server, whose timeout is set here.
        timeout_seconds: for each answer as a whole, however slowly it comes.
    """

    def __init__(self, connection: socket.socket, timeout_seconds: float) -> None:
        self._incoming = Incoming(connection, timeout_seconds)
        self._items_left = 0

    def read(self) -> Answer | CommandRefused:
        """Return the next answer.

        Raises:
            OSError: the connection broke, or the answer was not complete in time.
            ValueError: it is no answer, or larger than any we ask for.
        """
        self._incoming.begin()
        self._items_left = MAX_ITEMS
        return self._answer(MAX_DEPTH)

    def _answer(self, depth: int) -> Answer | CommandRefused:
        line = self._incoming.line(MAX_LINE_BYTES)
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
            raise TooMuch(f"a list of {count} within {MAX_DEPTH - depth} others is too much")
        return [self._answer(depth - 1) for _ in range(count)]

    def _string(self, length: int) -> bytes | None:
        if length == -1:
            return None
        if length < 0:
            raise ValueError(f"a string of {length} bytes is none")
        body = self._incoming.take(length + 2)
        if not body.endswith(b"\r\n"):
            raise ValueError("a string does not end where it should")
        return body[:-2]


def _refused(text: str) -> CommandRefused:
    return CommandRefused(text, reason=REASONS.get(text.partition(" ")[0], Reason.REFUSED))
