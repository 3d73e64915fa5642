"""Packets between the devices and the protocols, from /proc/net/softnet_stat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family
from agent.procfs import read_text
from watchkeeper.catalogue import host

COLUMNS = {
    host.SOFTNET["processed"]: 0,
    host.SOFTNET["dropped"]: 1,
    host.SOFTNET["times_squeezed"]: 2,
    host.SOFTNET["cpu_collision"]: 8,
    host.SOFTNET["received_rps"]: 9,
    host.SOFTNET["flow_limit_count"]: 10,
    host.SOFTNET_BACKLOG: 11,
}
"""Column by metric; older kernels have fewer (net/core/net-procfs.c)."""

CPU_COLUMN = 12


class SoftnetCollector:
    """What each CPU processed, dropped and put off."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "net" / "softnet_stat"

    def collect(self) -> Iterator[Family]:
        """Return the columns this kernel has."""
        rows = [
            [int(word, 16) for word in line.split()] for line in read_text(self._path).splitlines()
        ]
        labels = [
            (str(row[CPU_COLUMN] if len(row) > CPU_COLUMN else at),) for at, row in enumerate(rows)
        ]
        for metric, column in COLUMNS.items():
            pairs = zip(labels, rows, strict=True)
            yield Family(
                metric, [(label, row[column]) for label, row in pairs if len(row) > column]
            )

    def close(self) -> None:
        """Nothing is held open."""
