"""One agent: its HTTP API, the relay of its changes, and its copy of the partner's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import celery.signals
import psycopg
import redis
import waitress

from taskboard import retention, tracing
from taskboard.agents import Agent
from taskboard.api import create_app
from taskboard.background import BackgroundLoop, stop_all
from taskboard.board import Board
from taskboard.database import connection_string, open_pool
from taskboard.jobs import create_celery
from taskboard.outbox import Relay
from taskboard.replica import Replica
from taskboard.schema import create_schema
from taskboard.search import Search
from taskboard.settings import SERVICE, Settings
from taskboard.shutdown import exit_on_signal
from watchkeeper.instrument import Instrumentation

log = logging.getLogger(__name__)

THREADS = 8
DATABASE_CONNECTIONS = 8
DATABASE_START_SECONDS = 30.0
REDIS_TIMEOUT_SECONDS = 5.0


def serve(agent: Agent, host: str, port: int, settings: Settings) -> None:
    """Serve ``agent`` until SIGTERM or SIGINT.

    Raises:
        psycopg_pool.PoolTimeout: the database did not answer within 30 s.
        OSError: the address cannot be bound.
    """
    exit_on_signal()
    instrumentation = Instrumentation(SERVICE, declared_memory_bytes=settings.memory_limit_bytes)
    instrumentation.celery.connect(celery.signals)
    broker = redis.Redis.from_url(
        settings.redis_url, decode_responses=True, socket_timeout=REDIS_TIMEOUT_SECONDS
    )
    queue = create_celery(settings.redis_url)
    with ExitStack() as closing:
        pool = open_pool(settings.database_url, agent, "web", maximum=DATABASE_CONNECTIONS)
        closing.callback(pool.close)
        pool.wait(DATABASE_START_SECONDS)
        with pool.connection() as connection:
            create_schema(connection, agent)
        board = Board(agent, pool, instrumentation)
        relay = Relay(
            agent, connection_string(settings.database_url, agent, "relay"), broker, queue
        )
        closing.callback(relay.close)
        loops = [
            BackgroundLoop("relay", relay.step),
            BackgroundLoop("replica", Replica(agent, pool, broker, instrumentation).step),
            BackgroundLoop(
                "retention",
                retention.forget_old_tasks(board),
                pause_seconds=retention.EVERY_SECONDS,
            ),
        ]
        for loop in loops:
            loop.start()
        closing.callback(stop_all, loops)
        app = create_app(board, Search(board, broker, instrumentation))
        tracing.install(app, SERVICE)
        if settings.faults_allowed:
            from taskboard import faults  # noqa: PLC0415  # only where breaking things is wanted

            faults.install(app, board, queue, broker, settings.memory_limit_bytes)
        pages = instrumentation.pages(_problems(board, loops))
        server = waitress.create_server(
            pages.mount(instrumentation.http.wrap(app)),
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
        )
        closing.callback(server.close)
        log.info("listening", extra={"agent": agent, "address": f"{host}:{port}"})
        server.run()


def _problems(board: Board, loops: list[BackgroundLoop]) -> Callable[[], Mapping[str, str]]:
    """Return what /readyz asks: why this agent is not doing its job, by part."""

    def problems() -> dict[str, str]:
        found = {loop.name: problem for loop in loops if (problem := loop.problem())}
        try:
            board.check()
        except psycopg.Error as error:
            found["database"] = str(error)
        return found

    return problems
