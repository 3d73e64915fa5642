"""Search, with its results cached for a few seconds."""

from __future__ import annotations

import hashlib
import json
from typing import cast

import redis

from taskboard.board import Board
from taskboard.task import Task
from watchkeeper.instrument import Instrumentation

CACHE_PREFIX = "taskboard:cache:"
"""All keys of the cache begin so; deleting them is always safe."""

CACHE_SECONDS = 10


class Search:
    """Finds tasks by words of their title.

    Args:
        board: where they are.
        cache: the Redis-compatible server, answering in text. Without it search works, slower.
        instrumentation: told of hits, misses and errors.
    """

    def __init__(self, board: Board, cache: redis.Redis, instrumentation: Instrumentation) -> None:
        self._board = board
        self._cache = cache
        self._instrument = instrumentation.caches.of("search", level="redis")

    def find(self, words: str) -> list[Task]:
        """Return the newest tasks whose title holds all ``words``."""
        key = cache_key(self._board.agent, words)
        cached = self._get(key)
        if cached is not None:
            return [Task.from_record(record) for record in json.loads(cached)]
        found = self._board.search(words)
        self._set(key, json.dumps([task.to_record() for task in found]))
        return found

    def _get(self, key: str) -> str | None:
        try:
            with self._instrument.timing("get"):
                cached = cast("str | None", self._cache.get(key))
        except redis.RedisError:
            self._instrument.count("error")  # the database answers instead
            return None
        self._instrument.count("miss" if cached is None else "hit")
        return cached

    def _set(self, key: str, value: str) -> None:
        try:
            with self._instrument.timing("set"):
                self._cache.set(key, value, ex=CACHE_SECONDS)
        except redis.RedisError:
            self._instrument.count("error")  # the next search asks the database again


def cache_key(agent: str, words: str) -> str:
    """Return the key of a search, of bounded length whatever was searched for."""
    digest = hashlib.sha256(words.lower().encode()).hexdigest()[:32]
    return f"{CACHE_PREFIX}search:{agent}:{digest}"
