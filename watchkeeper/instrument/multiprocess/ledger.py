"""The sum of all workers' reports, those of the dead included."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator

from prometheus_client.core import Exemplar, Metric
from prometheus_client.registry import Collector

from watchkeeper.catalogue import process, tasks
from watchkeeper.instrument.multiprocess.report import (
    Described,
    ExemplarValue,
    Report,
    SeriesName,
)

WORKER_LABEL = "worker"
"""The worker's place: 0, 1, 2... A new worker takes the lowest free one, so series stay few."""

PER_WORKER = frozenset(
    metric.name.removesuffix("_total")
    for metric in (
        process.CPU, process.RESIDENT, process.VIRTUAL, process.START_TIME, process.OPEN_FDS,
        process.MAX_FDS, process.MEMORY_LIMIT, process.THREADS, process.GC_PAUSE,
        process.GC_COLLECTED, process.GC_UNCOLLECTABLE, process.GC_COLLECTIONS,
    )
)  # fmt: skip
"""Families that only mean something for one process; they are told apart by ``worker``."""

WORST = frozenset({tasks.SYNC_LAG.name, tasks.OLDEST_RUNNING.name, process.PYTHON_INFO.name})
"""Gauges of which the highest counts; all other gauges of the workers alive are added up."""


class Ledger(Collector):
    """Adds reports up and shows the sums.

    A counter of the ledger only grows: a worker's share stays in it when the worker is gone. Its
    gauges go with it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._families: dict[str, Described] = {}
        self._totals: dict[SeriesName, float] = {}
        self._exemplars: dict[SeriesName, ExemplarValue] = {}
        self._standing: dict[int, dict[SeriesName, float]] = {}

    def join(self) -> int:
        """Return the place of a new worker: the lowest that is free."""
        with self._lock:
            place = next(
                place for place in range(len(self._standing) + 1) if place not in self._standing
            )
            self._standing[place] = {}
            return place

    def leave(self, place: int) -> None:
        """Forget where the gauges of a worker stood that is gone."""
        with self._lock:
            del self._standing[place]

    def workers(self) -> int:
        """Return how many workers report now."""
        with self._lock:
            return len(self._standing)

    def add(self, place: int, report: Report) -> None:
        """Add one report of the worker at ``place``, all of it or nothing."""
        added = {_placed(name, place): value for name, value in report.added.items()}
        standing = {_placed(name, place): value for name, value in report.standing.items()}
        exemplars = {_placed(name, place): told for name, told in report.exemplars.items()}
        with self._lock:
            self._families.update(report.families)
            for name, value in added.items():
                self._totals[name] = self._totals.get(name, 0.0) + value
            self._exemplars.update(exemplars)
            self._standing[place] = standing

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what workers report is not known beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return the sums now, consistent with each other."""
        with self._lock:
            families = dict(self._families)
            values = {**self._totals, **_gauges(self._standing.values())}
            exemplars = dict(self._exemplars)
        metrics = {
            name: Metric(name, described.help, described.kind)
            for name, described in families.items()
        }
        for name in sorted(values, key=_reading_order):
            told = exemplars.get(name)
            exemplar = None if told is None else Exemplar(*told)
            metrics[name.family].add_sample(
                name.sample, dict(name.labels), values[name], exemplar=exemplar
            )
        return iter(metrics.values())


def _placed(name: SeriesName, place: int) -> SeriesName:
    if name.family not in PER_WORKER:
        return name
    return name._replace(labels=(*name.labels, (WORKER_LABEL, str(place))))


def _gauges(workers: Iterable[dict[SeriesName, float]]) -> dict[SeriesName, float]:
    merged: dict[SeriesName, float] = {}
    for standing in workers:
        for name, value in standing.items():
            if name not in merged:
                merged[name] = value
            elif name.family in WORST:
                merged[name] = max(merged[name], value)
            else:
                merged[name] += value
    return merged


def _reading_order(name: SeriesName) -> tuple[object, ...]:
    """Order series as an exposition must have them: buckets of one histogram rising together."""
    labels = dict(name.labels)
    bound = float(labels.pop("le", math.inf))
    return name.family, sorted(labels.items()), name.sample, bound
