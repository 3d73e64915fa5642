"""Bonded network devices, from /sys/class/net."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_line
from watchkeeper.catalogue import host


class BondingCollector:
    """Slaves of each bond, and how many of them are up; nothing where there is no bond."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._directory = Path(sys) / "class" / "net"

    def collect(self) -> Iterator[Family]:
        """Return the state of each bond."""
        slaves: list[Sample] = []
        active: list[Sample] = []
        for master in (read_line(f"{self._directory}/bonding_masters") or "").split():
            names = (read_line(self._directory / master / "bonding/slaves") or "").split()
            states = [read_line(self._directory / master / f"lower_{n}/bonding_slave/mii_status")
                      for n in names]  # fmt: skip
            slaves.append(((master,), len(names)))
            active.append(((master,), states.count("up")))
        yield Family(host.BONDING_SLAVES, slaves)
        yield Family(host.BONDING_ACTIVE, active)

    def close(self) -> None:
        """Nothing is held open."""
