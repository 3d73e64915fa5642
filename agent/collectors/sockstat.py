"""Sockets in use, from /proc/net/sockstat and sockstat6."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import host

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
"""The unit of ``mem``."""

IN_BYTES = {"TCP_mem": host.SOCKSTAT_TCP_MEMORY, "UDP_mem": host.SOCKSTAT_UDP_MEMORY}


class SockstatCollector:
    """Sockets by protocol, and the memory they hold."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._directory = Path(proc) / "net"

    def collect(self) -> Iterator[Family]:
        """Return the fields of the catalogue that this kernel has."""
        for line in self._lines():
            protocol, *words = line.split()
            for name, number in zip(words[::2], words[1::2], strict=True):
                field = f"{protocol.removesuffix(':')}_{name}"
                if field in host.SOCKSTAT:
                    yield single(host.SOCKSTAT[field], int(number))
                if field in IN_BYTES:
                    yield single(IN_BYTES[field], int(number) * PAGE_BYTES)

    def _lines(self) -> list[str]:
        lines = read_text(f"{self._directory}/sockstat").splitlines()
        try:
            return lines + read_text(f"{self._directory}/sockstat6").splitlines()
        except FileNotFoundError:
            return lines  # IPv6 is switched off

    def close(self) -> None:
        """Nothing is held open."""
