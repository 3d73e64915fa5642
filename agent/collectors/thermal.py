"""Temperatures and cooling, from /sys/class/thermal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_line, read_number
from watchkeeper.catalogue import host_hardware

MILLIDEGREES = 1e-3


class ThermalCollector:
    """Each zone's temperature and each cooling device's state; nothing on most virtual machines."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._directory = Path(sys) / "class" / "thermal"

    def collect(self) -> Iterator[Family]:
        """Return what the machine's sensors say; one that cannot be read is left out."""
        zones: list[Sample] = []
        for zone, kind, directory in self._devices("thermal_zone"):
            millidegrees = read_number(directory / "temp")
            if millidegrees is not None:
                zones.append(((zone, kind), millidegrees * MILLIDEGREES))
        yield Family(host_hardware.THERMAL_ZONE, zones)
        for metric, file in (
            (host_hardware.COOLING_STATE, "cur_state"),
            (host_hardware.COOLING_MAXIMUM, "max_state"),
        ):
            states: list[Sample] = []
            for name, kind, directory in self._devices("cooling_device"):
                state = read_number(directory / file)
                if state is not None:
                    states.append(((name, kind), state))
            yield Family(metric, states)

    def _devices(self, prefix: str) -> Iterator[tuple[str, str, Path]]:
        for directory in sorted(self._directory.glob(f"{prefix}*")):
            yield (
                directory.name.removeprefix(prefix),
                read_line(directory / "type") or "",
                directory,
            )

    def close(self) -> None:
        """Nothing is held open."""
