"""Which ports are taken, and by whom, before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import psutil

from watchkeeper.errors import Refused


def require_free(ports: Mapping[int, str]) -> None:
    """Refuse when something else listens on a port we need.

    Args:
        ports: what each port is needed for.

    Raises:
        Refused: naming every taken port and the process that holds it.
    """
    taken = [
        f"port {port}, needed by {purpose}, is held by {holder_of(port)}"
        for port, purpose in sorted(ports.items())
        if is_taken(port)
    ]
    if taken:
        raise Refused("\n".join([*taken, "end what holds it, or move us with --port-offset N"]))


def is_taken(port: int) -> bool:
    """Return whether 127.0.0.1:``port`` cannot be bound for listening."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a server that has just ended do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def holder_of(port: int) -> str:
    """Return name, pid and command of what listens on ``port``, as far as we may see."""
    try:
        pid = next(
            (
                connection.pid
                for connection in psutil.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == port
            ),
            None,
        )
        if pid is None:
            return "a process of another user"
        holder = psutil.Process(pid)
        return f"{holder.name()} (pid {pid}: {' '.join(holder.cmdline())[:120]})"
    except psutil.Error:
        return "a process we may not look at"
