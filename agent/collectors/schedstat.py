"""Running and waiting by CPU, from /proc/schedstat (kernels built with SCHEDSTATS)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_text
from watchkeeper.catalogue import Metric, host

NANOSECONDS = 1e-9

COLUMNS: tuple[tuple[Metric, int, float], ...] = (
    (host.SCHEDSTAT_RUNNING, 7, NANOSECONDS),
    (host.SCHEDSTAT_WAITING, 8, NANOSECONDS),
    (host.SCHEDSTAT_TIMESLICES, 9, 1),
)
"""Metric, column and factor (Documentation/scheduler/sched-stats.rst)."""


class SchedstatCollector:
    """How long processes ran, and how long they waited to; nothing where it is not kept."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "schedstat"

    def collect(self) -> Iterator[Family]:
        """Return the times since boot."""
        try:
            lines = read_text(self._path).splitlines()
        except FileNotFoundError:
            return
        rows = [line.split() for line in lines if line.startswith("cpu")]
        for metric, column, factor in COLUMNS:
            samples: list[Sample] = [((row[0][3:],), int(row[column]) * factor) for row in rows]
            yield Family(metric, samples)

    def close(self) -> None:
        """Nothing is held open."""
