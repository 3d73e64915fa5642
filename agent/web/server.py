"""Takes connections: a thread each, and no more than a few dozen."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading

from agent.web.connection import Connection, Welcome
from watchkeeper.listen import Listen

MAX_CONNECTIONS = 64
"""A scraper keeps one. With more than this the one that was silent longest is ended."""

WAITING_CONNECTIONS = 128
"""Not yet taken; socketserver's 5 is little when many scrape at once."""

EXHAUSTED_SECONDS = 0.1
"""How long nothing is taken when the machine has no descriptor left."""

EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Server:
    """Serves requests on one address.

    Args:
        listen: the address; port 0 takes a free one.
        welcome: called for each connection, in its thread.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(self, listen: Listen, welcome: Welcome) -> None:
        self._welcome = welcome
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        self._socket = socket.create_server(listen, family=family, backlog=WAITING_CONNECTIONS)
        self._stopping = threading.Event()
        self._connections: set[Connection] = set()
        self._changing = threading.Lock()

    @property
    def address(self) -> str:
        """HOST:PORT it listens on."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Take connections from now on; returns at once."""
        threading.Thread(target=self._take_all, name="serve", daemon=True).start()

    def stop(self) -> None:
        """Take no more and end those there are."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._changing:
            for connection in self._connections:
                connection.end()

    def _take_all(self) -> None:
        while not self._stopping.is_set():
            try:
                stream, _ = self._socket.accept()
            except OSError as error:
                # Others are a client that went before it was taken, or our own end.
                if error.errno in EXHAUSTED:
                    self._end_the_quietest()
                    self._stopping.wait(EXHAUSTED_SECONDS)
                continue
            self._talk_to(Connection(stream))

    def _talk_to(self, connection: Connection) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            self._end_the_quietest()
        with self._changing:
            self._connections.add(connection)
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="answer", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the machine has no thread left; the client will try again
            self._forget(connection)
            connection.end()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve(self._welcome)
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with self._changing:
            self._connections.discard(connection)

    def _end_the_quietest(self) -> None:
        with self._changing:
            if self._connections:
                quietest = min(self._connections, key=lambda one: one.quiet_since)
                self._connections.discard(quietest)
                quietest.end()
