"""The seam between the outbox and whatever carries a message to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import Field

from watchkeeper.configuration import Settings
from watchkeeper.errors import Reason, WatchkeeperError
from watchkeeper.foreign_text import storable


class ReceiverSettings(Settings):
    """What every receiver has: a name of its own and a kind."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    kind: str

    @property
    def is_configured(self) -> bool:
        """Whether it can be used; a receiver whose optional secret is unset is off."""
        return True


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one receiver, as it was when it was committed.

    Attributes:
        delivery_id: the same on every attempt, so that a receiver can drop a duplicate.
        event: what happened; one of ``alerting.pipeline.Event``.
        incident: the incident as the API shows it, with ``actions`` and ``url`` beside.
        at: when it was committed.
        thread: what the receiver gave back last for a message of the incident, or empty.
        chart: a PNG of what happened, or empty.
    """

    delivery_id: str
    event: str
    incident: Mapping[str, Any]
    at: datetime
    thread: str = ""
    chart: bytes = field(default=b"", repr=False)


class NotDelivered(WatchkeeperError):  # noqa: N818  # it names what happened
    """The receiver did not take the message.

    Attributes:
        is_permanent: trying again cannot help.
        retry_after_seconds: what the receiver asked for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Reason,
        is_permanent: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(storable(message), reason=reason)
        self.is_permanent = is_permanent
        self.retry_after_seconds = retry_after_seconds


class Notifier(Protocol):
    """Carries messages to one receiver. It never retries: the outbox does.

    Attributes:
        pace_seconds: the least time between two attempts; the receiver's own limit.
        at_once: how many attempts may be under way together; 1 for a receiver with a pace.
        takes_chart: whether it shows ``Message.chart``.
    """

    pace_seconds: ClassVar[float]
    at_once: ClassVar[int]
    takes_chart: ClassVar[bool]

    def send(self, message: Message, *, now: datetime) -> str | None:
        """Deliver ``message`` or raise NotDelivered; returning means the receiver confirmed it.

        Returns:
            What the incident's later messages need as their ``thread``, or None.
        """


@runtime_checkable
class Digester(Notifier, Protocol):
    """A notifier that can say many things at once, for when too much happens."""

    def send_digest(self, messages: Sequence[Message], *, now: datetime) -> None:
        """Deliver all of ``messages`` as one, or raise NotDelivered for all."""
