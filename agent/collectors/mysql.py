"""A MySQL or MariaDB server, over one connection."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from agent.family import Family
from agent.mysql.innodb import COMPRESSED_MEMORY, COMPRESSION, METRICS
from agent.mysql.replicas import BINARY_LOGS, REPLICA
from agent.mysql.sessions import BLOCKING, SATURATION, SESSIONS
from agent.mysql.statements import statements as statements_about
from agent.mysql.statements import table_waits
from agent.mysql.status import STATUS, VARIABLES
from agent.sql.interview import Interview, Outcome
from watchkeeper.catalogue import mysql
from watchkeeper.errors import Reason, UpstreamError

if TYPE_CHECKING:
    from agent.mysql.session import Session

QUESTIONS = (STATUS, SESSIONS, SATURATION, BLOCKING, REPLICA)
"""Asked every time, in this order."""

SLOW_QUESTIONS = (VARIABLES, METRICS, COMPRESSION, COMPRESSED_MEMORY, BINARY_LOGS)
"""Asked at the slow interval, after the others."""


class Place(TypedDict):
    """Where the server is, and how it is talked to."""

    host: str
    port: int
    user: str
    password: str
    tls: str
    certificates: str
    timeout_seconds: float


class MysqlCollector:
    """Asks its questions one after another; one that is refused costs its own series only.

    Args:
        host: name, address, or the path of a Unix socket.
        port: TCP port.
        user: of the server.
        password: empty for none.
        statements: how many statements to tell of; 0 for none.
        tables: how many tables to tell of; 0 for none.
        timeout_seconds: of each question.
        run_seconds: of all of them; what there is no time for is asked first the next time.
        tls: ``disable``, ``verify-ca`` or ``verify``.
        certificates: file with the authorities to trust; empty for the system's.
        slow_interval_seconds: between two times of asking the slow ones; in between, what they
            last brought is told again.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        statements: int,
        tables: int,
        timeout_seconds: float,
        slow_interval_seconds: float,
        run_seconds: float = math.inf,
        tls: str = "disable",
        certificates: str = "",
    ) -> None:
        self._run_seconds = run_seconds
        place = Place(
            host=host,
            port=port,
            user=user,
            password=password,
            tls=tls,
            certificates=certificates,
            timeout_seconds=timeout_seconds,
        )
        self._interview = Interview(
            f"{host}:{port}",
            partial(_connected, place),
            quick=QUESTIONS,
            slow=[
                *SLOW_QUESTIONS,
                *([statements_about(statements)] if statements else []),
                *([table_waits(tables)] if tables else []),
            ],
            slow_interval_seconds=slow_interval_seconds,
            question_seconds=timeout_seconds,
            outcome=Outcome(mysql.UP, mysql.QUESTION_SUCCESS, mysql.QUESTION_DURATION),
        )

    def collect(self) -> Iterator[Family]:
        """Return what the server tells now; raise CollectionFailed with ``mysql_up 0``."""
        return self._interview.collect(time.monotonic() + self._run_seconds)

    def when_silent(self) -> list[Family]:
        """Return ``mysql_up 0``."""
        return self._interview.when_silent()

    def close(self) -> None:
        """Close the connection."""
        self._interview.close()


def _connected(place: Place) -> Session:
    # Only agents that watch such a server have the driver, and only they pay for it in memory.
    try:
        from agent.mysql.session import Session  # noqa: PLC0415
    except ModuleNotFoundError:
        message = "PyMySQL is not installed; it comes with watchkeeper-stack[mysql]"
        raise UpstreamError(message, reason=Reason.CONFIG) from None
    return Session(**place)
