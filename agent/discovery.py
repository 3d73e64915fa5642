"""Servers that nobody configured: at well-known places here, or named in the environment.

Each is asked once, as its collector would, with what the environment says and no password of our
own guessing. One that refuses is not watched, and ``watchkeeper agent --list`` says why.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from agent.collector import Collector
from agent.collectors import make
from agent.mysql import places as mysql
from watchkeeper.errors import WatchkeeperError

POSTGRES_PORT, REDIS_PORT = 5432, 6379
SOCKET_DIRECTORIES = ("/var/run/postgresql", "/tmp")  # noqa: S108  # where servers put their sockets
"""Debian's place for PostgreSQL's socket, and the one PostgreSQL itself chooses."""

CONNECT_SECONDS = 0.5
"""Everything tried without a name is on this machine."""

VARIABLES = ("DATABASE_URL", "MYSQL_URL", "REDIS_URL", "RQ_REDIS_URL", "CELERY_BROKER_URL")
"""Variables of the environment that name a server; the fourth is that of RQ's own command."""

SILENT = {"rq": "RQ keeps no queues there"}
"""Why a server that lets us in and tells nothing is not watched, by kind."""

DEFAULT_QUEUE = "celery"
"""Celery's own ``task_default_queue``."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a server may be.

    Attributes:
        kind: of the collector.
        arguments: of the collector; may hold a password and are therefore never shown.
        source: what made us look there.
    """

    kind: str
    arguments: Mapping[str, Any] = field(repr=False)
    source: str

    @property
    def name(self) -> str:
        """The collector's name, as a configured one would have it."""
        name = f"{self.kind} {self.arguments['host']}:{self.arguments['port']}"
        return f"{name}/{self.arguments['db']}" if "db" in self.arguments else name


@dataclass(frozen=True, slots=True)
class Finding:
    """A candidate, and why it cannot be watched; ``problem`` is None when it can."""

    candidate: Candidate
    problem: str | None


def discover(kinds: Collection[str], environment: Mapping[str, str]) -> list[Finding]:
    """Return what was found of each of ``kinds``, each place once."""
    places: dict[str, Candidate] = {}
    for candidate in candidates(environment):
        if candidate.kind in kinds:
            places.setdefault(candidate.name, candidate)
    return [Finding(candidate, problem_of(candidate)) for candidate in places.values()]


def candidates(
    environment: Mapping[str, str],
    socket_directories: Iterable[str] = SOCKET_DIRECTORIES,
    mysql_sockets: Iterable[str] = mysql.SOCKETS,
) -> Iterator[Candidate]:
    """Yield the places to look at: those the environment names, then the well-known ones."""
    for variable in VARIABLES:
        url = urlsplit(environment.get(variable, ""))
        if url.hostname:
            yield from _from_url(variable, url)
    user = environment.get("PGUSER") or getpass.getuser()
    database = environment.get("PGDATABASE") or "postgres"
    for host, port, source in _postgres_places(environment, socket_directories):
        yield Candidate("postgres", _postgres(host, port, user, "", database), source)
    for arguments, source in mysql.places(environment, mysql_sockets):
        yield Candidate("mysql", arguments, source)
    local = _redis("127.0.0.1", REDIS_PORT, None, "")
    yield Candidate("redis", local, f"port {REDIS_PORT}")
    yield Candidate("rq", local | {"db": 0, "queues": []}, f"port {REDIS_PORT}")


def _postgres_places(
    environment: Mapping[str, str], socket_directories: Iterable[str]
) -> Iterator[tuple[str, int, str]]:
    if "PGHOST" in environment:
        yield environment["PGHOST"], int(environment.get("PGPORT", POSTGRES_PORT)), "PGHOST"
    ports = set()
    for directory in socket_directories:
        for path in sorted(Path(directory).glob(".s.PGSQL.*[0-9]")):
            port = int(path.suffix.removeprefix("."))
            ports.add(port)
            yield directory, port, str(path)
    if POSTGRES_PORT not in ports:
        yield "127.0.0.1", POSTGRES_PORT, f"port {POSTGRES_PORT}"


def _from_url(variable: str, url: SplitResult) -> Iterator[Candidate]:
    host, path = url.hostname or "", url.path.removeprefix("/")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if url.scheme.startswith("postgres"):
        arguments = _postgres(host, url.port or POSTGRES_PORT, user, password, path or user)
        yield Candidate("postgres", arguments, variable)
    elif url.scheme.startswith(("mysql", "mariadb")):
        arguments = mysql.login(host, url.port or mysql.PORT, user, password)
        yield Candidate("mysql", arguments, variable)
    elif url.scheme in ("redis", "rediss"):
        arguments = _redis(host, url.port or REDIS_PORT, user or None, password)
        arguments |= {"tls": True} if url.scheme == "rediss" else {}
        yield Candidate("redis", arguments, variable)
        db = int(path) if path.isdecimal() else 0
        if variable == "CELERY_BROKER_URL":
            queues = {"db": db, "key_prefix": "", "queues": [DEFAULT_QUEUE]}
            yield Candidate("celery", arguments | queues, variable)
        else:
            yield Candidate("rq", arguments | {"db": db, "queues": []}, variable)


def _postgres(host: str, port: int, user: str, password: str, database: str) -> dict[str, Any]:
    return {"host": host, "port": port, "user": user, "password": password, "database": database}


def _redis(host: str, port: int, user: str | None, password: str) -> dict[str, Any]:
    return {"host": host, "port": port, "user": user, "password": password}


ONE_LOOK: Mapping[str, Any] = {
    "statements": 0, "tables": 0, "timeout_seconds": 1.0, "slow_interval_seconds": 3600.0,
}  # fmt: skip
LEAST: Mapping[str, Mapping[str, Any]] = {"postgres": ONE_LOOK, "mysql": ONE_LOOK}
"""What a collector needs besides, for one look."""


def problem_of(candidate: Candidate) -> str | None:
    """Return why the server cannot be watched, or None when it can."""
    host, port = candidate.arguments["host"], candidate.arguments["port"]
    if not host.startswith("/") and not _listens(host, port):
        return "nothing listens there"
    arguments = {**candidate.arguments, **LEAST.get(candidate.kind, {})}
    collector: Collector = make(candidate.kind, arguments)
    try:
        told = list(collector.collect())
    except WatchkeeperError as error:
        return str(error)
    finally:
        collector.close()
    return None if told else SILENT.get(candidate.kind)


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
