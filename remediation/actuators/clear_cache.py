"""Deletes the keys of a cache on a server that speaks the Redis protocol."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import redis

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.cache_server import connected
from remediation.refusal import unacceptable
from remediation.targets.cache import CacheTarget
from watchkeeper.errors import Reason, UpstreamError

PAGE_KEYS = 500
"""Keys looked at or unlinked in one command: milliseconds of the server's one thread."""

TAG = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class ClearCache:
    """SCAN and UNLINK, never KEYS or FLUSHDB: the server goes on answering others meanwhile.

    With parameter ``tag`` only the keys of that tag.
    """

    def __init__(self, target: str, allowed: CacheTarget, parameters: Mapping[str, Any]) -> None:
        self._tag_set = _tag_set(allowed, parameters)
        self._target = target
        self._allowed = allowed

    def preview(self) -> Done:
        """Count the keys that would be deleted."""
        with connected(self._allowed.redis) as client:
            count = sum(len(keys) for keys in self._pages(client))
        return Done(f"would delete {count} key(s) of cache {self._target}", {"keys": count})

    def perform(self, tell: Tell = in_silence) -> Done:
        """Delete them, page by page."""
        removed = 0
        with connected(self._allowed.redis) as client:
            for keys in self._pages(client):
                removed += int(client.unlink(*keys))
                if self._tag_set:
                    client.srem(self._tag_set, *keys)
                tell(f"deleted {removed} key(s) so far")
        return Done(f"deleted {removed} key(s) of cache {self._target}", {"keys": removed})

    def _pages(self, client: redis.Redis) -> Iterator[list[bytes]]:
        """Yield the keys of the cache a page at a time, within the limits of keys and time."""
        deadline_seconds = time.monotonic() + self._allowed.time_limit
        cursor, found = 0, 0
        while True:
            cursor, keys = self._page(client, cursor)
            found += len(keys)
            if found > self._allowed.maximum_keys:
                raise UpstreamError(
                    f"{self._target} has more than {self._allowed.maximum_keys} keys; stopped there"
                )
            if keys:
                yield keys
            if cursor == 0:
                return
            if time.monotonic() > deadline_seconds:
                raise UpstreamError(
                    f"not through after {self._allowed.time_limit:g} s ({found} keys); stopped",
                    reason=Reason.TIMEOUT,
                )

    def _page(self, client: redis.Redis, cursor: int) -> tuple[int, list[bytes]]:
        answer: Any
        if self._tag_set is None:
            answer = client.scan(cursor, match=self._allowed.pattern, count=PAGE_KEYS)
            return int(answer[0]), answer[1]
        answer = client.sscan(self._tag_set, cursor, count=PAGE_KEYS)
        # The application wrote this set: whatever it holds, only keys of the cache are deleted.
        prefix = self._allowed.prefix.encode()
        return int(answer[0]), [key for key in answer[1] if key.startswith(prefix)]


def _tag_set(allowed: CacheTarget, parameters: Mapping[str, Any]) -> str | None:
    """Return the key of the set that holds the keys of the tag asked for; None for the cache."""
    if "tag" not in parameters or allowed.tag_set is None:
        whole_numbers(parameters)
        return None
    tag = parameters["tag"]
    if len(parameters) > 1 or not isinstance(tag, str) or not TAG.fullmatch(tag):
        raise unacceptable("parameters.tag: expected up to 100 letters, digits and . _ : -")
    return allowed.tag_set.replace("{tag}", tag)
