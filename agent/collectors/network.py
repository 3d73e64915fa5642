"""Network devices, from /proc/net/dev and /sys/class/net."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_line, read_number, read_text
from watchkeeper.catalogue import Metric, host

COLUMNS = (*host.NETWORK_RECEIVE.values(), *host.NETWORK_TRANSMIT.values())
"""Metric of each column of /proc/net/dev, in the kernel's order."""

BYTES_PER_SECOND_PER_MBIT = 1_000_000 / 8
"""``speed`` is in Mbit/s."""

NUMBERS: dict[Metric, str] = {
    host.NETWORK_CARRIER: "carrier",
    host.NETWORK_CARRIER_CHANGES: "carrier_changes",
    host.NETWORK_CARRIER_UP: "carrier_up_count",
    host.NETWORK_CARRIER_DOWN: "carrier_down_count",
    host.NETWORK_MTU: "mtu",
    host.NETWORK_QUEUE: "tx_queue_len",
    host.NETWORK_SYSFS["address_assign_type"]: "addr_assign_type",
    host.NETWORK_SYSFS["device_id"]: "dev_id",
    host.NETWORK_SYSFS["dormant"]: "dormant",
    host.NETWORK_SYSFS["flags"]: "flags",
    host.NETWORK_SYSFS["iface_id"]: "ifindex",
    host.NETWORK_SYSFS["iface_link"]: "iflink",
    host.NETWORK_SYSFS["iface_link_mode"]: "link_mode",
    host.NETWORK_SYSFS["name_assign_type"]: "name_assign_type",
    host.NETWORK_SYSFS["net_dev_group"]: "netdev_group",
    host.NETWORK_SYSFS["protocol_type"]: "type",
}
"""File under /sys/class/net/DEVICE by metric."""

INFO_FILES = ("address", "broadcast", "duplex", "ifalias", "operstate")


class NetworkCollector:
    """Bytes, packets, errors and drops by device, and the state of its link."""

    def __init__(self, *, proc: str = "/proc", sys: str = "/sys") -> None:
        # /proc/net is a link to the reader's own namespace; pid 1's is the machine's.
        self._dev = Path(proc) / "net" / "dev"
        self._class = Path(sys) / "class" / "net"

    def collect(self) -> Iterator[Family]:
        """Return the counters and the state of every device."""
        yield from self._counters()
        devices = sorted(entry.name for entry in self._class.iterdir() if entry.is_dir())
        yield Family(host.NETWORK_INFO, [self._info(device) for device in devices])
        yield Family(host.NETWORK_UP, [((device,), self._is_up(device)) for device in devices])
        yield Family(host.NETWORK_SPEED, list(self._speeds(devices)))
        for metric, file in NUMBERS.items():
            found = ((device, read_number(self._class / device / file)) for device in devices)
            yield Family(
                metric, [((device,), number) for device, number in found if number is not None]
            )

    def _counters(self) -> Iterator[Family]:
        rows = []
        for line in read_text(self._dev).splitlines()[2:]:
            device, _, numbers = line.partition(":")
            rows.append(((device.strip(),), [int(number) for number in numbers.split()]))
        for at, metric in enumerate(COLUMNS):
            yield Family(metric, [(label, numbers[at]) for label, numbers in rows])

    def _info(self, device: str) -> Sample:
        text = {name: read_line(self._class / device / name) or "" for name in INFO_FILES}
        flags = read_number(self._class / device / "flags") or 0
        text |= {"device": device, "adminstate": "up" if flags & 1 else "down"}
        return tuple(text[label] for label in host.NETWORK_INFO.labels), 1

    def _is_up(self, device: str) -> int:
        return int(read_line(self._class / device / "operstate") == "up")

    def _speeds(self, devices: list[str]) -> Iterator[Sample]:
        for device in devices:
            megabits = read_number(self._class / device / "speed")
            if megabits is not None and megabits >= 0:
                yield (device,), megabits * BYTES_PER_SECOND_PER_MBIT

    def close(self) -> None:
        """Nothing is held open."""
