"""Memory, from /proc/meminfo: every field the kernel has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import host

BYTES_PER_KB = 1024
"""The kernel writes kB and means KiB (proc_meminfo(5))."""


class MemoryCollector:
    """One gauge a field of meminfo."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "meminfo"
        self._metrics = dict(host.MEMORY)

    def collect(self) -> Iterator[Family]:
        """Return all fields; those counted in kB as bytes."""
        for line in read_text(self._path).splitlines():
            field, _, rest = line.partition(":")
            number, _, unit = rest.strip().partition(" ")
            metric = self._metrics.get(field)
            if metric is None:
                metric = self._metrics[field] = host.memory_field(field, has_unit=bool(unit))
            yield single(metric, int(number) * BYTES_PER_KB if unit else int(number))

    def close(self) -> None:
        """Nothing is held open."""
