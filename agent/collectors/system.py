"""What the kernel tells of the machine in one line each: descriptors, entropy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_line, read_number
from watchkeeper.catalogue import host

NUMBERS = {
    host.ENTROPY_AVAILABLE: "sys/kernel/random/entropy_avail",
    host.ENTROPY_POOL: "sys/kernel/random/poolsize",
}
"""File under /proc by metric; what this machine lacks is left out."""


class SystemCollector:
    """File handles, entropy, and whether SELinux is on."""

    def __init__(self, *, proc: str = "/proc", sys: str = "/sys") -> None:
        self._proc = Path(proc)
        self._selinux = Path(sys) / "fs" / "selinux"

    def collect(self) -> Iterator[Family]:
        """Return what this machine has."""
        yield single(host.SELINUX_ENABLED, int(self._selinux.is_dir()))
        for metric, file in NUMBERS.items():
            number = read_number(f"{self._proc}/{file}")
            if number is not None:
                yield single(metric, number)
        files = read_line(f"{self._proc}/sys/fs/file-nr")
        if files:
            allocated, _, maximum = files.split()
            yield single(host.FILES_ALLOCATED, int(allocated))
            yield single(host.FILES_MAXIMUM, int(maximum))

    def close(self) -> None:
        """Nothing is held open."""
