"""One connection to a PostgreSQL server, with limits on all it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg

from agent.postgres.versions import FACTS_SQL, Facts, facts_of
from agent.sql.question import Row
from watchkeeper.errors import Reason, UpstreamError

APPLICATION_NAME = "watchkeeper-agent"

LOCK_MS = 500
"""Longest wait for a lock: our place in its queue would hold up those behind us."""


class Session:
    """Read-only questions over one connection.

    Args:
        host: name, address, or the directory of a Unix socket.
        port: TCP port.
        database: to connect to.
        user: the role; pg_monitor is enough for all that is asked.
        password: empty for none.
        timeout_seconds: for connecting, and for each statement.

    Raises:
        UpstreamError: it cannot be reached, or refuses us.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        database: str,
        user: str,
        password: str,
        timeout_seconds: float,
    ) -> None:
        try:
            self._connection = psycopg.connect(
                host=host,
                port=port,
                dbname=database,
                user=user,
                password=password or None,
                application_name=APPLICATION_NAME,
                connect_timeout=max(2, round(timeout_seconds)),  # libpq takes no less
                # A server that vanished without a word is given up on within about 15 s.
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=10_000,
                autocommit=True,
                prepare_threshold=None,  # poolers between us and the server may lose them
            )
            self._set_limits(round(timeout_seconds * 1000))
        except psycopg.Error as error:
            raise _explained(error) from None
        self.version = self._connection.info.server_version
        """As in server_version_num: 90600, 150004, 180000."""
        self.words: Mapping[str, str] = Facts(self.version).words()
        """What the words of our questions stand for, as far as is known."""

    def _set_limits(self, statement_ms: int) -> None:
        # Not by libpq's options: poolers refuse those, and pg_settings would take our limits for
        # the server's.
        self._connection.execute(
            f"SET statement_timeout = {statement_ms}; SET lock_timeout = {LOCK_MS};"
            " SET default_transaction_read_only = on".encode()
        )

    def learn(self) -> None:
        """Look at what is in the database; raise as ``ask``."""
        (row,) = self.ask(FACTS_SQL)
        self.words = facts_of(self.version, row).words()

    def ask(self, sql: str) -> Sequence[Row]:
        """Return the rows of a query as dictionaries by column.

        Raises:
            UpstreamError: it failed; ``is_lost`` tells whether the connection did too.
        """
        try:
            with self._connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
                return cursor.execute(sql.encode()).fetchall()
        except psycopg.Error as error:
            raise _explained(error) from None

    @property
    def is_lost(self) -> bool:
        """Whether the connection can no longer be used."""
        return self._connection.closed or self._connection.broken

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self._connection.close()


_REFUSED_LOGIN = ("authentication failed", "no pg_hba.conf entry", 'FATAL:  role "')
"""libpq keeps the SQLSTATE of a refused connection to itself, so its English words must do; a
server that speaks another language gives the reason ``connection``."""


def _explained(error: psycopg.Error) -> UpstreamError:
    # The message of a refused connection names address, role and database, never the password.
    message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return UpstreamError(message, reason=_reason_of(error))


def _reason_of(error: psycopg.Error) -> Reason:
    state = error.sqlstate or ""
    if isinstance(error, psycopg.errors.ConnectionTimeout) or state in ("57014", "55P03"):
        return Reason.TIMEOUT  # cancelled by statement_timeout; lock_timeout
    if state.startswith("28") or any(words in str(error) for words in _REFUSED_LOGIN):
        return Reason.AUTHENTICATION
    if state == "42501":
        return Reason.PERMISSION
    if isinstance(error, psycopg.OperationalError):
        return Reason.CONNECTION
    return Reason.BAD_ANSWER
