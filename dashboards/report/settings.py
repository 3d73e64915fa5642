"""When a report is sent, and to whom."""

from __future__ import annotations

from datetime import time
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from watchkeeper.configuration import DurationSeconds, Secret, Settings


class MailSettings(Settings):
    """A mail server and whom to write to, with the keys of alerting's e-mail receivers."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    timeout_seconds: DurationSeconds = Field(default=15.0, gt=0, le=60, alias="timeout")


class ReportSettings(Settings):
    """Every day at ``at`` in ``zone``, about the ``last`` stretch of time."""

    mail: MailSettings
    at: time = time(7, 0)
    zone: str = "UTC"
    last_seconds: DurationSeconds = Field(default=86_400.0, gt=0, alias="last")

    @field_validator("zone")
    @classmethod
    def _be_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"expected a time zone such as Europe/Vienna, got {value!r}") from None
        return value
