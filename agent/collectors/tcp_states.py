"""TCP sockets by state, from the kernel's diagnostic socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.family import Family, Sample
from agent.sock_diag import Sockets, read_tcp_sockets
from watchkeeper.catalogue import host

STATES = {
    "established": 1, "syn_sent": 2, "syn_recv": 3, "fin_wait1": 4, "fin_wait2": 5,
    "time_wait": 6, "close": 7, "close_wait": 8, "last_ack": 9, "listen": 10, "closing": 11,
}  # fmt: skip
"""Number by name (include/net/tcp_states.h)."""

NEW_SYN_RECV = 12
"""A half-open connection has a number of its own inside the kernel; to others it is syn_recv."""


class TcpStatesCollector:
    """How many sockets are in which state. Its cost grows with their number."""

    def __init__(self, *, read: Callable[[], Sockets] = read_tcp_sockets) -> None:
        self._read = read

    def collect(self) -> Iterator[Family]:
        """Return the counts; a state nobody is in is told with 0."""
        sockets = self._read()
        counts = {name: sockets.states[number] for name, number in STATES.items()}
        counts["syn_recv"] += sockets.states[NEW_SYN_RECV]
        counts |= {
            "rx_queued_bytes": sockets.received_bytes,
            "tx_queued_bytes": sockets.unsent_bytes,
        }
        samples: list[Sample] = [((state,), count) for state, count in counts.items()]
        yield Family(host.TCP_STATES, samples)

    def close(self) -> None:
        """Nothing is held open."""
