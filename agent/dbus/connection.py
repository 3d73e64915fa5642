"""A connection to a D-Bus peer over a Unix socket: questions in one go, answers in their order."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import Any

from agent.dbus.wire import (
    ERROR,
    HEAD,
    METHOD_RETURN,
    Call,
    MalformedMessage,
    decode,
    encode_call,
    size_of,
)

HELLO = Call(
    "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", destination="org.freedesktop.DBus"
)
"""What a bus, but no peer without one, wants to hear first."""

AT_ONCE = 64
"""Questions on their way together; the peer's socket buffer must hold their answers."""


class Declined(Exception):  # noqa: N818  # it names what happened
    """The peer answered with an error."""


class Connection:
    """Asks one peer; every wait is bounded.

    Args:
        path: of the socket.
        is_bus: whether a bus lies between, which wants to be greeted.
        timeout_seconds: for all that this connection does, from now on.

    Raises:
        OSError: there is nobody, or no answer in time.
        Declined: we are not let in.
        MalformedMessage: it is no D-Bus.
    """

    def __init__(self, path: str, *, is_bus: bool, timeout_seconds: float) -> None:
        self._deadline = time.monotonic() + timeout_seconds
        self._serial = 0
        self._pending = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._wait_at_most()
            self._socket.connect(path)
            self._authenticate()
            if is_bus:
                self.ask([HELLO])
        except BaseException:
            self._socket.close()
            raise

    def ask(self, calls: Sequence[Call]) -> list[list[Any] | Declined]:
        """Return the answer to each call, in their order; an error stands for a declined one.

        Raises:
            OSError: no answer in time.
            MalformedMessage: what came is none.
        """
        answers: list[list[Any] | Declined] = []
        for start in range(0, len(calls), AT_ONCE):
            answers += self._ask_at_once(calls[start : start + AT_ONCE])
        return answers

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _ask_at_once(self, calls: Sequence[Call]) -> list[list[Any] | Declined]:
        first = self._serial + 1
        self._serial += len(calls)
        self._wait_at_most()
        self._socket.sendall(
            b"".join(encode_call(call, first + at) for at, call in enumerate(calls))
        )
        answers: dict[int, list[Any] | Declined] = {}
        while len(answers) < len(calls):
            message = decode(self._receive_message())
            if not first <= message.reply_serial <= self._serial:
                continue  # a signal, which nobody asked for
            if message.kind == METHOD_RETURN:
                answers[message.reply_serial] = message.body
            elif message.kind == ERROR:
                answers[message.reply_serial] = Declined(f"{message.error}: {message.body[:1]}")
        return [answers[first + at] for at in range(len(calls))]

    def _authenticate(self) -> None:
        user = str(os.geteuid()).encode().hex()
        self._socket.sendall(f"\0AUTH EXTERNAL {user}\r\n".encode())
        while b"\r\n" not in self._pending:
            self._receive_more()
            if len(self._pending) > HEAD * 64:
                raise MalformedMessage("no answer to authentication")
        line, _, self._pending = self._pending.partition(b"\r\n")
        if not line.startswith(b"OK "):
            raise Declined(f"not let in: {line.decode('latin-1')}")
        self._socket.sendall(b"BEGIN\r\n")

    def _receive_message(self) -> bytes:
        while len(self._pending) < HEAD:
            self._receive_more()
        size = size_of(self._pending[:HEAD])
        pieces, length = [self._pending], len(self._pending)
        while length < size:
            self._pending = b""
            self._receive_more()
            pieces.append(self._pending)
            length += len(self._pending)
        data = b"".join(pieces)
        self._pending = data[size:]
        return data[:size]

    def _receive_more(self) -> None:
        self._wait_at_most()
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the peer hung up")
        self._pending += data

    def _wait_at_most(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._socket.settimeout(left)
