"""What the supervisor says of one instance of a process."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self


class State(StrEnum):
    """Where an instance is in its life."""

    STARTING = "starting"
    """Running and not ready: not yet, or no longer."""
    READY = "ready"
    BACKING_OFF = "backing-off"
    """Ended unasked; started again after a pause."""
    STOPPED = "stopped"
    """Not started yet, or ended (or ending) because it was asked to."""
    EXITED = "exited"
    """Ended unasked; stays down until someone asks for a restart."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One instance as the control socket shows it.

    Attributes:
        instance: counted from 1.
        service: the label it is scraped with; empty when it is not scraped.
        restarts: how often it was started again, asked or unasked.
        since: RFC 3339 time of the last change of ``state``.
        reason: why it is not ready; empty when it is.
    """

    name: str
    instance: int
    service: str
    state: State
    pid: int | None
    port: int
    url: str
    restarts: int
    since: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return it as the control socket sends it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what ``to_json`` wrote; keys of newer releases are passed over."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        return cls(**{**values, "state": State(values["state"])})

    @property
    def title(self) -> str:
        """The name people read: with the instance when it is not the first."""
        return self.name if self.instance == 1 else f"{self.name}/{self.instance}"
