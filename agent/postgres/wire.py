"""PostgreSQL's own protocol, version 3, as much of it as questions need.

The usual client library takes 17 MB of memory, more than everything else the agent does. Sources:
the chapter "Frontend/Backend Protocol" of PostgreSQL's manual; RFC 5802 and 7677 for SCRAM.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from agent import unix_socket
from agent.incoming import Incoming, TooMuch
from agent.postgres.encryption import Encryption, secured
from agent.postgres.rows import Column, columns_of, row_of
from watchkeeper.errors import Reason, UpstreamError

PROTOCOL = 3 << 16

ACCOUNT = "postgres"
"""The user the server runs as nearly everywhere."""

LET_IN = bytes(4)
"""The authentication request that asks for nothing (any more)."""

GRACE_SECONDS = 1.0
"""The server gives up on a statement first, so that the connection need not be cut."""

MAX_ROWS = 1 << 15
"""Of one answer; a row without columns takes 7 bytes to send and ten times that of our memory."""

MOST_DESCRIBED = 64
"""Descriptions of rows that are remembered; there are half as many questions."""

GIBBERISH = "it does not speak PostgreSQL's protocol"


class ServerError(UpstreamError):
    """The server refused; ``state`` is the SQLSTATE and ``is_fatal`` whether it hung up."""

    def __init__(self, message: str, *, reason: Reason, state: str, is_fatal: bool) -> None:
        super().__init__(message, reason=reason)
        self.state = state
        self.is_fatal = is_fatal


class Wire:
    """One connection, over which statements are sent and rows come back.

    Args:
        host: name, address, or the directory of a Unix socket.
        port: TCP port; also part of the socket's name.
        user: the role.
        password: empty for none.
        parameters: of the session, such as ``database`` and ``application_name``.
        timeout_seconds: for each answer of the server as a whole, however slowly it comes.
        encryption: of a connection to a port.

    Raises:
        OSError: it cannot be reached, or says nothing in time.
        UpstreamError: it refuses us.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        password: str,
        parameters: Mapping[str, str],
        timeout_seconds: float,
        encryption: Encryption,
    ) -> None:
        self.parameters: dict[str, str] = {}
        """What the server told of the session: ``server_version`` and the like."""
        self.is_lost = False
        self._described: dict[bytes, Sequence[Column]] = {}
        self._socket = _connected(host, port, timeout_seconds)
        try:
            is_local = host.startswith("/")
            if not is_local:
                self._socket = secured(self._socket, host, encryption)
            self._incoming = Incoming(self._socket, timeout_seconds + GRACE_SECONDS)
            self._incoming.begin()
            self._start({"user": user, **parameters})
            with self._understanding():
                self._log_in(user, password, may_show=is_local or encryption.is_verified)
        except BaseException:
            self.close()
            raise

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of the last statement in ``sql``, by column.

        Raises:
            ServerError: it was refused.
            OSError: the connection broke, or the answer was not complete in time.
            UpstreamError: it makes no sense, or is larger than any we ask for.
        """
        self._incoming.begin()
        self._send(b"Q", sql.encode() + b"\0")
        columns: Sequence[Column] = ()
        rows: list[dict[str, Any]] = []
        failure: ServerError | None = None
        with self._understanding():
            for kind, body in self._messages_until(b"Z"):
                if kind == b"T":
                    columns, rows = self._columns(body), []
                elif kind == b"D":
                    if len(rows) == MAX_ROWS:
                        raise TooMuch(f"it answers with more than {MAX_ROWS} rows")
                    rows.append(row_of(columns, body))
                elif kind == b"E":
                    failure = self._refusal(body)
        if failure is not None:
            raise failure
        return rows

    def _columns(self, description: bytes) -> Sequence[Column]:
        """Return what a RowDescription announces; those of one question hardly ever differ."""
        columns = self._described.get(description)
        if columns is None:
            if len(self._described) >= MOST_DESCRIBED:
                self._described.clear()
            columns = self._described[description] = columns_of(description)
        return columns

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self.is_lost = True
        self._socket.close()

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        """Give up on a peer whose messages make no sense."""
        try:
            yield
        except TooMuch as problem:
            self.close()
            raise UpstreamError(str(problem), reason=Reason.BAD_ANSWER) from None
        except (ValueError, IndexError, struct.error):
            self.close()
            raise UpstreamError(GIBBERISH, reason=Reason.BAD_ANSWER) from None

    def _start(self, parameters: Mapping[str, str]) -> None:
        words = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items())
        body = struct.pack("!I", PROTOCOL) + words + b"\0"
        self._socket.sendall(struct.pack("!I", len(body) + 4) + body)

    def _log_in(self, user: str, password: str, *, may_show: bool) -> None:
        conversation = None
        for kind, body in self._messages_until(b"Z"):
            if kind == b"E":
                raise self._refusal(body)
            if kind != b"R" or body == LET_IN:
                continue
            if conversation is None:
                from agent.postgres.login import Conversation  # noqa: PLC0415  # hashing: 4 MB

                conversation = Conversation(user, password, may_show=may_show)
            if (answer := conversation.answer_to(body)) is not None:
                self._send(b"p", answer)

    def _messages_until(self, last: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield what the server sends, the last of it of that kind."""
        kind = b""
        while kind != last:
            kind, body = self._receive()
            if kind == b"S":
                name, value = body.rstrip(b"\0").decode().split("\0", 1)
                self.parameters[name] = value
            yield kind, body
            if self.is_lost:
                return

    def _receive(self) -> tuple[bytes, bytes]:
        head = self._read(5)
        length = struct.unpack("!I", head[1:])[0] - 4
        if length < 0:
            raise ValueError(length)
        return head[:1], self._read(length)

    def _read(self, count: int) -> bytes:
        try:
            return self._incoming.take(count)
        except OSError:
            self.close()
            raise

    def _send(self, kind: bytes, body: bytes) -> None:
        try:
            self._socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)
        except OSError:
            self.close()
            raise

    def _refusal(self, body: bytes) -> ServerError:
        fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
        severity = fields.get(b"V") or fields.get(b"S", "")
        state, message = fields.get(b"C", ""), fields.get(b"M", "no message")
        is_fatal = severity in ("FATAL", "PANIC")
        if is_fatal:
            self.close()
        text = f"{severity}:  {message}"
        return ServerError(text, reason=reason_of(state), state=state, is_fatal=is_fatal)


def _connected(host: str, port: int, timeout_seconds: float) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout_seconds)
    return unix_socket.connected(f"{host}/.s.PGSQL.{port}", ACCOUNT, timeout_seconds)


REASONS: Mapping[str, Reason] = {
    "57014": Reason.TIMEOUT,  # statement_timeout
    "55P03": Reason.TIMEOUT,  # lock_timeout
    "42501": Reason.PERMISSION,
    "28": Reason.AUTHENTICATION,
    "08": Reason.CONNECTION,
    "3D": Reason.CONNECTION,  # no such database
    "53": Reason.CONNECTION,  # out of connections, memory, disk
    "57": Reason.CONNECTION,  # shut down, starting, cancelled by an operator
}
"""By SQLSTATE or its class (appendix "PostgreSQL Error Codes" of the manual)."""


def reason_of(state: str) -> Reason:
    """Return the reason that a SQLSTATE stands for."""
    return REASONS.get(state) or REASONS.get(state[:2]) or Reason.BAD_ANSWER
