"""Servers behind HAProxy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from remediation.targets import Limited
from watchkeeper.configuration import DurationSeconds

# On the socket a blank ends a word, and a semicolon or a new line the command.
ProxyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]+$")]


class BalancedTarget(Limited):
    """A server that may be given another state or weight for a while.

    Attributes:
        socket: of HAProxy's runtime API, with ``level admin``.
        minimum_ready: so many other servers of the backend must be up and take traffic before
            this one is taken out.
        lasts: for how long; a call may ask for less.
    """

    socket: Path
    backend: ProxyName
    server: ProxyName
    minimum_ready: Annotated[int, Field(ge=1)] = 1
    lasts: Annotated[DurationSeconds, Field(ge=1, le=86_400)] = 900.0
    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 5.0
