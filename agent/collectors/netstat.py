"""Protocol counters, from /proc/net/netstat, snmp and snmp6."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import Metric, host

PROTOCOLS_OF_SNMP6 = ("Icmp6", "Ip6", "UdpLite6", "Udp6")
"""snmp6 writes protocol and field as one word."""

OF_SNMP6 = {
    f"{protocol}{field.removeprefix(protocol).removeprefix('_')}": metric
    for field, metric in host.NETSTAT.items()
    for protocol in PROTOCOLS_OF_SNMP6
    if field.startswith(f"{protocol}_")
}
"""Metric by word of snmp6."""

Column = tuple[int, Metric]


class NetstatCollector:
    """What IP, TCP, UDP and ICMP counted since boot."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._directory = Path(proc) / "net"
        self._columns: dict[str, list[Column]] = {}

    def collect(self) -> Iterator[Family]:
        """Return the fields of the catalogue that this kernel has."""
        for file in ("netstat", "snmp"):
            lines = read_text(f"{self._directory}/{file}").splitlines()
            # Lines of names and of numbers take turns.
            for names, numbers in zip(lines[::2], lines[1::2], strict=True):
                values = numbers.split()
                for at, metric in self._columns_of(names):
                    yield single(metric, int(values[at]))
        yield from self._ipv6()

    def _columns_of(self, names: str) -> list[Column]:
        # The names change with the kernel only, and there are four times as many as we tell of.
        columns = self._columns.get(names)
        if columns is None:
            protocol, *fields = names.split()
            found = (host.NETSTAT.get(f"{protocol.removesuffix(':')}_{field}") for field in fields)
            columns = [(at, metric) for at, metric in enumerate(found, 1) if metric is not None]
            self._columns[names] = columns
        return columns

    def _ipv6(self) -> Iterator[Family]:
        try:
            words = read_text(f"{self._directory}/snmp6").split()
        except FileNotFoundError:
            return  # IPv6 is switched off
        for word, number in zip(words[::2], words[1::2], strict=True):
            metric = OF_SNMP6.get(word)
            if metric is not None:
                yield single(metric, int(number))

    def close(self) -> None:
        """Nothing is held open."""
