"""Where to push to, as data: settings become this, and this becomes a pusher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Receiver:
    """One OTLP receiver.

    Attributes:
        url: of its metrics, such as ``http://127.0.0.1:4318/v1/metrics``.
        interval_seconds: between two messages.
        headers: sent with each; may hold a secret and are therefore never shown.
        resource: attributes of all that is pushed.
        directory: of the buffer.
        buffer_bytes: what the buffer may take; the oldest messages are dropped beyond it.
    """

    url: str
    interval_seconds: float
    headers: Mapping[str, str] = field(repr=False)
    resource: Mapping[str, str]
    directory: str
    buffer_bytes: int
