"""Redis, Valkey and their like: one server, alone, replicated, in a cluster, or a sentinel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.collector import CollectionFailed
from agent.family import Family, single
from agent.redis import cluster, info, latency
from agent.redis.keys import Key
from agent.redis.keys import families_of as key_families
from agent.resp import RedisConnection
from agent.resp_answers import Answer, CommandRefused
from watchkeeper.catalogue import redis
from watchkeeper.errors import Reason, UpstreamError

QUESTIONS = (
    ("INFO", "ALL"),
    ("CONFIG", "GET", "maxclients"),
    ("CONFIG", "GET", "maxmemory"),
    ("CONFIG", "GET", "databases"),
    ("CONFIG", "GET", "io-threads"),
    *latency.QUESTIONS,
)
"""Asked in one go, over one connection that stays open."""


class RedisCollector:
    """What a server says of its clients, memory, keys, persistence and replication.

    ``keys`` has those that are looked at one by one, each with the fields of ``Key``.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str | None,
        password: str,
        tls: bool = False,
        certificates: str = "",
        timeout_seconds: float = 2.0,
        keys: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._server = f"{host}:{port}"
        self._host, self._port, self._user, self._password = host, port, user, password
        self._tls, self._certificates = tls, certificates
        self._timeout_seconds = timeout_seconds
        self._keys = [Key(**key) for key in keys]
        self._connection: RedisConnection | None = None

    def collect(self) -> Iterator[Family]:
        """Return what the server tells now.

        Raises:
            CollectionFailed: with ``redis_up 0``: it cannot be reached or will not say.
        """
        try:
            # All of it before anything is handed on: half an answer is none.
            families = list(self._families())
        except UpstreamError as error:
            if not isinstance(error, CommandRefused):
                self.close()
            raise CollectionFailed(
                str(error), reason=error.reason, families=self.when_silent()
            ) from None
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            # An answer of another shape than its command has: whoever listens there is no Redis.
            self.close()
            message = f"its answers make no sense ({type(error).__name__})"
            raise CollectionFailed(
                message, reason=Reason.BAD_ANSWER, families=self.when_silent()
            ) from None
        yield single(redis.UP, 1, (self._server,))
        yield from families

    def _families(self) -> Iterator[Family]:
        connection = self._connected()
        about, *answers = connection.call_many(*QUESTIONS)
        if isinstance(about, CommandRefused):
            raise about
        if not isinstance(about, bytes):
            raise UpstreamError("INFO is not text", reason=Reason.BAD_ANSWER)
        fields = info.parse_info(about.decode("utf-8", "replace"))
        settings, slow = answers[: -len(latency.QUESTIONS)], answers[-len(latency.QUESTIONS) :]
        yield from latency.families_of(self._server, *slow)
        yield from info.families_of(self._server, fields, _settings(settings))
        yield from cluster.families_of(self._server, fields, connection)
        if self._keys:
            yield from key_families(self._server, self._keys, connection)

    def _connected(self) -> RedisConnection:
        if self._connection is None:
            self._connection = RedisConnection(
                self._host,
                self._port,
                user=self._user,
                password=self._password,
                tls=self._tls,
                certificates=self._certificates,
                timeout_seconds=self._timeout_seconds,
            )
        return self._connection

    def when_silent(self) -> list[Family]:
        """Return ``redis_up 0``."""
        return [single(redis.UP, 0, (self._server,))]

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _settings(answers: list[Answer | CommandRefused]) -> dict[str, str]:
    allowed = [answer for answer in answers if isinstance(answer, list)]
    flat = [word.decode("utf-8", "replace") for answer in allowed for word in answer]
    return dict(zip(flat[::2], flat[1::2], strict=True))
