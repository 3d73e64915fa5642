"""One connection to a PostgreSQL server, with limits on all it does."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial

from agent.postgres.encryption import VERIFY, Encryption
from agent.postgres.passwords import LOOPBACK, left_password
from agent.postgres.versions import FACTS_SQL, Facts, facts_of
from agent.postgres.wire import ServerError, Wire
from agent.sql.question import Row
from watchkeeper.errors import Reason, UpstreamError

APPLICATION_NAME = "watchkeeper-agent"

LOCK_MS = 500
"""Longest wait for a lock: our place in its queue would hold up those behind us."""


class Session:
    """Read-only questions over one connection.

    Within the machine the connection is encrypted only when the server insists, elsewhere
    whenever the server can; the server proves who it is only where that is asked for.

    Args:
        host: name, address, or the directory of a Unix socket.
        port: TCP port.
        database: to connect to.
        user: the role; pg_monitor is enough for all that is asked.
        password: empty for none, or for one that was left for every client.
        tls: ``prefer``, or ``verify``: go on only over TLS with a server that proves its name.
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
        database: str,
        user: str,
        password: str,
        tls: str = "prefer",
        certificates: str = "",
        timeout_seconds: float,
    ) -> None:
        connect = partial(
            Wire,
            host,
            port,
            user=user,
            password=password or left_password(os.environ, host, port, database, user),
            parameters={
                "database": database,
                "application_name": APPLICATION_NAME,
                "client_encoding": "UTF8",
            },
            timeout_seconds=timeout_seconds,
        )
        try:
            if tls == VERIFY:
                self._wire = connect(
                    encryption=Encryption(
                        is_asked=True, is_verified=True, certificates=certificates
                    )
                )
            else:
                is_local = host in LOOPBACK or host.startswith("/")
                self._wire = _connected(connect, is_local=is_local)
        except OSError as error:
            raise _explained(error, f"{host}:{port}") from None
        # Not with the connection's start: poolers refuse those, and pg_settings would take our
        # limits for the server's.
        self.ask(
            f"SET statement_timeout = {round(timeout_seconds * 1000)}; "
            f"SET lock_timeout = {LOCK_MS}; SET default_transaction_read_only = on; "
            "SET DateStyle = ISO; SET TimeZone = 'UTC'"
        )
        self.version = parse_version(self._wire.parameters.get("server_version", ""))
        """As in server_version_num: 90600, 150004, 180000."""
        self.words: Mapping[str, str] = Facts(self.version).words()
        """What the words of our questions stand for, as far as is known."""

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
            return self._wire.rows(sql)
        except OSError as error:
            raise _explained(error, "the server") from None

    @property
    def is_lost(self) -> bool:
        """Whether the connection can no longer be used."""
        return self._wire.is_lost

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self._wire.close()


def _connected(connect: partial[Wire], *, is_local: bool) -> Wire:
    try:
        return connect(encryption=Encryption(is_asked=not is_local))
    except ServerError as error:
        # 28000 is also what pg_hba.conf says to a connection that should have been encrypted.
        if not is_local or error.state != "28000":
            raise
        return connect(encryption=Encryption(is_asked=True))


def _explained(error: OSError, place: str) -> UpstreamError:
    if isinstance(error, TimeoutError):
        return UpstreamError(f"{place} does not answer", reason=Reason.TIMEOUT)
    message = error.strerror or str(error) or type(error).__name__
    return UpstreamError(f"{place}: {message}", reason=Reason.CONNECTION)


def parse_version(text: str) -> int:
    """Return server_version_num of a server_version: 150018 for ``15.18 (Debian 15.18-0)``.

    Raises:
        UpstreamError: it is none.
    """
    numbers = [int(part) for part in re.findall(r"\d+", text.split(" ", 1)[0])]
    if not numbers:
        raise UpstreamError("the server does not tell its version", reason=Reason.BAD_ANSWER)
    major, minor, patch = [*numbers, 0, 0][:3]
    if major >= 10:
        return major * 10000 + (minor if "." in text.split(" ", 1)[0] else 0)
    return major * 10000 + minor * 100 + patch
