"""Virtual memory counters, from /proc/vmstat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import host


class VmstatCollector:
    """Paging, swapping, faults and OOM kills."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "vmstat"

    def collect(self) -> Iterator[Family]:
        """Return the fields of the catalogue that this kernel has."""
        for line in read_text(self._path).splitlines():
            field, _, number = line.partition(" ")
            metric = host.VMSTAT.get(field)
            if metric is not None:
                yield single(metric, int(number))

    def close(self) -> None:
        """Nothing is held open."""
