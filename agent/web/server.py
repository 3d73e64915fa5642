"""Takes connections: a thread each, and no more than a few dozen."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
from functools import partial

from agent.web.connection import Answer, Connection, Welcome
from agent.web.request import Request
from agent.web.response import Response, error_response
from watchkeeper.errors import Reason
from watchkeeper.listen import Listen
from watchkeeper.logs import get_logger

log = get_logger(__name__)

MAX_CONNECTIONS = 64
"""A scraper keeps one. With more than this the one that was silent longest is ended."""

WAITING_CONNECTIONS = 128
"""Not yet taken; socketserver's 5 is little when many scrape at once."""

EXHAUSTED_SECONDS = 0.1
"""How long nothing is taken when the machine has no descriptor left."""

MAX_FAULTS = 100
"""How many different faults of our own are told of once only."""

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
        self._faults: set[str] = set()

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
            connection.serve(self._welcomed)
        finally:
            self._forget(connection)

    def _welcomed(self, stream: socket.socket) -> tuple[socket.socket, Answer]:
        stream, answer = self._welcome(stream)
        return stream, partial(self._answered, answer)

    def _answered(self, answer: Answer, request: Request) -> Response:
        """Return the answer; 500 in place of one that breaks."""
        try:
            return answer(request)
        except Exception as error:  # the supervised boundary: a request breaks alone
            fault = f"{type(error).__name__}: {error}"
            level = logging.DEBUG if fault in self._faults else logging.ERROR
            log.log(level, "a request broke", exc_info=True, extra={"path": request.path})
            if len(self._faults) < MAX_FAULTS:
                self._faults.add(fault)
            return error_response(500, Reason.UNEXPECTED, "the agent's log says what went wrong")

    def _forget(self, connection: Connection) -> None:
        with self._changing:
            self._connections.discard(connection)

    def _end_the_quietest(self) -> None:
        with self._changing:
            if self._connections:
                quietest = min(self._connections, key=lambda one: one.quiet_since)
                self._connections.discard(quietest)
                quietest.end()
