"""Connections to PostgreSQL: one small pool for each agent's tables."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from taskboard.agents import Agent

STATEMENT_TIMEOUT_MILLISECONDS = 5000
CHECKOUT_TIMEOUT_SECONDS = 5.0

RECONNECT_SECONDS = 3.0
"""The pool doubles its pauses until then and starts over; more would be felt after an outage."""


def connection_string(database_url: str, agent: Agent, role: str) -> str:
    """Return how to reach the tables of ``agent``.

    Args:
        database_url: the server and database.
        agent: whose schema unqualified table names mean.
        role: shown in ``pg_stat_activity``: ``web``, ``worker`` or ``relay``.
    """
    return make_conninfo(
        database_url,
        application_name=f"taskboard-{agent}-{role}",
        connect_timeout=5,
        options=f"-c search_path={agent} -c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS}",
    )


def open_pool(
    database_url: str, agent: Agent, role: str, *, maximum: int
) -> ConnectionPool[psycopg.Connection]:
    """Return a pool that connects in the background and checks a connection before lending it."""
    return ConnectionPool(
        connection_string(database_url, agent, role),
        name=f"{agent}-{role}",
        min_size=1,
        max_size=maximum,
        timeout=CHECKOUT_TIMEOUT_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        check=ConnectionPool.check_connection,
        open=True,
    )
