"""Bytes waiting in UDP sockets, from /proc/net/udp and udp6."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, Sample
from agent.procfs import read_text
from watchkeeper.catalogue import host

QUEUES_COLUMN = 4
"""``tx_queue:rx_queue`` in hexadecimal."""


class UdpQueuesCollector:
    """What applications have not read yet, and devices not sent."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._directory = Path(proc) / "net"

    def collect(self) -> Iterator[Family]:
        """Return the sums over all sockets of each IP version."""
        samples: list[Sample] = []
        for version, file in (("v4", "udp"), ("v6", "udp6")):
            try:
                lines = read_text(f"{self._directory}/{file}").splitlines()[1:]
            except FileNotFoundError:
                continue  # IPv6 is switched off
            queues = [line.split()[QUEUES_COLUMN].split(":") for line in lines]
            samples.append((("tx", version), sum(int(sent, 16) for sent, _ in queues)))
            samples.append((("rx", version), sum(int(received, 16) for _, received in queues)))
        yield Family(host.UDP_QUEUES, samples)

    def close(self) -> None:
        """Nothing is held open."""
