"""What of ``agent.yml`` is about an OpenTelemetry receiver."""

from __future__ import annotations

import os
import re
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from agent.otlp.receiver import Receiver
from watchkeeper.addresses import data_dir
from watchkeeper.configuration import DurationSeconds, ProblemAt, Secret, Settings


def _receiver(url: str) -> str:
    if not re.match(r"https?://[^/@]+/", url):
        message = "expected http://… or https://… with a path and no user in it, such as "
        raise ValueError(f"{message}http://127.0.0.1:4318/v1/metrics")
    return url


class OtlpSettings(Settings):
    """Where to push what is collected, besides being scraped.

    Attributes:
        url: of the receiver's metrics, such as ``http://127.0.0.1:4318/v1/metrics``.
        interval: between two messages.
        headers: sent with each.
        resource: attributes of all that is pushed, besides ``host.name``, and ``service.name``
            and ``service.instance.id``, which Prometheus makes ``job`` and ``instance`` of.
        directory: of the buffer; ``agent/otlp`` in the data directory by default.
        buffer_bytes: what it may take; beyond it the oldest messages are dropped and counted.
    """

    url: Annotated[str, AfterValidator(_receiver)]
    interval: Annotated[DurationSeconds, Field(ge=1, le=3600)] = 15.0
    headers: dict[str, Secret] = Field(default_factory=dict)
    resource: dict[str, str] = Field(default_factory=dict)
    directory: str = ""
    buffer_bytes: Annotated[int, Field(ge=1 << 20)] = 64 << 20

    @model_validator(mode="after")
    def _can_be_spoken(self) -> Self:
        if find_spec("opentelemetry") is None:
            raise ValueError("needs a package: pip install 'watchkeeper-stack[otlp]'")
        return self

    @model_validator(mode="after")
    def _can_be_buffered(self) -> Self:
        there = next(path for path in (self.place, *self.place.parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise ProblemAt(f"expected a directory we may write to; {there} is none", "directory")
        return self

    @property
    def place(self) -> Path:
        """Where the buffer is."""
        return Path(self.directory or data_dir() / "agent" / "otlp").absolute()

    def receiver(self) -> Receiver:
        """Return what the agent needs to know."""
        host = socket.gethostname()
        about = {"service.name": "agent", "service.instance.id": host, "host.name": host}
        return Receiver(
            url=self.url,
            interval_seconds=self.interval,
            headers={name: secret.reveal() for name, secret in self.headers.items()},
            resource=about | self.resource,
            directory=str(self.place),
            buffer_bytes=self.buffer_bytes,
        )
