"""The Redis protocol, as little of it as watching a server needs.

The client library would add half again to the agent's memory; what is asked here is a dozen
commands whose answers are strings, numbers and lists (RESP2, the protocol of every version).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agent.resp_answers import Answer, Answers, CommandRefused
from watchkeeper.errors import Reason, UpstreamError


class RedisConnection:
    """One connection to a Redis-compatible server.

    Args:
        host: name or address.
        port: TCP port.
        user: ACL user; None for the default one.
        password: empty for none.
        db: the database to select.
        tls: whether to speak TLS.
        certificates: file with the authorities to trust; empty for the system's.
        timeout_seconds: for connecting and for each answer.

    Raises:
        UpstreamError: it cannot be reached, or refuses the password.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str | None = None,
        password: str = "",
        db: int = 0,
        tls: bool = False,
        certificates: str = "",
        timeout_seconds: float,
    ) -> None:
        self._name = f"{host}:{port}"
        self._timeout_seconds = timeout_seconds
        try:
            self._socket = socket.create_connection((host, port), timeout_seconds)
            if tls:
                self._socket = _secured(self._socket, host, certificates)
        except OSError as error:
            raise self._broken(error) from None
        self._answers = Answers(self._socket, timeout_seconds)
        try:
            self._introduce(user, password, db)
        except UpstreamError:
            self.close()
            raise

    def _introduce(self, user: str | None, password: str, db: int) -> None:
        if password:
            try:
                self.call("AUTH", *([user] if user else []), password)
            except CommandRefused as error:
                raise UpstreamError(str(error), reason=Reason.AUTHENTICATION) from None
        if db:
            self.call("SELECT", str(db))
        # Servers older than 2.6.9 know no names; all others show who is watching them.
        self.call_many(("CLIENT", "SETNAME", "watchkeeper-agent"))

    def call(self, *words: str) -> Answer:
        """Send one command and return its answer; raise CommandRefused when it is an error."""
        answer = self.call_many(words)[0]
        if isinstance(answer, CommandRefused):
            raise answer
        return answer

    def call_many(self, *commands: tuple[str, ...]) -> list[Answer | CommandRefused]:
        """Send commands in one go; a refused one stands in the answers as its error.

        Raises:
            UpstreamError: the connection is lost or timed out, and must not be used again.
        """
        with self._understanding():
            self._send(b"".join(encode(words) for words in commands))
            return [self._answers.read() for _ in commands]

    def subscribe(self, pattern: str) -> None:
        """Have what is published on matching channels sent here; only ``published`` follows."""
        self.call("PSUBSCRIBE", pattern)

    def published(self) -> Iterator[bytes]:
        """Yield what was published since the last time, without waiting for more.

        The answer to a ping comes after all that was published before it.

        Raises:
            UpstreamError: the connection is lost or timed out, and must not be used again.
        """
        with self._understanding():
            self._send(encode(("PING",)))
        while (answer := self._published()) != [b"pong", b""]:
            yield answer[3]

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self._socket.close()

    def _published(self) -> list[Any]:
        with self._understanding():
            answer = self._answers.read()
            if not isinstance(answer, list) or len(answer) not in (2, 4):
                raise ValueError("it published what is no message")
            if len(answer) == 2 and answer != [b"pong", b""]:
                raise ValueError("it answers what was not asked")
            if len(answer) == 4 and not isinstance(answer[3], bytes):
                raise ValueError("it published what is no text")
        return answer

    def _send(self, commands: bytes) -> None:
        self._socket.settimeout(self._timeout_seconds)
        self._socket.sendall(commands)

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        """Give up on a peer that is gone, or whose answers make no sense."""
        try:
            yield
        except OSError as error:
            self.close()
            raise self._broken(error) from None
        except ValueError as error:
            self.close()
            message = f"{self._name} cannot be understood: {error}"
            raise UpstreamError(message, reason=Reason.BAD_ANSWER) from None

    def _broken(self, error: OSError) -> UpstreamError:
        if isinstance(error, TimeoutError):
            message = f"{self._name} did not answer within {self._timeout_seconds:g} s"
            return UpstreamError(message, reason=Reason.TIMEOUT)
        return UpstreamError(f"{self._name} cannot be reached: {error}", reason=Reason.CONNECTION)


def _secured(connection: socket.socket, host: str, certificates: str) -> socket.socket:
    try:
        import ssl  # noqa: PLC0415  # 4 MB that only those pay who need it

        context = ssl.create_default_context(cafile=certificates or None)
        return context.wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise


def encode(words: tuple[str, ...]) -> bytes:
    """Return a command as an array of bulk strings."""
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        raw = word.encode("utf-8", "surrogateescape")
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)
