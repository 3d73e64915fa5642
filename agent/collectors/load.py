"""Load averages, from /proc/loadavg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import host


class LoadCollector:
    """The load averages over 1, 5 and 15 minutes."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "loadavg"

    def collect(self) -> Iterator[Family]:
        """Return the three averages."""
        averages = read_text(self._path).split()[:3]
        for metric, average in zip((host.LOAD1, host.LOAD5, host.LOAD15), averages, strict=True):
            yield single(metric, float(average))

    def close(self) -> None:
        """Nothing is held open."""
