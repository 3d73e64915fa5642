"""Caches on a server that speaks the Redis protocol."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

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
    """The keys of one cache; they can be deleted without losing anything but time.

    Attributes:
        pattern: of all its keys.
        tag_set: the key of the set in which the application keeps the keys of a tag, with
            ``{tag}`` in it; a call can then clear by ``tag``.
    """

    redis: RedisAddress
    pattern: str
    tag_set: Annotated[str, StringConstraints(pattern=r"^[^{}]*\{tag\}[^{}]*$")] | None = None
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

    @property
    def prefix(self) -> str:
        """What every key of the cache begins with: the pattern up to its first wildcard."""
        return re.split(r"[*?\[\\]", self.pattern, maxsplit=1)[0]
