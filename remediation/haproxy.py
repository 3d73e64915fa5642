"""HAProxy's runtime API (its management guide, section 9.3): one line of commands a connection."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.errors import NeverSent, Reason, UpstreamError

MAXIMUM_ANSWER_BYTES = 1 << 20

RUNNING = 2
"""srv_op_state of a server that is fully up."""

MAINTENANCE_BITS, DRAIN_BITS = 0x01 | 0x02 | 0x04 | 0x20, 0x08 | 0x10
"""srv_admin_state: forced, inherited, from the file, by resolution; drained, and inherited."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a backend, as `show servers state` tells of it."""

    name: str
    state: str
    weight: int
    is_up: bool

    @property
    def takes_traffic(self) -> bool:
        """Whether new connections go to it."""
        return self.is_up and self.state == "ready" and self.weight > 0


class RuntimeSocket:
    """Commands to a running HAProxy; every method raises UpstreamError when it fails."""

    def __init__(self, path: Path, *, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds

    def servers(self, backend: str) -> dict[str, Server]:
        """Return the servers of a backend by name."""
        _version, header, *rows = self._ask(f"show servers state {backend}").strip().splitlines()
        names = header.removeprefix("# ").split()
        cells = (dict(zip(names, row.split(" "), strict=False)) for row in rows)
        return {one["srv_name"]: _server(one) for one in cells}

    def process_id(self) -> int:
        """Return the id of the process that answers; a reload puts another in its place."""
        info = dict(line.partition(": ")[::2] for line in self._ask("show info").splitlines())
        return int(info["Pid"])

    def set(self, backend: str, server: str, *, state: str, weight: int) -> None:
        """Give a server a state (ready, drain, maint) and a weight (0 to 256)."""
        place = f"set server {backend}/{server}"
        command = f"{place} weight {weight}; {place} state {state}"  # one line: nothing between
        said = self._ask(command).strip()
        if said:
            raise UpstreamError(f"HAProxy refused {command!r}: {said}", reason=Reason.REFUSED)

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self._timeout_seconds)
        try:
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()
            raise NeverSent(f"HAProxy's socket {self._path}: {error}") from None
        return connection

    def _ask(self, command: str) -> str:
        pieces = bytearray()
        try:
            with self._connected() as connection:
                connection.sendall(command.encode() + b"\n")
                while len(pieces) < MAXIMUM_ANSWER_BYTES and (piece := connection.recv(65_536)):
                    pieces += piece
        except TimeoutError:
            message = f"HAProxy did not answer {command!r} within {self._timeout_seconds:g} s"
            raise UpstreamError(message, reason=Reason.TIMEOUT) from None
        except OSError as error:
            raise UpstreamError(f"HAProxy's socket {self._path}: {error}") from None
        answer = pieces.decode("utf-8", "replace")
        if command.startswith("show") and answer.strip().count("\n") < 1:
            message = f"HAProxy refused {command!r}: {answer.strip()}"
            raise UpstreamError(message, reason=Reason.BAD_ANSWER)
        return answer


def _server(cells: dict[str, str]) -> Server:
    admin = int(cells["srv_admin_state"])
    state = "ready"
    if admin & DRAIN_BITS:
        state = "drain"
    if admin & MAINTENANCE_BITS:
        state = "maint"
    is_up = int(cells["srv_op_state"]) == RUNNING
    return Server(cells["srv_name"], state, int(cells["srv_uweight"]), is_up)
