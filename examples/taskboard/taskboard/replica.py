"""Copying the partner's changes, and accepting what it hands over."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import cast

import psycopg
import redis
from psycopg_pool import ConnectionPool

from taskboard import task as rules
from taskboard.agents import Agent
from taskboard.board import insert_task, store_task
from taskboard.outbox import add_to_outbox, stream_of
from taskboard.task import State, Task
from watchkeeper.instrument import Instrumentation

BATCH = 100
WAIT_SECONDS = 1.0

Entries = list[tuple[str, dict[str, str]]]


class Replica:
    """Follows the stream of an agent's partner.

    The position moves in the transaction that stores the copies, so a change is applied once
    however often the process dies.

    Args:
        agent: who follows.
        pool: connections to its tables.
        broker: the Redis-compatible server, answering in text.
        instrumentation: told of hand-overs and of how far the copy is behind.
    """

    def __init__(
        self,
        agent: Agent,
        pool: ConnectionPool[psycopg.Connection],
        broker: redis.Redis,
        instrumentation: Instrumentation,
    ) -> None:
        self._agent = agent
        self._source = agent.partner
        self._pool = pool
        self._broker = broker
        self._handoffs = instrumentation.handoffs
        self._lag = self._handoffs.sync_lag(
            self._source, self._agent, grace_seconds=2 * WAIT_SECONDS
        )

    def step(self) -> None:
        """Copy what there is, waiting a second at most for something to come.

        Raises:
            psycopg.Error, redis.RedisError: nothing was lost; call again.
        """
        with self._pool.connection() as connection:
            position = self._position(connection)
        entries = self._read(position)
        if entries:
            accepted = self._apply(entries)
            for task in accepted:
                self._handoffs.accepted(
                    self._source, self._agent, cast("datetime", task.handed_over_at).timestamp()
                )
        if len(entries) < BATCH:
            self._lag.caught_up()
        else:
            self._lag.behind_since(_task_of(entries[-1][1]).changed_at.timestamp())

    def _position(self, connection: psycopg.Connection) -> str:
        found = connection.execute(
            "SELECT entry_id FROM replica_position WHERE source = %s", (self._source,)
        ).fetchone()
        return "0-0" if found is None else str(found[0])

    def _read(self, position: str) -> Entries:
        stream = stream_of(self._source)
        milliseconds = int(WAIT_SECONDS * 1000)
        answer = self._broker.xread({stream: position}, count=BATCH, block=milliseconds)
        streams = cast("list[tuple[str, Entries]]", answer)
        return streams[0][1] if streams else []

    def _apply(self, entries: Entries) -> list[Task]:
        """Store the changes; return the tasks accepted by it, as they were handed over."""
        accepted: list[Task] = []
        with self._pool.connection() as connection, connection.transaction():
            for _, fields in entries:
                task = _task_of(fields)
                is_news = insert_task(connection, task) or store_task(connection, task)
                if is_news and task.state == State.HANDED_OVER and task.owner == self._agent:
                    mine = rules.accept(task, self._agent, datetime.now(UTC))
                    store_task(connection, mine)
                    add_to_outbox(connection, self._agent, "accepted", mine)
                    accepted.append(task)
            connection.execute(
                """
                INSERT INTO replica_position (source, entry_id) VALUES (%s, %s)
                ON CONFLICT (source) DO UPDATE SET entry_id = EXCLUDED.entry_id
                """,
                (self._source, entries[-1][0]),
            )
        return accepted


def _task_of(fields: dict[str, str]) -> Task:
    return Task.from_record(json.loads(fields["task"]))
