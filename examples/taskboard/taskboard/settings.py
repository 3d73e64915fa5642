"""What the environment says; every setting has a default that fits one machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

SERVICE = "taskboard"
"""The ``service`` label of every process."""

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of every process of the taskboard.

    Attributes:
        database_url: PostgreSQL.
        redis_url: the Redis-compatible server: queue, stream between the agents, cache.
        agent_urls: base URL by agent, for the generated load.
        memory_limit_bytes: how much memory a web process may use.
        faults_allowed: whether ``/faults`` exists.
    """

    database_url: str
    redis_url: str
    agent_urls: Mapping[str, str]
    memory_limit_bytes: int
    faults_allowed: bool


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings; raise ValueError naming a variable that cannot be used."""
    given = os.environ if environment is None else environment
    limit = given.get("TASKBOARD_MEMORY_LIMIT_MEBIBYTES", "256")
    if not limit.isdecimal() or int(limit) == 0:
        raise ValueError(f"TASKBOARD_MEMORY_LIMIT_MEBIBYTES: expected a number, got {limit!r}")
    return Settings(
        database_url=given.get(
            "TASKBOARD_DATABASE_URL", "postgresql://taskboard@127.0.0.1:8313/taskboard"
        ),
        redis_url=given.get("TASKBOARD_REDIS_URL", "redis://127.0.0.1:8314/0"),
        agent_urls={
            "alpha": given.get("TASKBOARD_ALPHA_URL", "http://127.0.0.1:8310"),
            "beta": given.get("TASKBOARD_BETA_URL", "http://127.0.0.1:8311"),
        },
        memory_limit_bytes=int(limit) * MEBIBYTE,
        faults_allowed=given.get("TASKBOARD_FAULTS") == "1",
    )
