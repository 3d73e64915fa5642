"""The worker's side: reports what its registry counted, once a second."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import Exemplar

from watchkeeper.instrument.multiprocess.report import (
    ACKNOWLEDGEMENT,
    Described,
    ExemplarValue,
    Report,
    SeriesName,
)

log = logging.getLogger(__name__)

CUMULATIVE = frozenset({"counter", "histogram", "summary"})
"""Kinds whose samples only grow; of all others the present value counts."""

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
        self._told: dict[SeriesName, float] = {}
        self._connection: socket.socket | None = None
        self._away = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics-reporter", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Report once more and end; returns after two seconds at most."""
        self._stopping.set()
        self._thread.join(LAST_REPORT_SECONDS)

    def _run(self) -> None:
        while True:
            last = self._stopping.wait(self._interval_seconds)
            self._try_to_send()
            if last:
                break
        if self._connection is not None:
            self._connection.close()

    def _try_to_send(self) -> None:
        values, report = take(self._registry, self._told)
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


def take(
    registry: CollectorRegistry, told: dict[SeriesName, float]
) -> tuple[dict[SeriesName, float], Report]:
    """Return the cumulative values of ``registry`` now, and the report of what is new in them.

    Args:
        registry: what to report.
        told: the cumulative values at the last report that was taken.
    """
    values: dict[SeriesName, float] = {}
    report = Report()
    for metric in registry.collect():
        report.families[metric.name] = Described(metric.type, metric.documentation)
        for sample in metric.samples:
            if sample.name.endswith("_created") and metric.type in CUMULATIVE:
                continue  # the time a series began in one worker says nothing about the sum
            name = SeriesName(metric.name, sample.name, tuple(sorted(sample.labels.items())))
            if metric.type not in CUMULATIVE:
                report.standing[name] = sample.value
                continue
            values[name] = sample.value
            before = told.get(name)
            grown = sample.value - (before or 0.0)
            # One that fell was started again, like a series of a restarted process.
            added = grown if grown >= 0 else sample.value
            if added or before is None:
                report.added[name] = added
            if added and sample.exemplar is not None:
                report.exemplars[name] = _exemplar_value(sample.exemplar)
    return values, report


def _exemplar_value(exemplar: Exemplar) -> ExemplarValue:
    timestamp = None if exemplar.timestamp is None else float(exemplar.timestamp)
    return ExemplarValue(dict(exemplar.labels), exemplar.value, timestamp)
