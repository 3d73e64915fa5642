"""Memory errors, from the kernel's memory controllers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_number
from watchkeeper.catalogue import host_hardware

COUNTS = {
    host_hardware.MEMORY_CORRECTED: "ce_count",
    host_hardware.MEMORY_UNCORRECTED: "ue_count",
}
"""File by metric."""


class EdacCollector:
    """Errors by controller; nothing where there is no ECC memory."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._directory = Path(sys) / "devices/system/edac/mc"

    def collect(self) -> Iterator[Family]:
        """Return the counts since boot."""
        for metric, file in COUNTS.items():
            samples: list[Sample] = []
            for directory in sorted(self._directory.glob("mc[0-9]*")):
                count = read_number(directory / file)
                if count is not None:
                    samples.append(((directory.name.removeprefix("mc"),), count))
            yield Family(metric, samples)

    def close(self) -> None:
        """Nothing is held open."""
