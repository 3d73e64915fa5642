"""What the firmware says of the machine, and NVMe controllers of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample, single
from agent.procfs import read_line
from watchkeeper.catalogue import host_hardware

DMI_FILES = {"system_vendor": "sys_vendor"}
"""File under /sys/class/dmi/id by label, where they are not the same."""

NVME_FILES = {"firmware_revision": "firmware_rev"}
"""File of an NVMe controller by label, where they are not the same."""


class FirmwareCollector:
    """Vendor, model and version of the board and of NVMe disks; serial numbers only for root."""

    def __init__(self, *, sys: str = "/sys") -> None:
        self._dmi = Path(sys) / "class" / "dmi" / "id"
        self._nvme = Path(sys) / "class" / "nvme"

    def collect(self) -> Iterator[Family]:
        """Return the descriptions this machine has."""
        if self._dmi.is_dir():
            labels = host_hardware.DMI_INFO.labels
            files = (self._dmi / DMI_FILES.get(label, label) for label in labels)
            yield single(host_hardware.DMI_INFO, 1, tuple(read_line(file) or "" for file in files))
        controllers: list[Sample] = [(_described(path), 1) for path in sorted(self._nvme.glob("*"))]
        yield Family(host_hardware.NVME_INFO, controllers)

    def close(self) -> None:
        """Nothing is held open."""


def _described(controller: Path) -> tuple[str, ...]:
    return tuple(
        controller.name
        if label == "device"
        else read_line(controller / NVME_FILES.get(label, label)) or ""
        for label in host_hardware.NVME_INFO.labels
    )
