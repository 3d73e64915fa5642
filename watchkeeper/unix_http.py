"""HTTP over a Unix socket, as supervisors and container engines speak it on their own machine."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path


class UnixConnection(http.client.HTTPConnection):
    """A connection to the service behind a socket; the Host is what a loopback service expects.

    Args:
        path: of the socket.
        timeout_seconds: for connecting, and for each wait for an answer.
    """

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path
        self._patience_seconds = timeout_seconds

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._patience_seconds)
        self.sock.connect(str(self._path))
