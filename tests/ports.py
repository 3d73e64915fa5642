"""Ports for the servers that tests and benchmarks start."""

from __future__ import annotations

import random
import socket

from watchkeeper.supervisor import ports


def free_ports(count: int) -> int:
    """Return the first of ``count`` ports in a row that are free now.

    Below the range the kernel takes ports for outgoing connections from: one of those must not
    take the port between our looking and the server's listening.
    """
    chance = random.SystemRandom()  # pytest-randomly seeds the ordinary one, the same in every run
    while True:
        first = chance.randrange(10_000, 32_000)
        if not any(ports.is_taken(port) for port in range(first, first + count)):
            return first


def free_port() -> int:
    """Return a port that is free now."""
    return free_ports(1)


def can_connect(port: int) -> bool:
    """Return whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
