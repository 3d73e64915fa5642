"""Ways to break the taskboard on purpose, for demonstrations and tests. Off unless asked for.

``POST /faults/NAME`` switches one on, ``DELETE`` off, ``GET /faults`` lists them. They live in one
process's memory, so a restart ends them; what is left on ends by itself after a quarter of an hour.
"""

from __future__ import annotations

import json
import math
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import redis
from celery import Celery
from flask import Blueprint, Flask, Response, abort, jsonify, request
from werkzeug.exceptions import InternalServerError

from taskboard.agents import Agent
from taskboard.board import Board
from taskboard.lasting import LONGEST_SECONDS, LastingFault
from taskboard.search import CACHE_PREFIX, cache_key
from taskboard.settings import MEBIBYTE
from taskboard.subtle_faults import (
    BOARD_ROUTE,
    HANDOVER_ROUTE,
    ask_again_and_again,
    cold_cache,
    refuse_handover,
)
from taskboard.vocabulary import WORDS

SLOW_ROUTE = "/tasks/<uuid:task_id>"
SLOW_SECONDS = 0.25
ERROR_ROUTE = "/board"
ERROR_RATIO = 0.6
LEAK_BYTES_PER_SECOND = 6 * MEBIBYTE
LEAK_STEP_SECONDS = 0.25
SURGE_JOB = "taskboard.recount"
SURGE_JOBS = 600
SURGE_JOB_SECONDS = 0.5
SURGE_KEY = "taskboard:surge"


class Fault(Protocol):
    """Something that can be broken and mended."""

    def start(self) -> None:
        """Break it."""

    def stop(self) -> None:
        """Mend it."""

    def is_on(self) -> bool:
        """Return whether it is broken now."""


class RequestFault:
    """Spoils requests to one route while it is on.

    Args:
        route: the template.
        spoil: called before the handler; may wait or raise.
        monotonic_seconds: a clock of which only differences matter.
    """

    def __init__(
        self,
        route: str,
        spoil: Callable[[], None],
        monotonic_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._route = route
        self._spoil = spoil
        self._monotonic_seconds = monotonic_seconds
        self._until = -math.inf

    def start(self) -> None:
        """Break it."""
        self._until = self._monotonic_seconds() + LONGEST_SECONDS

    def stop(self) -> None:
        """Mend it."""
        self._until = -math.inf

    def is_on(self) -> bool:
        """Return whether it is broken now."""
        return self._monotonic_seconds() < self._until

    def before_request(self) -> None:
        """Spoil the request when the fault is on and this is its route."""
        rule = request.url_rule
        if self.is_on() and rule is not None and rule.rule == self._route:
            self._spoil()


def memory_leak(limit_bytes: int) -> LastingFault:
    """Return what keeps memory for good, a little more every moment, up to the process's limit."""
    step_bytes = int(LEAK_BYTES_PER_SECOND * LEAK_STEP_SECONDS)

    def begin() -> Callable[[], None]:
        kept: list[bytes] = []

        def leak() -> None:
            if resident_bytes() + step_bytes <= limit_bytes:
                kept.append(b"x" * step_bytes)  # written to, so that it is really resident

        return leak

    return LastingFault("memory-leak", LEAK_STEP_SECONDS, begin)


class PoisonedCache:
    """Puts entries into the search cache that its readers stumble over, until they are deleted."""

    def __init__(self, cache: redis.Redis, agent: Agent) -> None:
        self._cache = cache
        self._keys = [cache_key(agent, word) for word in WORDS]
        self._mark = f"{CACHE_PREFIX}poisoned:{agent}"

    def start(self) -> None:
        """Break it."""
        for key in (*self._keys, self._mark):
            self._cache.set(key, json.dumps([{"id": "poisoned"}]), ex=LONGEST_SECONDS)

    def stop(self) -> None:
        """Mend it."""
        self._cache.delete(*self._keys, self._mark)

    def is_on(self) -> bool:
        """Return whether it is broken now."""
        return bool(self._cache.exists(self._mark))


class TaskSurge:
    """Puts several hundred slow jobs on the queue at once."""

    def __init__(self, queue: Celery, broker: redis.Redis) -> None:
        self._queue = queue
        self._broker = broker

    def start(self) -> None:
        """Break it."""
        self._broker.set(SURGE_KEY, "1", ex=LONGEST_SECONDS)
        for _ in range(SURGE_JOBS):
            self._queue.send_task(SURGE_JOB)

    def stop(self) -> None:
        """Mend it: the jobs still waiting end at once when a worker takes them."""
        self._broker.delete(SURGE_KEY)

    def is_on(self) -> bool:
        """Return whether it is broken now."""
        return bool(self._broker.exists(SURGE_KEY))


def add_jobs(queue: Celery, redis_url: str) -> None:
    """Give workers the surge's job, which only takes time."""
    broker = redis.Redis.from_url(redis_url)

    def recount() -> None:
        if broker.exists(SURGE_KEY):
            time.sleep(SURGE_JOB_SECONDS)

    queue.task(name=SURGE_JOB, shared=False)(recount)


def install(
    app: Flask, board: Board, queue: Celery, broker: redis.Redis, memory_limit_bytes: int
) -> None:
    """Add ``/faults`` to ``app``, and the hooks by which faults reach its requests."""
    slow = RequestFault(SLOW_ROUTE, lambda: time.sleep(SLOW_SECONDS))
    errors = RequestFault(ERROR_ROUTE, _fail_sometimes)
    queries = RequestFault(BOARD_ROUTE, lambda: ask_again_and_again(board))
    refusals = RequestFault(HANDOVER_ROUTE, refuse_handover)
    faults: dict[str, Fault] = {
        "slow-responses": slow,
        "error-burst": errors,
        "memory-leak": memory_leak(memory_limit_bytes),
        "poisoned-cache": PoisonedCache(broker, board.agent),
        "task-surge": TaskSurge(queue, broker),
        "cold-cache": cold_cache(broker, board.agent),
        "query-storm": queries,
        "refused-handovers": refusals,
    }
    for fault in (slow, errors, queries, refusals):
        app.before_request(fault.before_request)
    app.register_blueprint(_routes(faults))


def resident_bytes() -> int:
    """Return the memory this process holds."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def _fail_sometimes() -> None:
    if random.random() < ERROR_RATIO:
        raise InternalServerError("switched on by /faults/error-burst")


def _routes(faults: dict[str, Fault]) -> Blueprint:
    routes = Blueprint("faults", __name__, url_prefix="/faults")

    def answer(name: str) -> Response:
        return jsonify(name=name, active=faults[name].is_on())

    @routes.get("")
    def every() -> Response:
        states = [{"name": name, "active": fault.is_on()} for name, fault in faults.items()]
        return jsonify(faults=states)

    @routes.post("/<name>")
    def start(name: str) -> Response:
        if name not in faults:
            abort(404, f"no fault {name!r}; expected one of {', '.join(faults)}")
        faults[name].start()
        return answer(name)

    @routes.delete("/<name>")
    def stop(name: str) -> Response:
        if name not in faults:
            abort(404, f"no fault {name!r}; expected one of {', '.join(faults)}")
        faults[name].stop()
        return answer(name)

    return routes
