"""Neighbours by device, from /proc/net/arp."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family
from agent.procfs import read_text
from watchkeeper.catalogue import host


class ArpCollector:
    """How many addresses each device has resolved."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._path = Path(proc) / "net" / "arp"

    def collect(self) -> Iterator[Family]:
        """Return the number of entries of each device that has any."""
        rows = (line.split() for line in read_text(self._path).splitlines()[1:])
        entries = Counter(row[5] for row in rows if len(row) > 5)
        yield Family(host.ARP_ENTRIES, [((device,), count) for device, count in entries.items()])

    def close(self) -> None:
        """Nothing is held open."""
