"""Pressure stall information, from /proc/pressure (Linux 4.20; some need psi=1 at boot)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import host
from watchkeeper.errors import Reason

METRICS = {
    ("cpu", "some"): host.PRESSURE_CPU_WAITING,
    ("memory", "some"): host.PRESSURE_MEMORY_WAITING,
    ("memory", "full"): host.PRESSURE_MEMORY_STALLED,
    ("io", "some"): host.PRESSURE_IO_WAITING,
    ("io", "full"): host.PRESSURE_IO_STALLED,
}
"""Metric by resource and line. A whole machine cannot stall on its CPUs: no such line is kept."""

MICROSECONDS = 1e-6


class PressureCollector:
    """Time lost waiting for CPU, memory and I/O."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._directory = Path(proc) / "pressure"

    def collect(self) -> Iterator[Family]:
        """Return the totals since boot.

        Raises:
            CollectionFailed: the kernel keeps none.
        """
        for resource in ("cpu", "memory", "io"):
            for line in self._lines(resource):
                kind, _, rest = line.partition(" ")
                metric = METRICS.get((resource, kind))
                if metric is not None:
                    yield single(metric, int(rest.rpartition("total=")[2]) * MICROSECONDS)

    def _lines(self, resource: str) -> list[str]:
        try:
            return read_text(self._directory / resource).splitlines()
        except OSError as error:
            message = f"no pressure information ({error}); it needs Linux 4.20 and maybe psi=1"
            raise CollectionFailed(message, reason=Reason.REFUSED) from None

    def close(self) -> None:
        """Nothing is held open."""
