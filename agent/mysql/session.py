"""One connection to a MySQL or MariaDB server, with limits on all it does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pymysql
import pymysql.cursors

from agent import unix_socket
from agent.mysql.login import DISABLE, encryption, is_proven, methods
from agent.mysql.versions import parse_version
from agent.sql.question import Row
from watchkeeper.errors import Reason, UpstreamError

PROGRAM_NAME = "watchkeeper-agent"

LOCK_SECONDS = 1
"""Longest wait for a lock; the server knows no smaller one."""

GRACE_SECONDS = 1.0
"""The server gives up on a statement first, so that the connection need not be cut."""


ACCOUNT = "mysql"
"""The user the server runs as nearly everywhere."""


class Session:
    """Read-only questions over one connection.

    Args:
        host: name, address, or the path of a Unix socket.
        port: TCP port.
        user: of the server.
        password: empty for none.
        tls: ``disable``, ``verify-ca`` or ``verify``; nothing is spoken over a Unix socket.
        certificates: file with the authorities to trust; empty for the system's.
        timeout_seconds: for connecting, and for each statement.

    Raises:
        UpstreamError: it cannot be reached, or refuses us.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        tls: str = DISABLE,
        certificates: str = "",
        timeout_seconds: float,
    ) -> None:
        is_local = host.startswith("/")
        place = {"unix_socket": host} if is_local else {"host": host, "port": port}
        may_show = is_local or is_proven(tls, certificates)
        try:
            context = None if is_local else encryption(tls, certificates)
            self._connection = pymysql.connect(
                **place,
                defer_connect=True,
                ssl=context,
                ssl_disabled=context is None,
                auth_plugin_map=methods(may_show=may_show),
                user=user,
                password=password,
                connect_timeout=max(1, math.ceil(timeout_seconds)),
                read_timeout=timeout_seconds + GRACE_SECONDS,
                write_timeout=timeout_seconds + GRACE_SECONDS,
                program_name=PROGRAM_NAME,
                charset="utf8mb4",
                autocommit=True,
                cursorclass=pymysql.cursors.DictCursor,
            )
            if is_local:
                # What the driver itself notes of a Unix socket; it has no other way to be told.
                self._connection._secure = True  # noqa: SLF001
                self._connection.connect(unix_socket.connected(host, ACCOUNT, timeout_seconds))
            else:
                self._connection.connect()
        except (pymysql.Error, OSError, RuntimeError) as error:
            # RuntimeError: the driver lacks a package that the server's method of login needs.
            raise _explained(error) from None
        release = parse_version(self._connection.get_server_info())
        self.version = release.number
        """80036 for 8.0.36."""
        self.words: Mapping[str, str] = release.words()
        """What the words of our questions stand for."""
        self._set_limits(timeout_seconds)

    def _set_limits(self, timeout_seconds: float) -> None:
        limit = self.words["time_limit"].format(
            seconds=timeout_seconds, milliseconds=round(timeout_seconds * 1000)
        )
        for statement in (
            limit,
            f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}",
            f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}",
            "SET SESSION TRANSACTION READ ONLY",
        ):
            if statement:
                self.ask(statement)

    def learn(self) -> None:
        """Do nothing: what our questions depend on does not change while we are connected."""

    def ask(self, sql: str) -> Sequence[Row]:
        """Return the rows of a query as dictionaries by column.

        Raises:
            UpstreamError: it failed; ``is_lost`` tells whether the connection did too.
        """
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        except (pymysql.Error, OSError) as error:
            raise _explained(error) from None

    @property
    def is_lost(self) -> bool:
        """Whether the connection can no longer be used."""
        return not self._connection.open

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        if self._connection.open:
            self._connection.close()


REASONS: Mapping[int, Reason] = {
    1044: Reason.AUTHENTICATION,  # no right to the database
    1045: Reason.AUTHENTICATION,  # wrong user or password
    1130: Reason.AUTHENTICATION,  # not from this host
    1698: Reason.AUTHENTICATION,  # not with a password
    3159: Reason.AUTHENTICATION,  # not without TLS
    1142: Reason.PERMISSION,
    1143: Reason.PERMISSION,
    1227: Reason.PERMISSION,
    1205: Reason.TIMEOUT,  # innodb_lock_wait_timeout, lock_wait_timeout
    1969: Reason.TIMEOUT,  # max_statement_time
    3024: Reason.TIMEOUT,  # max_execution_time
    1040: Reason.CONNECTION,  # too many connections
    2003: Reason.CONNECTION,
    2006: Reason.CONNECTION,
    2013: Reason.CONNECTION,
    2026: Reason.CONNECTION,  # no TLS there
}
"""By error number of the server and client (MySQL's Error Message Reference, MariaDB's codes)."""


def _explained(error: Exception) -> UpstreamError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if isinstance(error, pymysql.Error) and len(error.args) > 1:
        message = f"{error.args[1]} ({number})"
    else:
        message = str(error) or type(error).__name__
    if isinstance(error, TimeoutError) or "timed out" in message:
        return UpstreamError(message, reason=Reason.TIMEOUT)
    if isinstance(error, OSError):
        return UpstreamError(message, reason=Reason.CONNECTION)
    if isinstance(error, RuntimeError):
        return UpstreamError(message, reason=Reason.AUTHENTICATION)
    return UpstreamError(message, reason=REASONS.get(number or 0, Reason.BAD_ANSWER))
