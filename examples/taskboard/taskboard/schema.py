"""The tables of one agent, in a schema of its name."""

from __future__ import annotations

import psycopg
from psycopg import sql

from taskboard.agents import Agent

TABLES = """
CREATE TABLE IF NOT EXISTS tasks (
    id uuid PRIMARY KEY,
    title text NOT NULL,
    owner text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'handed-over', 'done')),
    version integer NOT NULL,
    estimate_minutes integer,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    handed_over_at timestamptz
);
CREATE INDEX IF NOT EXISTS tasks_by_change ON tasks (state, changed_at DESC);
CREATE INDEX IF NOT EXISTS tasks_by_word ON tasks USING gin (to_tsvector('simple', title));

-- What happened and has not been told yet; written in the transaction that changes the task.
CREATE TABLE IF NOT EXISTS outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    task jsonb NOT NULL
);

-- How far this agent has copied another's changes; moved in the transaction that stores them.
CREATE TABLE IF NOT EXISTS replica_position (
    source text PRIMARY KEY,
    entry_id text NOT NULL
);
"""


def create_schema(connection: psycopg.Connection, agent: Agent) -> None:
    """Make the tables of ``agent`` where they are missing."""
    with connection.transaction():
        # Two processes of one agent may start together; IF NOT EXISTS alone would race.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"taskboard {agent}",))
        connection.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(agent.value))
        )
        connection.execute(TABLES)
