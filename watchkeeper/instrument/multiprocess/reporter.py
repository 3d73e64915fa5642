"""The worker's side: reports what its registry counted, once a second."""

from __future__ import annotations

import logging
import os
import socket
import threading
import weakref
from pathlib import Path

from prometheus_client import CollectorRegistry

from watchkeeper.instrument.multiprocess.inheritance import inherited_counts
from watchkeeper.instrument.multiprocess.report import ACKNOWLEDGEMENT
from watchkeeper.instrument.multiprocess.snapshot import take

log = logging.getLogger(__name__)

LAST_REPORT_SECONDS = 2.0
"""A worker that ends waits no longer than this for its last report to be taken."""


class Reporter:
    """Sends reports from a thread of its own. Make it in the worker, after the fork.

    An aggregator that is away is tried again at the next report; what was counted meanwhile goes
    into the first report it takes.

    Args:
        registry: what to report.
        socket_path: where the aggregator listens.
        interval_seconds: between reports, and so the most a killed worker can lose.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        socket_path: str | Path,
        *,
        interval_seconds: float = 1.0,
    ) -> None:
        self._registry = registry
        self._socket_path = str(socket_path)
        self._interval_seconds = interval_seconds
        self._told = inherited_counts(registry)
        self._is_first = True
        self._connection: socket.socket | None = None
        self._away = False
        self._failed = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics-reporter", daemon=True)
        _reporters.add(self)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Report once more and end; returns after two seconds at most."""
        self._stopping.set()
        self._thread.join(LAST_REPORT_SECONDS)

    def forget_connection(self) -> None:
        """Let go of the connection in a forked child: it is the parent's to use and to end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self) -> None:
        while True:
            last = self._stopping.wait(self._interval_seconds)
            self._report()
            if last:
                break
        if self._connection is not None:
            self._connection.close()

    def _report(self) -> None:
        try:
            self._try_to_send()
        except Exception:  # supervised boundary: gauges ask functions of the application
            if not self._failed:
                log.warning("the metrics could not be read; trying again", exc_info=True)
            self._failed = True
        else:
            self._failed = False

    def _try_to_send(self) -> None:
        values, report = take(self._registry, self._told, is_first=self._is_first)
        try:
            self._send(report.encode())
        except OSError as error:
            if not self._away:
                log.warning("the metrics aggregator at %s is away: %s", self._socket_path, error)
            self._away = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        else:
            self._away = False
            # Only what was acknowledged counts as told; the rest is sent again.
            self._told = values
            self._is_first = False

    def _send(self, frame: bytes) -> None:
        if self._connection is None:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self._socket_path)
            except OSError:
                connection.close()
                raise
            self._connection = connection
        self._connection.sendall(frame)
        if self._connection.recv(1) != ACKNOWLEDGEMENT:
            raise ConnectionError("the aggregator hung up")


_reporters: weakref.WeakSet[Reporter] = weakref.WeakSet()


def _forget_connections() -> None:
    for reporter in list(_reporters):
        reporter.forget_connection()


# Else the aggregator would believe a parent that was killed to be alive as long as its children.
os.register_at_fork(after_in_child=_forget_connections)
