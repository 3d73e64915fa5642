"""Protocol counters, from /proc/net/netstat, snmp and snmp6."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_text
from watchkeeper.catalogue import host

PROTOCOLS_OF_SNMP6 = ("Icmp6", "Ip6", "UdpLite6", "Udp6")
"""snmp6 writes protocol and field as one word."""


class NetstatCollector:
    """What IP, TCP, UDP and ICMP counted since boot."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._directory = Path(proc) / "net"

    def collect(self) -> Iterator[Family]:
        """Return the fields of the catalogue that this kernel has."""
        for file in ("netstat", "snmp"):
            for field, number in pairs_of(read_text(self._directory / file)):
                metric = host.NETSTAT.get(field)
                if metric is not None:
                    yield single(metric, int(number))
        yield from self._ipv6()

    def _ipv6(self) -> Iterator[Family]:
        try:
            lines = read_text(self._directory / "snmp6").splitlines()
        except FileNotFoundError:
            return  # IPv6 is switched off
        for line in lines:
            word, number = line.split()
            protocol = next((name for name in PROTOCOLS_OF_SNMP6 if word.startswith(name)), None)
            if protocol is None:
                continue
            metric = host.NETSTAT.get(f"{protocol}_{word.removeprefix(protocol)}")
            if metric is not None:
                yield single(metric, int(number))

    def close(self) -> None:
        """Nothing is held open."""


def pairs_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield ``Protocol_Field`` and number of a file that alternates lines of names and numbers."""
    lines = text.splitlines()
    for names, numbers in zip(lines[::2], lines[1::2], strict=True):
        protocol, *fields = names.split()
        for field, number in zip(fields, numbers.split()[1:], strict=True):
            yield f"{protocol.removesuffix(':')}_{field}", number
