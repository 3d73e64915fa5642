"""Telling others what changed, at least once: written with the change, passed on after it."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import redis
from celery import Celery
from psycopg import sql
from psycopg.types.json import Jsonb

from taskboard import jobs
from taskboard.agents import Agent
from taskboard.task import Task

BATCH = 100
STREAM_LENGTH = 10_000
"""Changes kept for a partner that is away; about half an hour of the demo's load."""

WAIT_SECONDS = 1.0

JOBS_AFTER = {"created": jobs.PREPARE, "completed": jobs.NOTIFY}
"""The background job that follows a kind of change."""


def stream_of(agent: Agent) -> str:
    """Return the Redis stream that carries the changes made at ``agent``."""
    return f"taskboard:changes:{agent}"


def add_to_outbox(connection: psycopg.Connection, agent: Agent, kind: str, task: Task) -> None:
    """Note a change in the transaction that makes it, and wake the relay when it commits."""
    connection.execute(
        "INSERT INTO outbox (kind, task) VALUES (%s, %s)", (kind, Jsonb(task.to_record()))
    )
    connection.execute("SELECT pg_notify(%s, '')", (_channel(agent),))


class Relay:
    """Passes the outbox of one agent on: each change to its stream, and to a job where one follows.

    A crash between telling and forgetting tells twice; versions and jobs are made for that.

    Args:
        agent: whose outbox.
        connect: opens a connection of the relay's own, which it listens on.
        broker: for the stream.
        celery: for the jobs.
    """

    def __init__(
        self, agent: Agent, connection_string: str, broker: redis.Redis, celery: Celery
    ) -> None:
        self._agent = agent
        self._connection_string = connection_string
        self._broker = broker
        self._celery = celery
        self._connection: psycopg.Connection | None = None

    def step(self) -> None:
        """Pass on all there is, then wait a second at most for more.

        Raises:
            psycopg.Error, redis.RedisError, kombu.exceptions.OperationalError: nothing was lost;
                call again.
        """
        connection = self._connected()
        try:
            while self._pass_on_batch(connection) == BATCH:
                pass
            for _ in connection.notifies(timeout=WAIT_SECONDS, stop_after=1):
                pass
        except psycopg.Error:
            self.close()
            raise

    def close(self) -> None:
        """Close the relay's connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            connection = psycopg.connect(self._connection_string, autocommit=True)
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(_channel(self._agent))))
            self._connection = connection
        return self._connection

    def _pass_on_batch(self, connection: psycopg.Connection) -> int:
        with connection.transaction():
            taken = connection.execute(
                """
                DELETE FROM outbox WHERE id IN (
                    SELECT id FROM outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
                RETURNING id, kind, task
                """,
                (BATCH,),
            ).fetchall()
            changes = [(kind, record) for _, kind, record in sorted(taken, key=lambda row: row[0])]
            self._publish(changes)
        return len(changes)

    def _publish(self, changes: list[tuple[str, dict[str, Any]]]) -> None:
        stream = stream_of(self._agent)
        with self._broker.pipeline(transaction=False) as pipeline:
            for kind, record in changes:
                pipeline.xadd(
                    stream,
                    {"kind": kind, "task": json.dumps(record)},
                    maxlen=STREAM_LENGTH,
                    approximate=True,
                )
            pipeline.execute()
        for kind, record in changes:
            job = JOBS_AFTER.get(kind)
            if job is not None:
                self._celery.send_task(job, args=[self._agent.value, record["id"]])


def _channel(agent: Agent) -> str:
    return f"taskboard_{agent}_outbox"
