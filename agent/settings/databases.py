"""What of ``agent.yml`` is about databases and caches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from agent.recipe import Recipe
from agent.settings.pace import Pace, plain
from agent.settings.queries import Name, QuerySettings, refuse_known
from agent.settings.values import Bound, Port
from watchkeeper.configuration import ProblemAt, Secret, Settings


class PostgresSettings(Settings):
    """One PostgreSQL server.

    Attributes:
        database: the one to connect to; where pg_stat_statements is, if anywhere.
        statements: how many single statements are told of, those with the most total time; 0
            switches them off.
        tables: how many tables, and as many indexes, of each database: the largest ones.
        databases: further ones whose tables and indexes are told of, over a connection each.
        tls: ``verify`` to go on only with a server that proves that it has the name of ``host``;
            else TLS is used as the server likes, and it may be anybody.
        certificates: file with the authorities to trust instead of the system's.
        queries: questions of your own by name, put to ``database``; the names of their metrics are
            this name and that of the column.
    """

    host: str = "127.0.0.1"
    port: Port = 5432
    database: str = "postgres"
    databases: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    user: str = "postgres"
    password: Secret | None = None
    tls: Literal["prefer", "verify"] = "prefer"
    certificates: str = ""
    statements: Bound = 50
    tables: Bound = 20
    queries: dict[Name, QuerySettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ask_nothing_twice(self) -> Self:
        refuse_known(self.queries)
        return self

    @model_validator(mode="after")
    def _name_each_database_once(self) -> Self:
        names = (self.database, *self.databases)
        if len(set(names)) < len(names):
            raise ValueError(f"expected each database once, got {', '.join(names)}")
        return self

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        queries = [query.told(name) for name, query in self.queries.items()]
        arguments = plain(self) | {"queries": queries} | pace.question_limits
        yield pace.recipe(f"postgres {self.host}:{self.port}", "postgres", arguments)


class MysqlSettings(Settings):
    """One MySQL or MariaDB server.

    Attributes:
        host: name, address, or the path of a Unix socket.
        tls: ``verify`` to go on only with a server that proves that it has the name of ``host``,
            ``verify-ca`` with any whose certificate is of an authority in ``certificates``.
        certificates: file with the authorities to trust instead of the system's, which sign for
            everybody and are therefore not enough where no name is to be proved.
        statements: how many single statements are told of, those with the most total time; 0
            switches them off.
        tables: how many tables, those the most time was spent in.
    """

    host: str = "127.0.0.1"
    port: Port = 3306
    user: str = "watchkeeper"
    password: Secret | None = None
    tls: Literal["disable", "verify-ca", "verify"] = "disable"
    certificates: str = ""
    statements: Bound = 50
    tables: Bound = 20

    @model_validator(mode="after")
    def _trust_not_everybody(self) -> Self:
        if self.tls == "verify-ca" and not self.certificates:
            message = "expected certificates of your own authority, as no name is to be proved"
            raise ProblemAt(f"{message}; or verify", "tls")
        return self

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        name = f"mysql {self.host}:{self.port}"
        yield pace.recipe(name, "mysql", plain(self) | pace.question_limits)


BOUNDS: dict[str, dict[str, float]] = {
    kind: {"statements": defaults.statements, "tables": defaults.tables}
    for kind, defaults in (("postgres", PostgresSettings()), ("mysql", MysqlSettings()))
}
"""What a server that was discovered is told of, by kind."""


class RedisServerSettings(Settings):
    """Where a server is that speaks the Redis protocol, and how it is talked to.

    Attributes:
        user: of the ACL; the default one otherwise.
        tls: whether it speaks TLS; so does Redis on its ``tls-port``.
        certificates: file with the authorities to trust instead of the system's.
    """

    host: str = "127.0.0.1"
    port: Port = 6379
    user: str | None = None
    password: Secret | None = None
    tls: bool = False
    certificates: str = ""


class KeySettings(Settings):
    """One key, in a numbered database."""

    db: Annotated[int, Field(ge=0)] = 0
    key: Annotated[str, Field(min_length=1, max_length=512)]


class RedisSettings(RedisServerSettings):
    """One server that is watched.

    Attributes:
        keys: those whose size is told of, each by name: none is searched for.
    """

    keys: Annotated[tuple[KeySettings, ...], Field(max_length=200)] = ()

    @model_validator(mode="after")
    def _name_each_key_once(self) -> Self:
        names = [f"{one.key} of database {one.db}" for one in self.keys]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ProblemAt(f"expected each key once, got {', '.join(twice)} twice", "keys")
        return self

    def recipes(self, pace: Pace) -> Iterator[Recipe]:
        """Yield what to run."""
        yield pace.recipe(f"redis {self.host}:{self.port}", "redis", plain(self))
