"""Deletes the keys of a cache on a server that speaks the Redis protocol."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from remediation.actuators import Done, Tell, in_silence
from remediation.actuators.parameters import whole_numbers
from remediation.targets.cache import CacheTarget
from watchkeeper.errors import Reason, UpstreamError

PAGE_KEYS = 500
"""Keys looked at or unlinked in one command: milliseconds of the server's one thread."""

COMMAND_SECONDS = 5.0


class ClearCache:
    """SCAN and UNLINK, never KEYS or FLUSHDB: the server goes on answering others meanwhile."""

    def __init__(self, target: str, allowed: CacheTarget, parameters: Mapping[str, Any]) -> None:
        whole_numbers(parameters)
        self._target = target
        self._allowed = allowed

    def preview(self) -> Done:
        """Count the keys that would be deleted."""
        with self._connected() as client:
            count = sum(len(keys) for keys in self._pages(client))
        return Done(f"would delete {count} key(s) of cache {self._target}", {"keys": count})

    def perform(self, tell: Tell = in_silence) -> Done:
        """Delete them, page by page."""
        removed = 0
        with self._connected() as client:
            for keys in self._pages(client):
                removed += int(client.unlink(*keys))
                tell(f"deleted {removed} key(s) so far")
        return Done(f"deleted {removed} key(s) of cache {self._target}", {"keys": removed})

    def _pages(self, client: redis.Redis) -> Iterator[list[bytes]]:
        """Yield the keys of the cache a page at a time, within the limits of keys and time."""
        deadline_seconds = time.monotonic() + self._allowed.time_limit
        cursor, found = 0, 0
        while True:
            answer: Any = client.scan(cursor, match=self._allowed.pattern, count=PAGE_KEYS)
            cursor, keys = answer
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

    @contextmanager
    def _connected(self) -> Iterator[redis.Redis]:
        address = self._allowed.redis
        client = redis.Redis(
            host=address.host,
            port=address.port,
            db=address.database,
            password=address.password.reveal() if address.password else None,
            socket_timeout=COMMAND_SECONDS,
            socket_connect_timeout=COMMAND_SECONDS,
            # The client would try for half a minute by itself; whether to try again is not ours
            # to say but that of whoever asked for the action.
            retry=Retry(NoBackoff(), 0),
        )
        try:
            yield client
        except redis.TimeoutError as error:
            raise UpstreamError(
                f"cache server {address.host}:{address.port}: {error}", reason=Reason.TIMEOUT
            ) from None
        except redis.RedisError as error:
            raise UpstreamError(f"cache server {address.host}:{address.port}: {error}") from None
        finally:
            client.close()
