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

ROW_COUNTS = {
    host_hardware.MEMORY_ROW_CORRECTED: ("ce_count", "ce_noinfo_count"),
    host_hardware.MEMORY_ROW_UNCORRECTED: ("ue_count", "ue_noinfo_count"),
}
"""File of a chip-select row, and that of the errors no row is known for, by metric."""

UNKNOWN_ROW = "unknown"


class EdacCollector:
    """Errors by controller and row; nothing where there is no ECC memory."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._directory = Path(sys) / "devices/system/edac/mc"

    def collect(self) -> Iterator[Family]:
        """Return the counts since boot."""
        controllers = sorted(self._directory.glob("mc[0-9]*"))
        for metric, file in COUNTS.items():
            counts = ((_number_of(path), read_number(path / file)) for path in controllers)
            yield Family(metric, [((mc,), count) for mc, count in counts if count is not None])
        for metric, (file, unknown) in ROW_COUNTS.items():
            yield Family(
                metric, [one for path in controllers for one in _rows(path, file, unknown)]
            )

    def close(self) -> None:
        """Nothing is held open."""


def _rows(controller: Path, file: str, unknown: str) -> Iterator[Sample]:
    files = {UNKNOWN_ROW: controller / unknown}
    rows = sorted(controller.glob("csrow[0-9]*"))
    files |= {row.name.removeprefix("csrow"): row / file for row in rows}
    for row, path in files.items():
        count = read_number(path)
        if count is not None:
            yield (_number_of(controller), row), count


def _number_of(controller: Path) -> str:
    return controller.name.removeprefix("mc")
