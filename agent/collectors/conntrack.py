"""Connection tracking, from /proc/sys/net/netfilter and /proc/net/stat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_number, read_text
from watchkeeper.catalogue import host


class ConntrackCollector:
    """Entries against their limit, and what was dropped; nothing where the module is not loaded."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._limits = Path(proc) / "sys" / "net" / "netfilter"
        self._statistics = Path(proc) / "net" / "stat" / "nf_conntrack"

    def collect(self) -> Iterator[Family]:
        """Return what this machine tracks."""
        for metric, file in (
            (host.CONNTRACK_ENTRIES, "nf_conntrack_count"),
            (host.CONNTRACK_LIMIT, "nf_conntrack_max"),
        ):
            number = read_number(f"{self._limits}/{file}")
            if number is not None:
                yield single(metric, number)
        try:
            header, *rows = read_text(self._statistics).splitlines()
        except FileNotFoundError:
            return
        columns = zip(*(row.split() for row in rows), strict=True)
        for name, words in zip(header.split(), columns, strict=True):
            if name in host.CONNTRACK_STAT:
                yield single(host.CONNTRACK_STAT[name], sum(int(word, 16) for word in words))

    def close(self) -> None:
        """Nothing is held open."""
