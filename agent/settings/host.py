"""What of ``agent.yml`` is about this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from agent.collectors import HOST_KINDS, OFF_BY_DEFAULT, SLOW_HOST_KINDS, WAITING_KINDS
from agent.recipe import Recipe
from agent.settings.pace import HOST_LANE, Pace
from agent.settings.values import Expression
from watchkeeper.configuration import Settings


def _known_kind(kind: str) -> str:
    if kind not in HOST_KINDS:
        raise ValueError(f"expected one of {', '.join(HOST_KINDS)}")
    return kind


HostKind = Annotated[str, AfterValidator(_known_kind)]


class IgnoredSettings(Settings):
    """What is not told of, by regular expressions in place of node_exporter's defaults.

    Attributes:
        mount_points: of file systems.
        file_systems: their types.
        disks: names of block devices.
        networks: names of network devices; none are ignored by default.
        units: whole names of systemd's units.
    """

    mount_points: Expression = ""
    file_systems: Expression = ""
    disks: Expression = ""
    networks: Expression = ""
    units: Expression = ""

    def arguments_of(self, kind: str) -> dict[str, str]:
        """Return the constructor arguments of a kind that the file sets."""
        names = IGNORED_ARGUMENTS.get(kind, {})
        chosen = {argument: getattr(self, name) for argument, name in names.items()}
        return {argument: text for argument, text in chosen.items() if text}


IGNORED_ARGUMENTS = {
    "filesystem": {"ignored_mount_points": "mount_points", "ignored_types": "file_systems"},
    "disk": {"ignored_devices": "disks"},
    "network": {"ignored_devices": "networks"},
    "systemd": {"ignored_units": "units"},
}
"""Setting by argument of a kind's constructor."""


class HostSettings(Settings):
    """What is told of this machine.

    Attributes:
        collectors: the kinds to run; the default leaves out those whose cost grows with the
            machine.
        ignored: what of the machine is not told of.
        proc: where the machine's /proc is, for an agent in a container.
        sys: where its /sys is.
        root: where its file systems are mounted.
    """

    collectors: tuple[HostKind, ...] = tuple(
        kind for kind in HOST_KINDS if kind not in OFF_BY_DEFAULT
    )
    ignored: IgnoredSettings = IgnoredSettings()
    proc: str = "/proc"
    sys: str = "/sys"
    root: str = "/"

    def arguments_of(self, kind: str) -> dict[str, str]:
        """Return the constructor arguments of a kind."""
        trees = {tree: getattr(self, tree) for tree in HOST_KINDS[kind]}
        return trees | self.ignored.arguments_of(kind)

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run; the kinds that never wait share a thread."""
        for kind in self.collectors:
            yield pace.recipe(
                kind,
                kind,
                self.arguments_of(kind),
                is_slow=kind in SLOW_HOST_KINDS,
                lane=None if kind in WAITING_KINDS else HOST_LANE,
            )
