"""systemd's units and their states, asked over D-Bus (org.freedesktop.systemd1(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from agent.collector import CollectionFailed
from agent.dbus.connection import Connection, Declined
from agent.dbus.wire import Call, MalformedMessage
from agent.family import Family, Sample, single
from watchkeeper.catalogue import Metric, systemd
from watchkeeper.errors import Reason

PRIVATE_SOCKET = "run/systemd/private"
"""systemd's own, for root alone; it answers while the bus is down."""
BUS_SOCKET = "run/dbus/system_bus_socket"

NAME = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"
MANAGER = f"{NAME}.Manager"

STATES = ("active", "activating", "deactivating", "inactive", "failed")

IGNORED_UNITS = r".+\.(automount|device|mount|scope|slice)"
"""What node_exporter leaves out by default."""

MOST_UNITS = 500
"""Five series each; those that failed come first."""

ANSWER_SECONDS = 2.0
"""systemd answers within milliseconds, unless it reloads hundreds of units."""

MICROSECONDS = 1_000_000

_VERSION = re.compile(r"[0-9]{3,}(\.[0-9]+)?")

SOCKET_PROPERTIES = {
    "NAccepted": systemd.SOCKET_ACCEPTED,
    "NConnections": systemd.SOCKET_CURRENT,
    "NRefused": systemd.SOCKET_REFUSED,
}
"""Metric by property of a socket unit; systemd before 239 has not all of them."""


REASONS = ((PermissionError, Reason.PERMISSION), (TimeoutError, Reason.TIMEOUT))
"""Reason by kind of error; any other is about the connection."""


class Unit(NamedTuple):
    """One unit as ``ListUnits`` tells of it."""

    name: str
    load_state: str
    active_state: str
    path: str

    @property
    def kind(self) -> str:
        """Such as ``service``."""
        return self.name.rpartition(".")[2]


class SystemdCollector:
    """States of units, timers, sockets and the system; nothing where systemd is not in charge.

    Args:
        root: where the machine's file systems are mounted.
        ignored_units: a regular expression their whole name is compared with.
        most_units: told of; the counts by state include the others.
    """

    def __init__(
        self, *, root: str = "/", ignored_units: str = IGNORED_UNITS, most_units: int = MOST_UNITS
    ) -> None:
        self._root = Path(root)
        self._ignored = re.compile(ignored_units)
        self._most_units = most_units
        self._types: dict[str, str] = {}  # of services: changes only when a unit is rewritten

    def collect(self) -> Iterable[Family]:
        """Return what systemd says of itself and its units.

        Raises:
            CollectionFailed: it does not answer, or not us.
        """
        if not (self._root / "run/systemd/system").is_dir():
            return []  # as sd_booted(3) finds out
        with _explained():
            connection, destination = self._connect()
            try:
                return list(self._told(_Manager(connection, destination)))
            finally:
                connection.close()

    def _connect(self) -> tuple[Connection, str]:
        """Return a connection, and whom to address there: nobody but systemd listens on its own."""
        private = str(self._root / PRIVATE_SOCKET)
        try:
            return Connection(private, is_bus=False, timeout_seconds=ANSWER_SECONDS), ""
        except (FileNotFoundError, PermissionError, ConnectionRefusedError):
            bus = str(self._root / BUS_SOCKET)
            return Connection(bus, is_bus=True, timeout_seconds=ANSWER_SECONDS), NAME

    def _told(self, manager: _Manager) -> Iterator[Family]:
        yield from _system(manager)
        units = manager.units()
        counts = dict.fromkeys(STATES, 0)
        for unit in units:
            counts[unit.active_state] = counts.get(unit.active_state, 0) + 1
        yield Family(systemd.UNITS, [((state,), count) for state, count in counts.items()])
        chosen = self._chosen(units)
        types = self._service_types(manager, chosen)
        yield Family(
            systemd.UNIT_STATE,
            [
                ((unit.name, state, types.get(unit.name, "")), int(state == unit.active_state))
                for unit in chosen
                for state in STATES
            ],
        )
        yield from _timers(manager, [unit for unit in chosen if unit.kind == "timer"])
        yield from _sockets(manager, [unit for unit in chosen if unit.kind == "socket"])

    def _chosen(self, units: Iterable[Unit]) -> list[Unit]:
        told = [
            unit
            for unit in units
            if unit.load_state == "loaded" and not self._ignored.fullmatch(unit.name)
        ]
        told.sort(key=lambda unit: (unit.active_state != "failed", unit.name))
        return told[: self._most_units]

    def _service_types(self, manager: _Manager, units: Sequence[Unit]) -> dict[str, str]:
        services = [unit for unit in units if unit.kind == "service"]
        unknown = [unit for unit in services if unit.name not in self._types]
        found = manager.properties([(unit.path, "Service", "Type") for unit in unknown])
        known = {unit.name: str(type_ or "") for unit, type_ in zip(unknown, found, strict=True)}
        types = self._types | known
        self._types = {unit.name: types[unit.name] for unit in services}
        return self._types

    def close(self) -> None:
        """Nothing is held open."""


