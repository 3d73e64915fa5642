"""Power supplies, batteries and energy counters, from /sys/class/power_supply and powercap."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_line, read_number
from watchkeeper.catalogue import Metric, host_power

FILES = {
    "charge_ampere": "charge_now",
    "current_ampere": "current_now",
    "cyclecount": "cycle_count",
    "energy_watthour": "energy_now",
    "power_watt": "power_now",
    "time_to_empty_seconds": "time_to_empty_now",
    "time_to_full_seconds": "time_to_full_now",
    "voltage_volt": "voltage_now",
}
"""File by the end of the metric's name, where they are not the same."""

MICROJOULES_PER_JOULE = 1_000_000

_INDEX = re.compile(r"(.+)-(\d+)")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_]")


def file_of(name: str) -> str:
    """Return the file under /sys/class/power_supply of a metric (ABI/testing/sysfs-class-power)."""
    return FILES.get(name, name.removesuffix("_celsius"))


class PowerCollector:
    """Whether the machine has power, for how long, and what it used."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._supplies = Path(sys) / "class" / "power_supply"
        self._zones = Path(sys) / "class" / "powercap"

    def collect(self) -> Iterator[Family]:
        """Return what the machine has; what may not be read is left out."""
        supplies = sorted(self._supplies.glob("*"))
        if supplies:
            yield from _supply_families(supplies)
        yield from self._energy()

    def _energy(self) -> Iterator[Family]:
        # Only root may read them since they were found to leak secrets (CVE-2020-8694).
        found: dict[Metric, list[Sample]] = {}
        seen: Counter[str] = Counter()
        for zone in sorted(self._zones.glob("*")):
            name = read_line(zone / "name")
            if not name:
                continue
            name, index = _indexed(name, seen)
            microjoules = read_number(zone / "energy_uj")
            if microjoules is not None:
                metric = host_power.ENERGY.get(name) or host_power.energy(name)
                sample = ((index, str(zone)), microjoules / MICROJOULES_PER_JOULE)
                found.setdefault(metric, []).append(sample)
        for metric, samples in found.items():
            yield Family(metric, samples)

    def close(self) -> None:
        """Nothing is held open."""


def _supply_families(supplies: Sequence[Path]) -> Iterator[Family]:
    for name, metric in host_power.SUPPLY.items():
        divisor, file = host_power.SUPPLY_DIVISORS[name], file_of(name)
        numbers = ((supply.name, read_number(supply / file)) for supply in supplies)
        yield Family(
            metric,
            [((supply,), number / divisor) for supply, number in numbers if number is not None],
        )
    yield Family(host_power.SUPPLY_INFO, [(_description(supply), 1) for supply in supplies])


def _description(supply: Path) -> tuple[str, ...]:
    return tuple(
        supply.name if label == "power_supply" else read_line(supply / label) or ""
        for label in host_power.SUPPLY_INFO.labels
    )


def _indexed(name: str, seen: Counter[str]) -> tuple[str, str]:
    """Return name and index of a zone: ``package-0`` has its own, ``dram`` gets the next free."""
    found = _INDEX.fullmatch(name)
    if found is not None:
        return _FORBIDDEN.sub("_", found[1]), found[2]
    name = _FORBIDDEN.sub("_", name)
    seen[name] += 1
    return name, str(seen[name] - 1)
