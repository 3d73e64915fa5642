"""Which replica judges which series: a fixed number of shards, shared out evenly by leases."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from anomaly.panel import SeriesKey


def shard_of(key: SeriesKey, shards: int) -> int:
    """Return the shard of a series, from 0: by its labels alone, alike on every replica."""
    if shards == 1:
        return 0
    text = "\x00".join(f"{name}\x01{value}" for name, value in key)
    return zlib.crc32(text.encode()) % shards


@dataclass(frozen=True, slots=True)
class Held:
    """The shards that a replica may judge now.

    Attributes:
        shards: how many there are.
        numbers: those held, from 0.
    """

    shards: int = 1
    numbers: frozenset[int] = frozenset({0})

    def owns(self, key: SeriesKey) -> bool:
        """Return whether a series is one to judge."""
        return len(self.numbers) == self.shards or shard_of(key, self.shards) in self.numbers


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may judge a shard, until when; ``holder`` is None for one that was given back."""

    shard: int
    holder: str | None
    expires_seconds: float


def shards_to_hold(
    leases: Sequence[Lease], *, replica: str, replicas: int, shards: int, now_seconds: float
) -> frozenset[int]:
    """Return the shards a replica should hold from now on.

    It keeps what it holds up to its even share, gives back what is beyond, and takes what is free
    or expired up to it.

    Args:
        leases: those there are, of any holder; a shard without one is free.
        replicas: how many are alive, this one included; >= 1.
    """
    share = math.ceil(shards / replicas)
    valid = {
        lease.shard: lease.holder
        for lease in leases
        if lease.holder is not None and lease.expires_seconds > now_seconds
    }
    mine = [shard for shard in range(shards) if valid.get(shard) == replica][:share]
    free = [shard for shard in range(shards) if shard not in valid]
    return frozenset([*mine, *free[: share - len(mine)]])