@contextmanager
def _explained() -> Iterator[None]:
    """Tell of a failure by its reason."""
    try:
        yield
    except (Declined, MalformedMessage) as error:
        raise CollectionFailed(str(error), reason=Reason.BAD_ANSWER) from None
    except OSError as error:
        reason = next((why for kind, why in REASONS if isinstance(error, kind)), Reason.CONNECTION)
        raise CollectionFailed(str(error), reason=reason) from None


class _Manager:
    """systemd, as the collector asks it."""

    def __init__(self, connection: Connection, destination: str) -> None:
        self._connection = connection
        self._destination = destination

    def units(self) -> list[Unit]:
        """Return all units it has in memory; raise Declined when it will not tell."""
        (answer,) = self._connection.ask([Call(PATH, MANAGER, "ListUnits", (), self._destination)])
        if isinstance(answer, Declined):
            raise answer
        try:
            return [Unit(row[0], row[2], row[3], row[6]) for row in answer[0]]
        except (IndexError, TypeError) as error:
            raise MalformedMessage(f"not a list of units: {error}") from None

    def properties(self, wanted: Sequence[tuple[str, str, str]]) -> list[Any]:
        """Return properties by path, interface and name; None for one it does not have."""
        calls = [
            Call(
                path,
                "org.freedesktop.DBus.Properties",
                "Get",
                (f"{NAME}.{interface}", name),
                self._destination,
            )
            for path, interface, name in wanted
        ]
        answers = self._connection.ask(calls)
        return [None if isinstance(one, Declined) or not one else one[0] for one in answers]


def _system(manager: _Manager) -> Iterator[Family]:
    wanted = ("Version", "SystemState", "Virtualization")
    version, state, virtualization = manager.properties(
        [(PATH, "Manager", name) for name in wanted]
    )
    found = _VERSION.search(str(version or ""))
    if found is not None:
        yield single(systemd.VERSION, float(found[0]), (str(version),))
    if state is not None:
        yield single(systemd.SYSTEM_RUNNING, int(state == "running"))
    if virtualization is not None:
        yield single(systemd.VIRTUALIZATION, 1, (str(virtualization) or "none",))


def _timers(manager: _Manager, timers: Sequence[Unit]) -> Iterator[Family]:
    found = manager.properties([(unit.path, "Timer", "LastTriggerUSec") for unit in timers])
    yield Family(
        systemd.TIMER_LAST_TRIGGER,
        [
            ((unit.name,), at / MICROSECONDS)
            for unit, at in zip(timers, found, strict=True)
            if isinstance(at, int)
        ],
    )


def _sockets(manager: _Manager, sockets: Sequence[Unit]) -> Iterator[Family]:
    wanted = [(unit, name) for name in SOCKET_PROPERTIES for unit in sockets]
    found = manager.properties([(unit.path, "Socket", name) for unit, name in wanted])
    samples: dict[Metric, list[Sample]] = {metric: [] for metric in SOCKET_PROPERTIES.values()}
    for (unit, name), value in zip(wanted, found, strict=True):
        if isinstance(value, int):
            samples[SOCKET_PROPERTIES[name]].append(((unit.name,), value))
    for metric, told in samples.items():
        yield Family(metric, told)
