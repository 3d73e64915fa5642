"""One limit for all that a probe does: a target that sends a byte a second is not waited for."""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Deadline:
    """The end of a probe, so many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def left_seconds(self) -> float:
        """Return the time left, more than 0; raise TimeoutError when there is none."""
        left_seconds = self._ends_at - time.monotonic()
        if left_seconds <= 0:
            raise TimeoutError("the time for the probe is over")
        return left_seconds


class Stream:
    """A connected socket under a deadline, as far as ``http.client`` uses one.

    Who made the socket closes it.
    """

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def sendall(self, data: ReadableBuffer) -> None:
        """Send all of it."""
        self._connection.settimeout(self._deadline.left_seconds())
        self._connection.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what is received as a file, to be read only (``rb``)."""
        del mode
        return io.BufferedReader(_Received(self._connection, self._deadline))

    def close(self) -> None:
        """Do nothing."""


class _Received(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._connection.settimeout(self._deadline.left_seconds())
        return self._connection.recv_into(buffer)
