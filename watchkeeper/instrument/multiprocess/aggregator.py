"""The aggregator: takes workers' reports on a Unix socket and serves their sum at /metrics.

python -m watchkeeper.instrument.multiprocess.aggregator SOCKET HOST:PORT
"""

from __future__ import annotations

import logging
import os
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


class Aggregator:
    """Listens for workers until closed.

    Args:
        socket_path: where; a file left over from a dead aggregator is replaced. Only the user it
            runs as may connect.
    """

    def __init__(self, socket_path: str | Path) -> None:
        self.registry = CollectorRegistry()
        self._ledger = Ledger()
        self.registry.register(self._ledger)
        workers = process.INSTRUMENT_WORKERS.gauge(self.registry)
        workers.set_function(self._ledger.workers)
        self._path = Path(socket_path)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = _listen(self._path, self._serve_worker)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics-aggregator", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Hang up on all workers, listen no longer and remove the socket."""
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
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
    command = [sys.executable, "-m", __package__, str(socket_path), listen]
    # It reads its standard input and ends when that does: only we and our forks hold the other end.
    return subprocess.Popen([*command, "--with-parent"], stdin=subprocess.PIPE)


def _listen(path: Path, serve: Callable[[socket.socket], None]) -> UnixStreamServer:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            serve(self.request)

    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        return _Server(str(path), Handler)
    finally:
        os.umask(before)


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
