"""Where servers may be that nobody configured: what the environment names, and well-known places.

Nothing is asked of them here. What the environment says belongs to other programs: what of it
makes no sense is left out and told of, without the value, which may hold a password.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from agent.mysql import places as mysql

POSTGRES_PORT, REDIS_PORT = 5432, 6379
SOCKET_DIRECTORIES = ("/var/run/postgresql", "/tmp")  # noqa: S108  # where servers put their sockets
"""Debian's place for PostgreSQL's socket, and the one PostgreSQL itself chooses."""

VARIABLES = ("DATABASE_URL", "MYSQL_URL", "REDIS_URL", "RQ_REDIS_URL", "CELERY_BROKER_URL")
"""Variables of the environment that name a server; the fourth is that of RQ's own command."""

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
class Senseless:
    """A variable of the environment that names no place, and why, without its value."""

    name: str
    problem: str


def candidates(
    environment: Mapping[str, str],
    socket_directories: Iterable[str] = SOCKET_DIRECTORIES,
    mysql_sockets: Iterable[str] = mysql.SOCKETS,
) -> Iterator[Candidate | Senseless]:
    """Yield the places to look at: those the environment names, then the well-known ones."""
    for variable in VARIABLES:
        yield from _named(variable, environment.get(variable, ""))
    ports = {}
    for variable, default in (("PGPORT", POSTGRES_PORT), ("MYSQL_TCP_PORT", mysql.PORT)):
        try:
            ports[variable] = _port(environment.get(variable) or str(default))
        except ValueError:
            ports[variable] = default
            yield Senseless(variable, "is no port")
    yield from _postgres_candidates(environment, ports["PGPORT"], socket_directories)
    user = environment.get("MYSQL_USER") or own_user()
    places = mysql.places(environment, user, ports["MYSQL_TCP_PORT"], mysql_sockets)
    for arguments, source in places:
        yield Candidate("mysql", arguments, source)
    local = _redis("127.0.0.1", REDIS_PORT, None, "")
    yield Candidate("redis", local, f"port {REDIS_PORT}")
    yield Candidate("rq", local | {"db": 0, "queues": []}, f"port {REDIS_PORT}")


def own_user() -> str:
    """Return the name of the user we run as; empty for one who has none, as containers' may."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 1 << 16:
        raise ValueError(port)
    return port


def _named(variable: str, text: str) -> Iterator[Candidate | Senseless]:
    try:
        url = urlsplit(text)
        found = list(_from_url(variable, url)) if url.hostname else []
    except ValueError:
        yield Senseless(variable, "is no URL that can be read")
    else:
        yield from found


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


def _postgres_candidates(
    environment: Mapping[str, str], port: int, socket_directories: Iterable[str]
) -> Iterator[Candidate]:
    user = environment.get("PGUSER") or own_user()
    database = environment.get("PGDATABASE") or "postgres"
    for host, at, source in _postgres_places(environment.get("PGHOST"), port, socket_directories):
        yield Candidate("postgres", _postgres(host, at, user, "", database), source)


def _postgres_places(
    named: str | None, named_port: int, socket_directories: Iterable[str]
) -> Iterator[tuple[str, int, str]]:
    if named:
        yield named, named_port, "PGHOST"
    ports = set()
    for directory in socket_directories:
        for path in sorted(Path(directory).glob(".s.PGSQL.*")):
            number = path.suffix.removeprefix(".")
            if number.isascii() and number.isdecimal():
                ports.add(int(number))
                yield directory, int(number), str(path)
    if POSTGRES_PORT not in ports:
        yield "127.0.0.1", POSTGRES_PORT, f"port {POSTGRES_PORT}"


def _postgres(host: str, port: int, user: str, password: str, database: str) -> dict[str, Any]:
    return {"host": host, "port": port, "user": user, "password": password, "database": database}


def _redis(host: str, port: int, user: str | None, password: str) -> dict[str, Any]:
    return {"host": host, "port": port, "user": user, "password": password}
