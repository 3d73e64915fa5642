"""The Redis protocol, as little of it as watching a server needs.

The client library would add half again to the agent's memory; what is asked here is a dozen
commands whose answers are strings, numbers and lists (RESP2, the protocol of every version).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

from watchkeeper.errors import Reason, UpstreamError

MAX_ANSWER_BYTES = 16 << 20
"""A single answer longer than this is refused: one huge message must not fill our memory."""

Answer = bytes | int | list[Any] | None

REASONS = {
    "NOAUTH": Reason.AUTHENTICATION,
    "WRONGPASS": Reason.AUTHENTICATION,
    "NOPERM": Reason.PERMISSION,
    "DENIED": Reason.PERMISSION,
    "LOADING": Reason.BUSY,
    "BUSY": Reason.BUSY,
}
"""Reason by the first word of an error; any other is ``refused``."""


class CommandRefused(UpstreamError):  # noqa: N818  # it names what happened
    """The server answered with an error; the connection is still good."""


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
        self._answers = self._socket.makefile("rb")
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
        try:
            self._socket.sendall(b"".join(encode(words) for words in commands))
            return [self._read_answer() for _ in commands]
        except OSError as error:
            self.close()
            raise self._broken(error) from None

    def subscribe(self, pattern: str) -> None:
        """Have what is published on matching channels sent here; only ``published`` follows."""
        self.call("PSUBSCRIBE", pattern)

    def published(self) -> Iterator[bytes]:
        """Yield what was published since the last time, without waiting for more.

        The answer to a ping comes after all that was published before it.

        Raises:
            UpstreamError: the connection is lost or timed out, and must not be used again.
        """
        try:
            self._socket.sendall(encode(("PING",)))
            while (answer := self._read_answer()) != [b"pong", b""]:
                if not isinstance(answer, list) or len(answer) != 4:
                    message = f"{self._name} published what is no message"
                    raise UpstreamError(message, reason=Reason.BAD_ANSWER)
                yield answer[3]
        except OSError as error:
            self.close()
            raise self._broken(error) from None

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self._socket.close()

    def _read_answer(self) -> Answer | CommandRefused:
        line = self._answers.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return _refused(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._read_string(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self._read_answer() for _ in range(int(rest))]
        raise UpstreamError(f"{self._name} does not speak RESP2", reason=Reason.BAD_ANSWER)

    def _read_string(self, length: int) -> bytes | None:
        if length < 0:
            return None
        if length > MAX_ANSWER_BYTES:
            self.close()
            message = f"{self._name} answered with {length} bytes, more than {MAX_ANSWER_BYTES}"
            raise UpstreamError(message, reason=Reason.BAD_ANSWER)
        body = self._answers.read(length + 2)
        if len(body) != length + 2:
            raise ConnectionResetError("the server closed the connection")
        return body[:-2]

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


def _refused(text: str) -> CommandRefused:
    return CommandRefused(text, reason=REASONS.get(text.partition(" ")[0], Reason.REFUSED))
