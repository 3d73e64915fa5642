"""Disk operations, from /proc/diskstats (Documentation/admin-guide/iostats.rst)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, LabelValues
from agent.procfs import read_line, read_text
from watchkeeper.catalogue import host

IGNORED_DEVICES = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$"
"""What node_exporter leaves out by default: memory, loops, floppies and partitions."""

SECTOR_BYTES = 512
"""The unit of diskstats, whatever the device's own sectors are."""
MILLISECONDS = 1e-3

COLUMNS = (
    (host.DISK_READS, 1), (host.DISK_READS_MERGED, 1), (host.DISK_READ_BYTES, SECTOR_BYTES),
    (host.DISK_READ_TIME, MILLISECONDS), (host.DISK_WRITES, 1), (host.DISK_WRITES_MERGED, 1),
    (host.DISK_WRITTEN_BYTES, SECTOR_BYTES), (host.DISK_WRITE_TIME, MILLISECONDS),
    (host.DISK_IO_NOW, 1), (host.DISK_IO_TIME, MILLISECONDS),
    (host.DISK_IO_WEIGHTED, MILLISECONDS), (host.DISK_DISCARDS, 1),
    (host.DISK_DISCARDS_MERGED, 1), (host.DISK_DISCARDED_SECTORS, 1),
    (host.DISK_DISCARD_TIME, MILLISECONDS), (host.DISK_FLUSHES, 1),
    (host.DISK_FLUSH_TIME, MILLISECONDS),
)  # fmt: skip
"""Metric and factor of each column after the name; later kernels have more columns."""


UDEV_PROPERTIES = {
    "model": "ID_MODEL",
    "path": "ID_PATH",
    "revision": "ID_REVISION",
    "serial": "ID_SERIAL_SHORT",
    "wwn": "ID_WWN",
}
"""Property by label of the disk's description."""


class DiskCollector:
    """Reads, writes, discards and flushes by device, with their time and queue."""

    def __init__(
        self, *, proc: str = "/proc", root: str = "/", ignored_devices: str = IGNORED_DEVICES
    ) -> None:
        self._path = Path(proc) / "diskstats"
        self._udev = Path(root) / "run" / "udev" / "data"
        self._descriptions: dict[tuple[str, str, str], LabelValues] = {}
        self._ignored = re.compile(ignored_devices)

    def collect(self) -> Iterator[Family]:
        """Return the counters of each device since it appeared."""
        devices = []
        descriptions = []
        for line in read_text(self._path).splitlines():
            columns = line.split()
            if len(columns) > 3 and not self._ignored.match(columns[2]):
                devices.append(((columns[2],), columns[3:]))
                descriptions.append(self._description(columns[0], columns[1], columns[2]))
        yield Family(host.DISK_INFO, [(labels, 1) for labels in descriptions])
        for at, (metric, factor) in enumerate(COLUMNS):
            yield Family(
                metric,
                [
                    (label, int(columns[at]) * factor)
                    for label, columns in devices
                    if len(columns) > at
                ],
            )

    def _description(self, major: str, minor: str, device: str) -> LabelValues:
        # A disk that takes the place of another gets its own number or name.
        key = (major, minor, device)
        if key not in self._descriptions:
            text = read_line(self._udev / f"b{major}:{minor}") or ""
            found = dict(
                line[2:].split("=", 1)
                for line in text.splitlines()
                if line.startswith("E:") and "=" in line
            )
            values = {label: found.get(name, "") for label, name in UDEV_PROPERTIES.items()}
            values |= {"device": device, "major": major, "minor": minor}
            self._descriptions[key] = tuple(values[label] for label in host.DISK_INFO.labels)
        return self._descriptions[key]

    def close(self) -> None:
        """Nothing is held open."""
