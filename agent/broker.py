"""A Redis-compatible server that holds queues: asked over one connection, made when needed."""

from __future__ import annotations

import math
from typing import NotRequired, TypedDict, Unpack

from agent.resp import RedisConnection
from agent.resp_answers import Answer, CommandRefused
from watchkeeper.errors import Reason, UpstreamError


class BrokerPlace(TypedDict):
    """Where a broker is and how to get in: arguments that collectors of queues hand on.

    Attributes:
        host: name or address.
        port: TCP port.
        user: ACL user, or None.
        password: empty for none.
        db: database of the queues.
        tls: whether to speak TLS.
        certificates: file with the authorities to trust; empty for the system's.
        timeout_seconds: of each answer; 2 s without it.
    """

    host: str
    port: int
    user: str | None
    password: str
    db: int
    tls: NotRequired[bool]
    certificates: NotRequired[str]
    timeout_seconds: NotRequired[float]


class Broker:
    """Asks questions; an answer that is missing is an error, never a zero.

    Args:
        place: where it is.
    """

    def __init__(self, **place: Unpack[BrokerPlace]) -> None:
        self.name = f"{place['host']}:{place['port']}/{place['db']}"
        self._place = place
        self._connection: RedisConnection | None = None

    def connect(self) -> RedisConnection:
        """Return a new connection; raise UpstreamError when there is none to be had."""
        place = self._place
        return RedisConnection(
            place["host"],
            place["port"],
            user=place["user"],
            password=place["password"],
            db=place["db"],
            tls=place.get("tls", False),
            certificates=place.get("certificates", ""),
            timeout_seconds=place.get("timeout_seconds", 2.0),
        )

    def ask(self, *commands: tuple[str, ...]) -> list[Answer]:
        """Send commands in one go and return their answers.

        Raises:
            UpstreamError: the broker cannot be reached, or one was refused.
        """
        answers = self.try_to_ask(*commands)
        for answer in answers:
            if isinstance(answer, CommandRefused):
                raise answer
        return [answer for answer in answers if not isinstance(answer, CommandRefused)]

    def try_to_ask(self, *commands: tuple[str, ...]) -> list[Answer | CommandRefused]:
        """Do the same, with a refusal standing in the answers."""
        if not commands:
            return []
        if self._connection is None:
            self._connection = self.connect()
        try:
            return self._connection.call_many(*commands)
        except BaseException:
            self.close()  # an answer that was read in part would stand before all later ones
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def number(answer: Answer) -> int:
    """Return an answer that must be a number; raise UpstreamError for any other."""
    if not isinstance(answer, int):
        raise UpstreamError("the broker's count is not a number", reason=Reason.BAD_ANSWER)
    return answer


def texts(answer: Answer) -> list[str]:
    """Return an answer that must be a list of strings; raise UpstreamError for any other."""
    if not isinstance(answer, list) or not all(isinstance(entry, bytes) for entry in answer):
        raise UpstreamError("the broker's list is not one", reason=Reason.BAD_ANSWER)
    return [entry.decode("utf-8", "replace") for entry in answer]


def moment(value: object) -> float | None:
    """Return the Unix time that a publisher wrote into a message, None for what is none."""
    try:
        seconds = float(value)  # type: ignore[arg-type]  # what it cannot take, it says
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None
