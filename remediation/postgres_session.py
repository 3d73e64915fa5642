"""One connection to a PostgreSQL server for as long as an action takes, with its limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from remediation.deed import OutcomeUnknown
from remediation.targets.postgres import PostgresAddress
from watchkeeper.errors import Reason, UpstreamError

APPLICATION_NAME = "watchkeeper-remediation"

LEAST_CONNECT_SECONDS = 2
"""libpq takes no shorter connect_timeout."""

Session = psycopg.Connection[dict[str, Any]]


@contextmanager
def connected(address: PostgresAddress, *, time_limit_seconds: float) -> Iterator[Session]:
    """Open a session in which every statement commits by itself and ends within the limit.

    Raises:
        UpstreamError: the server cannot be reached, refuses us, or an action's statement failed.
    """
    limit_ms = max(1, round(time_limit_seconds * 1000))
    server = f"database server {address.host}:{address.port}"
    try:
        with psycopg.connect(
            host=address.host,
            port=address.port,
            dbname=address.database,
            user=address.user,
            password=address.password.reveal() if address.password else None,
            application_name=APPLICATION_NAME,
            connect_timeout=max(LEAST_CONNECT_SECONDS, round(time_limit_seconds)),
            options=f"-c statement_timeout={limit_ms} -c lock_timeout={limit_ms}",
            autocommit=True,
            row_factory=psycopg.rows.dict_row,
        ) as session:
            yield session
    except psycopg.errors.InsufficientPrivilege as error:
        message = f"{server}: {_first_line(error)} (docs/actions.md says what to grant)"
        raise UpstreamError(message, reason=Reason.PERMISSION) from None
    except psycopg.errors.QueryCanceled as error:
        raise UpstreamError(f"{server}: {_first_line(error)}", reason=Reason.TIMEOUT) from None
    except psycopg.Error as error:
        raise UpstreamError(f"{server}: {_first_line(error)}") from None


@contextmanager
def once() -> Iterator[None]:
    """Run a statement that must not run again when nobody saw how it ended.

    Raises:
        OutcomeUnknown: the connection broke or the time was up before the server answered.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        was_cut = error.sqlstate is None or error.sqlstate.startswith(_SERVER_WENT)
        if not was_cut and not isinstance(error, psycopg.errors.QueryCanceled):
            raise
        reason = Reason.CONNECTION if was_cut else Reason.TIMEOUT
        message = f"{_first_line(error)}; whether it was done is not known"
        raise OutcomeUnknown(message, reason=reason) from None


_SERVER_WENT = "57P"
"""SQLSTATEs of a server that shuts down, crashes, or ends our session."""


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
