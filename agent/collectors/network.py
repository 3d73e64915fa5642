"""Network devices: counters and state from the routing socket, the rest from /sys/class/net."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from agent import netlink
from agent.family import Family
from agent.netlink import Link
from agent.procfs import read_line, read_number
from watchkeeper.catalogue import Metric, host

IGNORED_DEVICES = r"(?!)"
"""None, as in node_exporter; a machine with hundreds of containers may want to name theirs."""

BYTES_PER_SECOND_PER_MBIT = 1_000_000 / 8
"""``speed`` is in Mbit/s."""

RECEIVED, SENT = host.NETWORK_RECEIVE, host.NETWORK_TRANSMIT

COUNTERS: dict[Metric, tuple[str, ...]] = {
    RECEIVED["bytes"]: ("rx_bytes",),
    RECEIVED["packets"]: ("rx_packets",),
    RECEIVED["errs"]: ("rx_errors",),
    RECEIVED["drop"]: ("rx_dropped", "rx_missed_errors"),
    RECEIVED["fifo"]: ("rx_fifo_errors",),
    RECEIVED["frame"]: (
        "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
    ),
    RECEIVED["compressed"]: ("rx_compressed",),
    RECEIVED["multicast"]: ("multicast",),
    host.NETWORK_RECEIVE_NOHANDLER: ("rx_nohandler",),
    SENT["bytes"]: ("tx_bytes",),
    SENT["packets"]: ("tx_packets",),
    SENT["errs"]: ("tx_errors",),
    SENT["drop"]: ("tx_dropped",),
    SENT["fifo"]: ("tx_fifo_errors",),
    SENT["colls"]: ("collisions",),
    SENT["carrier"]: (
        "tx_carrier_errors", "tx_aborted_errors", "tx_window_errors", "tx_heartbeat_errors",
    ),
    SENT["compressed"]: ("tx_compressed",),
}  # fmt: skip
"""Statistics that each metric sums, as /proc/net/dev does (net/core/net-procfs.c)."""

STATES: dict[Metric, Callable[[Link], int | None]] = {
    host.NETWORK_UP: lambda link: int(link.operational_state == "up"),
    host.NETWORK_CARRIER: lambda link: (
        link.byte(netlink.IFLA_CARRIER) if link.flags & netlink.FLAG_UP else None
    ),
    host.NETWORK_CARRIER_CHANGES: lambda link: link.number(netlink.IFLA_CARRIER_CHANGES),
    host.NETWORK_CARRIER_UP: lambda link: link.number(netlink.IFLA_CARRIER_UP_COUNT),
    host.NETWORK_CARRIER_DOWN: lambda link: link.number(netlink.IFLA_CARRIER_DOWN_COUNT),
    host.NETWORK_MTU: lambda link: link.number(netlink.IFLA_MTU),
    host.NETWORK_QUEUE: lambda link: link.number(netlink.IFLA_TXQLEN),
    host.NETWORK_SYSFS["dormant"]: lambda link: int(bool(link.flags & netlink.FLAG_DORMANT)),
    host.NETWORK_SYSFS["flags"]: lambda link: link.own_flags,
    host.NETWORK_SYSFS["iface_id"]: lambda link: link.index,
    host.NETWORK_SYSFS["iface_link"]: lambda link: link.number(netlink.IFLA_LINK) or link.index,
    host.NETWORK_SYSFS["iface_link_mode"]: lambda link: link.byte(netlink.IFLA_LINKMODE),
    host.NETWORK_SYSFS["net_dev_group"]: lambda link: link.number(netlink.IFLA_GROUP),
    host.NETWORK_SYSFS["protocol_type"]: lambda link: link.kind,
}
"""How each metric is read from a device; None where it does not apply."""

ONLY_IN_FILES = {
    host.NETWORK_SYSFS["address_assign_type"]: "addr_assign_type",
    host.NETWORK_SYSFS["device_id"]: "dev_id",
    host.NETWORK_SYSFS["name_assign_type"]: "name_assign_type",
}
"""File by metric, for what the socket does not tell."""


class _FromFiles(NamedTuple):
    """What only the files tell; it changes with the carrier or not at all."""

    seen: tuple[int, int | None, int]
    duplex: str
    speed: int | None
    numbers: tuple[int | None, ...]


class NetworkCollector:
    """Bytes, packets, errors and drops by device, and the state of its link."""

    def __init__(
        self,
        *,
        sys: str = "/sys",
        ignored_devices: str = IGNORED_DEVICES,
        read_links: Callable[[], Sequence[Link]] = netlink.read_links,
    ) -> None:
        self._ignored = re.compile(ignored_devices)
        self._class = Path(sys) / "class" / "net"
        self._read_links = read_links
        self._from_files: dict[str, _FromFiles] = {}

    def collect(self) -> Iterator[Family]:
        """Return the counters and the state of every device."""
        told = (link for link in self._read_links() if not self._ignored.search(link.name))
        links = sorted(told, key=lambda link: link.name)
        self._from_files = {link.name: self._files_of(link) for link in links}
        yield from _counters(links)
        for metric, read in STATES.items():
            values = (((link.name,), read(link)) for link in links)
            yield Family(metric, [(label, value) for label, value in values if value is not None])
        yield Family(host.NETWORK_INFO, [(self._description(link), 1) for link in links])
        yield from self._file_families()

    def _files_of(self, link: Link) -> _FromFiles:
        seen = (link.index, link.number(netlink.IFLA_CARRIER_CHANGES), link.own_flags)
        known = self._from_files.get(link.name)
        if known is not None and known.seen == seen:
            return known
        directory = self._class / link.name
        numbers = tuple(read_number(directory / file) for file in ONLY_IN_FILES.values())
        duplex = read_line(directory / "duplex") or ""
        return _FromFiles(seen, duplex, read_number(directory / "speed"), numbers)

    def _description(self, link: Link) -> tuple[str, ...]:
        text = {
            "address": link.hardware_address(netlink.IFLA_ADDRESS),
            "adminstate": "up" if link.flags & netlink.FLAG_UP else "down",
            "broadcast": link.hardware_address(netlink.IFLA_BROADCAST),
            "device": link.name,
            "duplex": self._from_files[link.name].duplex,
            "ifalias": link.alias,
            "operstate": link.operational_state,
        }
        return tuple(text[label] for label in host.NETWORK_INFO.labels)

    def _file_families(self) -> Iterator[Family]:
        known = [((name,), files) for name, files in self._from_files.items()]
        yield Family(
            host.NETWORK_SPEED,
            [
                (label, files.speed * BYTES_PER_SECOND_PER_MBIT)
                for label, files in known
                if files.speed is not None and files.speed >= 0
            ],
        )
        for at, metric in enumerate(ONLY_IN_FILES):
            values = ((label, files.numbers[at]) for label, files in known)
            yield Family(metric, [(label, value) for label, value in values if value is not None])

    def close(self) -> None:
        """Nothing is held open."""


def _counters(links: Sequence[Link]) -> Iterator[Family]:
    rows = [((link.name,), link.statistics) for link in links]
    for metric, names in COUNTERS.items():
        yield Family(metric, [(label, sum(row[name] for name in names)) for label, row in rows])
