"""Pressure stall information, from /proc/pressure (Linux 4.20; some need psi=1 at boot)."""

from __future__ import annotations

import errno
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
    ("irq", "full"): host.PRESSURE_IRQ_STALLED,
}
"""Metric by resource and line. A whole machine cannot stall on its CPUs: no such line is kept."""

RESOURCES = tuple(dict.fromkeys(resource for resource, _ in METRICS))

MICROSECONDS = 1e-6


class PressureCollector:
    """Time lost waiting for CPU, memory, I/O and interrupts; nothing where the kernel keeps none.

    Some distributions switch it off.
    """

    def __init__(self, *, proc: str = "/proc") -> None:
        self._directory = Path(proc) / "pressure"

    def collect(self) -> Iterator[Family]:
        """Return the totals since boot.

        Raises:
            CollectionFailed: the kernel keeps them, and we cannot read them.
        """
        for resource in RESOURCES:
            for line in self._lines(resource):
                kind, _, rest = line.partition(" ")
                metric = METRICS.get((resource, kind))
                if metric is not None:
                    yield single(metric, int(rest.rpartition("total=")[2]) * MICROSECONDS)

    def _lines(self, resource: str) -> list[str]:
        try:
            return read_text(f"{self._directory}/{resource}").splitlines()
        except OSError as error:
            if is_not_kept(error):
                return []
            message = f"pressure information cannot be read: {error}"
            raise CollectionFailed(message, reason=Reason.REFUSED) from None

    def close(self) -> None:
        """Nothing is held open."""


def is_not_kept(error: OSError) -> bool:
    """Return whether the kernel says that it keeps no such information.

    The file is not there; in kernels before 5.2 it is, and answers that it is not supported.
    """
    return error.errno in (errno.ENOENT, errno.EOPNOTSUPP)
