"""Caches on a server that speaks the Redis protocol."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from remediation.targets import Limited
from watchkeeper.configuration import DurationSeconds, Secret, Settings

WILDCARDS = "*?["


class RedisAddress(Settings):
    """A server that speaks the Redis protocol."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 6379
    database: Annotated[int, Field(ge=0)] = 0
    password: Secret | None = None


class CacheTarget(Limited):
    """The keys of one cache; they can be deleted without losing anything but time."""

    redis: RedisAddress
    pattern: str
    maximum_keys: Annotated[int, Field(ge=1)] = 100_000
    time_limit: Annotated[DurationSeconds, Field(gt=0, le=600)] = 20.0

    @field_validator("pattern")
    @classmethod
    def _names_its_keys(cls, pattern: str) -> str:
        if not pattern or pattern[0] in WILDCARDS:
            raise ValueError(
                "expected a pattern that begins with the cache's own prefix, such as "
                "shop:cache:*; anything wider would delete what is no cache"
            )
        return pattern
