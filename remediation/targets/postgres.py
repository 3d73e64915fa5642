"""PostgreSQL servers, and the limits of what may be done on them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from remediation.targets import Limited
from watchkeeper.configuration import DurationSeconds, Secret, Settings


class PostgresAddress(Settings):
    """A PostgreSQL server and the role to act as; docs/actions.md says what to grant it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    database: str = "postgres"
    user: str
    password: Secret | None = None


class SlowLogTarget(Limited):
    """A server that may be told to log slow statements for a while.

    Attributes:
        threshold: statements that take at least this long are logged; a call may ask for a longer
            time, never a shorter one, which would log more.
        lasts: for how long; a call may ask for less.
    """

    postgres: PostgresAddress
    threshold: Annotated[DurationSeconds, Field(ge=0.001, le=3600)] = 0.5
    lasts: Annotated[DurationSeconds, Field(ge=1, le=86_400)] = 1800.0
    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 10.0


class BlockerTarget(Limited):
    """A server on which a session that holds up others may be ended.

    Attributes:
        users: whose sessions; superusers and replication never, whoever is named here.
        databases: in which databases.
        minimum_wait: somebody must have waited for at least this long.
    """

    postgres: PostgresAddress
    users: Annotated[tuple[str, ...], Field(min_length=1)]
    databases: Annotated[tuple[str, ...], Field(min_length=1)]
    minimum_wait: Annotated[DurationSeconds, Field(ge=0, le=86_400)] = 30.0
    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 10.0
