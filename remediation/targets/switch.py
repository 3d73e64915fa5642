"""Switches that an application looks at, kept on a server that speaks the Redis protocol."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from remediation.targets import Limited
from remediation.targets.cache import RedisAddress
from watchkeeper.configuration import DurationSeconds


class SwitchTarget(Limited):
    """A key whose presence the application takes for a switch that is on.

    Attributes:
        key: of the switch.
        value: what it holds while it is on.
        lasts: after which the server itself takes it away; a call may ask for less.
    """

    redis: RedisAddress
    key: Annotated[str, Field(min_length=1, max_length=512)]
    value: str = "on"
    lasts: Annotated[DurationSeconds, Field(ge=1, le=86_400)] = 1800.0
    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 10.0
