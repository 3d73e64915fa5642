"""The aggregator: takes workers' reports on a Unix socket and serves their sum at /metrics.

python -m watchkeeper.instrument.multiprocess.aggregator SOCKET HOST:PORT
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingMixIn, UnixStreamServer
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from watchkeeper.catalogue import process
from watchkeeper.instrument.multiprocess.ledger import Ledger
from watchkeeper.instrument.multiprocess.report import ACKNOWLEDGEMENT, receive

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

MOST_WAITING = 128
"""Workers in the queue while the aggregator starts or is busy."""


class Aggregator:
    """Listens for workers until closed.

    Args:
        socket_path: where; a file left over from a dead aggregator is replaced. Only the user it
            runs as may connect.
        listening: the socket there, if somebody listens on it already.
    """

    def __init__(self, socket_path: str | Path, listening: socket.socket | None = None) -> None:
        self.registry = CollectorRegistry()
        self._ledger = Ledger()
        self.registry.register(self._ledger)
        workers = process.INSTRUMENT_WORKERS.gauge(self.registry)
        workers.set_function(self._ledger.workers)
        self._path = Path(socket_path)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = _server(listening or listen_at(self._path), self._serve_worker)
        self._inode = _inode_at(self._path)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics-aggregator", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Hang up on all workers, listen no longer and remove the socket, if it is still ours."""
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        if _inode_at(self._path) == self._inode:
            self._path.unlink(missing_ok=True)

    def _serve_worker(self, connection: socket.socket) -> None:
        place = self._ledger.join()
        with self._lock:
            self._connections.add(connection)
        try:
            while (report := receive(connection)) is not None:
                self._ledger.add(place, report)
                connection.sendall(ACKNOWLEDGEMENT)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("a worker was cut off: what it sent is no report: %s", error)
        except OSError:
            log.debug("a worker was killed in the middle of a report")
        finally:
            with self._lock:
                self._connections.discard(connection)
            self._ledger.leave(place)


def spawn_aggregator(socket_path: str | Path, listen: str) -> subprocess.Popen[bytes]:
    """Start an aggregator as a child process.

    It ends when this process and all it has forked are gone, however they went.

    Args:
        socket_path: where workers report.
        listen: ``HOST:PORT`` of its /metrics.

    Returns:
        The process; keep it, and call ``terminate`` on it to end it earlier.
    """
    # It is listened for workers from now on: one that ends while the aggregator still starts leaves
    # its only report in the queue.
    with listen_at(Path(socket_path)) as listening:
        descriptor = listening.fileno()
        command = [sys.executable, "-m", __package__, str(socket_path), listen]
        # It reads its standard input and ends when that does: only we and our forks hold the other
        # end.
        return subprocess.Popen(
            [*command, "--with-parent", f"--listening={descriptor}"],
            stdin=subprocess.PIPE,
            pass_fds=[descriptor],
        )


def listen_at(path: Path) -> socket.socket:
    """Return a socket that listens at ``path`` for processes of this user."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        path.chmod(0o600)  # nobody can have connected: it does not listen yet
        listening.listen(MOST_WAITING)
    except OSError:
        listening.close()
        raise
    return listening


def _inode_at(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _server(listening: socket.socket, serve: Callable[[socket.socket], None]) -> UnixStreamServer:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            serve(self.request)

    server = _Server(listening.getsockname(), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    return server


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
