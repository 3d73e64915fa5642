"""The tasks of one agent, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from taskboard import task as rules
from taskboard.agents import Agent
from taskboard.outbox import add_to_outbox
from taskboard.task import Task
from watchkeeper.instrument import Instrumentation

SEARCH_LIMIT = 20
NEWEST_LIMIT = 10

Rule = Callable[[Task, datetime], Task]
"""How a task changes; raises Conflict when it may not."""


class NotFound(LookupError):  # noqa: N818  # it names what happened
    """There is no such task at this agent."""


class Board:
    """The tasks one agent knows. Each change and the news of it are one transaction.

    Args:
        agent: whose tables the pool's connections see.
        pool: connections.
        instrumentation: told of pool waits and database calls.
    """

    def __init__(
        self,
        agent: Agent,
        pool: ConnectionPool[psycopg.Connection],
        instrumentation: Instrumentation,
    ) -> None:
        self.agent = agent
        self._pool = pool
        self._pools = instrumentation.pools
        self._database = instrumentation.database
        self._pools.watch(pool)

    def create(self, title: object) -> Task:
        """Return a new task of this agent; raise Invalid for an unusable title."""
        created = rules.new_task(uuid4(), title, self.agent, datetime.now(UTC))
        with self._transaction("create task") as connection:
            insert_task(connection, created)
            add_to_outbox(connection, self.agent, "created", created)
        return created

    def find(self, task_id: UUID) -> Task:
        """Return the task; raise NotFound."""
        with self._transaction("find task") as connection:
            return _one(connection, "SELECT * FROM tasks WHERE id = %s", task_id)

    def hand_over(self, task_id: UUID) -> Task:
        """Return the task handed to the partner; raise NotFound or Conflict."""
        return self._change(
            task_id, "handed-over", lambda task, now: rules.hand_over(task, self.agent, now)
        )

    def complete(self, task_id: UUID) -> Task:
        """Return the task done; raise NotFound or Conflict."""
        return self._change(
            task_id, "completed", lambda task, now: rules.complete(task, self.agent, now)
        )

    def estimate(self, task_id: UUID, minutes: int) -> Task:
        """Return the task with its estimate; raise NotFound or Conflict."""
        return self._change(
            task_id, "estimated", lambda task, now: rules.estimate(task, self.agent, minutes, now)
        )

    def search(self, words: str) -> list[Task]:
        """Return the newest tasks whose title holds all ``words``, at most 20."""
        query = """
            SELECT * FROM tasks
            WHERE to_tsvector('simple', title) @@ plainto_tsquery('simple', %s)
            ORDER BY changed_at DESC LIMIT %s
        """
        with self._transaction("search tasks") as connection:
            return _rows(connection, query, words, SEARCH_LIMIT)

    def overview(self) -> tuple[dict[str, int], list[Task]]:
        """Return the number of tasks by state and the newest open ones, at most 10."""
        newest = "SELECT * FROM tasks WHERE state = 'open' ORDER BY changed_at DESC LIMIT %s"
        with self._transaction("overview") as connection:
            counted = connection.execute("SELECT state, count(*) FROM tasks GROUP BY state")
            return dict(counted.fetchall()), _rows(connection, newest, NEWEST_LIMIT)

    def forget_done(self, before: datetime) -> int:
        """Delete tasks done before ``before``; return how many there were."""
        old = "DELETE FROM tasks WHERE state = 'done' AND changed_at < %s"
        with self._transaction("forget done tasks") as connection:
            return connection.execute(old, (before,)).rowcount

    def check(self) -> None:
        """Ask the database for nothing; raise psycopg.Error when it does not answer."""
        with self._pool.connection(timeout=1.0) as connection:
            connection.execute("SELECT 1")

    def _change(self, task_id: UUID, kind: str, rule: Rule) -> Task:
        with self._transaction("change task") as connection:
            found = _one(connection, "SELECT * FROM tasks WHERE id = %s FOR UPDATE", task_id)
            changed = rule(found, datetime.now(UTC))
            store_task(connection, changed)
            add_to_outbox(connection, self.agent, kind, changed)
        return changed

    @contextmanager
    def _transaction(self, operation: str) -> Iterator[psycopg.Connection]:
        with (
            self._pools.connection(self._pool) as connection,
            self._database.operation(operation),
            connection.transaction(),
        ):
            yield connection


def insert_task(connection: psycopg.Connection, task: Task) -> bool:
    """Store a task unless it is known already; return whether it was new."""
    inserted = connection.execute(
        """
        INSERT INTO tasks (id, title, owner, state, version, estimate_minutes, created_at,
                           changed_at, handed_over_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (id) DO NOTHING
        """,
        (
            task.id, task.title, task.owner, task.state, task.version, task.estimate_minutes,
            task.created_at, task.changed_at, task.handed_over_at,
        ),
    )  # fmt: skip
    return inserted.rowcount == 1


def store_task(connection: psycopg.Connection, task: Task) -> bool:
    """Store a newer version of a known task; return whether it was newer."""
    updated = connection.execute(
        """
        UPDATE tasks SET title = %s, owner = %s, state = %s, version = %s, estimate_minutes = %s,
                         changed_at = %s, handed_over_at = %s
        WHERE id = %s AND version < %s
        """,
        (
            task.title, task.owner, task.state, task.version, task.estimate_minutes,
            task.changed_at, task.handed_over_at, task.id, task.version,
        ),
    )  # fmt: skip
    return updated.rowcount == 1


def _rows(connection: psycopg.Connection, query: str, *parameters: Any) -> list[Task]:
    with connection.cursor(row_factory=class_row(Task)) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def _one(connection: psycopg.Connection, query: str, task_id: UUID) -> Task:
    found = _rows(connection, query, task_id)
    if not found:
        raise NotFound(f"no task {task_id}")
    return found[0]
