"""A wire between two that can be cut without either end noticing, and mended again."""

from __future__ import annotations

import socket
import threading
from typing import Self

CHUNK_BYTES = 1 << 16


class TcpProxy:
    """Passes bytes on to a port of this machine; cut, it takes them and passes nothing on.

    As with a network that drops everything, no end is told: connections stay open, new ones are
    made and stay silent. Mended, what was on its way arrives.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._whole = threading.Event()
        self._whole.set()
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._whole.set()
        for one in [self._server, *self._sockets]:
            one.close()

    def cut(self) -> None:
        """Pass nothing on from now."""
        self._whole.clear()

    def mend(self) -> None:
        """Pass everything on again, also what came meanwhile."""
        self._whole.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                return
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(CHUNK_BYTES):
                self._whole.wait()
                sink.sendall(chunk)
            self._whole.wait()
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return
