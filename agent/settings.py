"""The agent's configuration, and the recipes it amounts to.

Run as a program it reads one file and prints the recipes or the problems as JSON. The agent reads
its configuration that way: validation takes as much memory as all its collectors, so it happens
in a process that ends.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import socket
import sys
from collections.abc import Collection, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from agent.candidates import Candidate
from agent.collectors import (
    COLLECTORS,
    HOST_KINDS,
    OFF_BY_DEFAULT,
    SLOW_HOST_KINDS,
    WAITING_KINDS,
)
from agent.discovery import discover
from agent.otlp.receiver import Receiver
from agent.probe.body import compiled
from agent.probe.target import parse_target
from agent.rabbitmq.queues import parse_name
from agent.recipe import Recipe
from watchkeeper.addresses import data_dir
from watchkeeper.configuration import (
    DurationSeconds,
    ProblemAt,
    Secret,
    Settings,
    load,
    secrets_in,
)
from watchkeeper.errors import ConfigError

Port = Annotated[int, Field(ge=1, le=65535)]


HOST_LANE = "host"
"""The thread of all host collectors that never wait for anything."""


def _known_kind(kind: str) -> str:
    if kind not in HOST_KINDS:
        raise ValueError(f"expected one of {', '.join(HOST_KINDS)}")
    return kind


def _probe_url(url: str) -> str:
    parse_target(url)
    return url


def _body_expression(text: str) -> str:
    if text:
        compiled(text)
    return text


def _http_url(url: str) -> str:
    if parse_target(url).scheme not in ("http", "https"):
        raise ValueError("expected http://… or https://…")
    return url


def _rabbitmq_queue(written: str) -> str:
    parse_name(written)
    return written


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return text


HostKind = Annotated[str, AfterValidator(_known_kind)]
Interval = Annotated[DurationSeconds, Field(ge=0.1, le=3600)]


Expression = Annotated[str, AfterValidator(_regular_expression)]
"""A regular expression; empty for the collector's own."""


class IgnoredSettings(Settings):
    """What is not told of, by regular expressions in place of node_exporter's defaults.

    Attributes:
        mount_points: of file systems.
        file_systems: their types.
        disks: names of block devices.
        networks: names of network devices; none are ignored by default.
        units: whole names of systemd's units.
    """

    mount_points: Expression = ""
    file_systems: Expression = ""
    disks: Expression = ""
    networks: Expression = ""
    units: Expression = ""

    def arguments_of(self, kind: str) -> dict[str, str]:
        """Return the constructor arguments of a kind that the file sets."""
        names = IGNORED_ARGUMENTS.get(kind, {})
        chosen = {argument: getattr(self, name) for argument, name in names.items()}
        return {argument: text for argument, text in chosen.items() if text}


IGNORED_ARGUMENTS = {
    "filesystem": {"ignored_mount_points": "mount_points", "ignored_types": "file_systems"},
    "disk": {"ignored_devices": "disks"},
    "network": {"ignored_devices": "networks"},
    "systemd": {"ignored_units": "units"},
}
"""Setting by argument of a kind's constructor."""


class HostSettings(Settings):
    """What is told of this machine.

    Attributes:
        collectors: the kinds to run; the default leaves out those whose cost grows with the
            machine.
        ignored: what of the machine is not told of.
        proc: where the machine's /proc is, for an agent in a container.
        sys: where its /sys is.
        root: where its file systems are mounted.
    """

    collectors: tuple[HostKind, ...] = tuple(
        kind for kind in HOST_KINDS if kind not in OFF_BY_DEFAULT
    )
    ignored: IgnoredSettings = IgnoredSettings()
    proc: str = "/proc"
    sys: str = "/sys"
    root: str = "/"

    def arguments_of(self, kind: str) -> dict[str, str]:
        """Return the constructor arguments of a kind."""
        trees = {tree: getattr(self, tree) for tree in HOST_KINDS[kind]}
        return trees | self.ignored.arguments_of(kind)


class TextfileSettings(Settings):
    """Files that other programs leave for the agent.

    Attributes:
        directories: where ``*.prom`` files lie.
        max_bytes: of one file; a larger one is not told of.
    """

    directories: tuple[str, ...] = ()
    max_bytes: Annotated[int, Field(ge=1, le=64 << 20)] = 1 << 20


class ProcessGroupSettings(Settings):
    """Processes that are told of together.

    Attributes:
        name: the label ``groupname``.
        command: a regular expression found in the command line, or in ``[name]`` of a kernel
            thread; the first group of the list that matches has the process.
        children: whether processes that a member started, and that match no group, count too.
    """

    name: Annotated[str, Field(min_length=1)]
    command: Annotated[str, AfterValidator(_regular_expression)]
    children: bool = True


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
    """

    host: str = "127.0.0.1"
    port: Port = 5432
    database: str = "postgres"
    databases: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    user: str = "postgres"
    password: Secret | None = None
    tls: Literal["prefer", "verify"] = "prefer"
    certificates: str = ""
    statements: Annotated[int, Field(ge=0, le=500)] = 50
    tables: Annotated[int, Field(ge=0, le=500)] = 20

    @model_validator(mode="after")
    def _name_each_database_once(self) -> Self:
        names = (self.database, *self.databases)
        if len(set(names)) < len(names):
            raise ValueError(f"expected each database once, got {', '.join(names)}")
        return self


class MysqlSettings(Settings):
    """One MySQL or MariaDB server.

    Attributes:
        host: name, address, or the path of a Unix socket.
        statements: how many single statements are told of, those with the most total time; 0
            switches them off.
        tables: how many tables, those the most time was spent in.
    """

    host: str = "127.0.0.1"
    port: Port = 3306
    user: str = "watchkeeper"
    password: Secret | None = None
    statements: Annotated[int, Field(ge=0, le=500)] = 50
    tables: Annotated[int, Field(ge=0, le=500)] = 20


class RedisSettings(Settings):
    """One server that speaks the Redis protocol.

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


BOUNDS: dict[str, dict[str, float]] = {
    kind: {"statements": defaults.statements, "tables": defaults.tables}
    for kind, defaults in (("postgres", PostgresSettings()), ("mysql", MysqlSettings()))
}
"""What a server that was discovered is told of, by kind."""


class BrokerSettings(RedisSettings):
    """A Redis-compatible server that holds queues.

    Attributes:
        db: the database the queues are in.
    """

    db: Annotated[int, Field(ge=0)] = 0


class CeleryBrokerSettings(BrokerSettings):
    """One that Celery uses.

    Attributes:
        key_prefix: ``global_keyprefix`` of Celery's transport options.
    """

    key_prefix: str = ""


class CelerySettings(Settings):
    """The queues of one Celery application.

    Attributes:
        events: overhear the events of workers that send them (``-E``).
    """

    broker: CeleryBrokerSettings
    queues: Annotated[tuple[str, ...], Field(min_length=1)] = ("celery",)
    events: bool = True

    @property
    def part_of_broker(self) -> str:
        """What keeps it apart from others in the same database."""
        return self.broker.key_prefix


class RqSettings(Settings):
    """The queues of RQ on one server.

    Attributes:
        queues: their names; none for all that RQ knows.
    """

    broker: BrokerSettings
    queues: tuple[str, ...] = ()

    @property
    def part_of_broker(self) -> str:
        """What keeps it apart from others in the same database: RQ has nothing."""
        return ""


class DramatiqSettings(Settings):
    """The queues of dramatiq on one server.

    Attributes:
        namespace: that of the RedisBroker.
    """

    broker: BrokerSettings
    namespace: str = "dramatiq"
    queues: Annotated[tuple[str, ...], Field(min_length=1)] = ("default",)

    @property
    def part_of_broker(self) -> str:
        """What keeps it apart from others in the same database; empty for the usual."""
        return "" if self.namespace == "dramatiq" else self.namespace


class RabbitmqSettings(Settings):
    """One RabbitMQ, through its management plugin.

    Attributes:
        url: of the management API. No password belongs in it: its host becomes a label.
        user: one with the tag ``monitoring``.
        certificates: file with the authorities to trust instead of the system's.
        queues: how many to tell of, the fullest ones.
        task_queues: those that hold tasks of Celery or dramatiq, told of as such, too: ``name``
            in the default virtual host, or ``vhost/name``.
    """

    url: Annotated[str, AfterValidator(_http_url)] = "http://127.0.0.1:15672"
    user: str = "guest"
    password: Secret | None = None
    certificates: str = ""
    queues: Annotated[int, Field(ge=1, le=500)] = 200
    task_queues: tuple[Annotated[str, AfterValidator(_rabbitmq_queue)], ...] = ()


class ProbeSettings(Settings):
    """One service to probe.

    Attributes:
        url: ``http://…``, ``https://…``, ``tcp://host:port`` or ``tls://host:port``. No password
            belongs in it: it becomes a label.
        expect_status: statuses that are good; none means any from 200 to 299.
        expect_body: a regular expression, as RE2 knows it, that the body must match somewhere.
        follow_redirects: go where an answer points, unless its status is an expected one.
        certificates: file with the authorities to trust instead of the system's.
    """

    url: Annotated[str, AfterValidator(_probe_url)]
    expect_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    expect_body: Annotated[str, AfterValidator(_body_expression)] = ""
    follow_redirects: bool = True
    certificates: str = ""


class OtlpSettings(Settings):
    """Where to push what is collected, besides being scraped.

    Attributes:
        url: of the receiver's metrics, such as ``http://127.0.0.1:4318/v1/metrics``.
        interval: between two messages.
        headers: sent with each.
        resource: attributes of all that is pushed, besides ``host.name``, and ``service.name``
            and ``service.instance.id``, which Prometheus makes ``job`` and ``instance`` of.
        directory: of the buffer; ``agent/otlp`` in the data directory by default.
        buffer_bytes: what it may take; beyond it the oldest messages are dropped and counted.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^/@]+/")]
    interval: Annotated[DurationSeconds, Field(ge=1, le=3600)] = 15.0
    headers: dict[str, Secret] = Field(default_factory=dict)
    resource: dict[str, str] = Field(default_factory=dict)
    directory: str = ""
    buffer_bytes: Annotated[int, Field(ge=1 << 20)] = 64 << 20

    @model_validator(mode="after")
    def _can_be_spoken(self) -> Self:
        if find_spec("opentelemetry") is None:
            raise ValueError("needs a package: pip install 'watchkeeper-stack[otlp]'")
        return self

    @model_validator(mode="after")
    def _can_be_buffered(self) -> Self:
        there = next(path for path in (self.place, *self.place.parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise ProblemAt(f"expected a directory we may write to; {there} is none", "directory")
        return self

    @property
    def place(self) -> Path:
        """Where the buffer is."""
        return Path(self.directory or data_dir() / "agent" / "otlp").absolute()

    def receiver(self) -> Receiver:
        """Return what the agent needs to know."""
        host = socket.gethostname()
        about = {"service.name": "agent", "service.instance.id": host, "host.name": host}
        return Receiver(
            url=self.url,
            interval_seconds=self.interval,
            headers={name: secret.reveal() for name, secret in self.headers.items()},
            resource=about | self.resource,
            directory=str(self.place),
            buffer_bytes=self.buffer_bytes,
        )


class AgentSettings(Settings):
    """All that ``agent.yml`` may say.

    Attributes:
        interval: between two runs of a collector.
        slow_interval: of the collectors whose queries cost more, such as statements.
        deadline: a run that takes longer has failed.
        max_series: of one collector; what is beyond is cut and counted.
        discover: also watch servers of this machine of the kinds that are not configured, where
            they let us in without a password or with one from the environment.
        web_config: Prometheus' web configuration file, for TLS and passwords; relative to this
            file. Which one it is, is taken up at the next start; what it says, at once.
        otlp: a receiver to push to.
    """

    interval: Interval = 5.0
    slow_interval: Interval = 15.0
    deadline: Interval = 4.0
    max_series: Annotated[int, Field(ge=1)] = 5000
    discover: bool = True
    web_config: str = ""
    otlp: OtlpSettings | None = None
    host: HostSettings = HostSettings()
    textfile: TextfileSettings = TextfileSettings()
    process_groups: tuple[ProcessGroupSettings, ...] = ()
    postgres: tuple[PostgresSettings, ...] = ()
    mysql: tuple[MysqlSettings, ...] = ()
    redis: tuple[RedisSettings, ...] = ()
    celery: tuple[CelerySettings, ...] = ()
    rq: tuple[RqSettings, ...] = ()
    dramatiq: tuple[DramatiqSettings, ...] = ()
    rabbitmq: tuple[RabbitmqSettings, ...] = ()
    probes: tuple[ProbeSettings, ...] = ()

    @model_validator(mode="after")
    def _name_each_queue_once(self) -> Self:
        queues = [
            queue
            for applications in (self.celery, self.rq, self.dramatiq)
            for application in applications
            for queue in application.queues
        ]
        queues += [queue for server in self.rabbitmq for queue in server.task_queues]
        twice = sorted({queue for queue in queues if queues.count(queue) > 1})
        if twice:
            raise ValueError(f"expected each queue once, got {', '.join(twice)} more often")
        return self

    @model_validator(mode="after")
    def _watch_each_thing_once(self) -> Self:
        names = [recipe.name for recipe in self._recipes()]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each once, got {', '.join(twice)} twice: make them one")
        return self

    @property
    def kinds_to_discover(self) -> list[str]:
        """The kinds of server to look for: those the file says nothing of."""
        configured = {
            "postgres": self.postgres,
            "mysql": self.mysql,
            "redis": self.redis,
            "celery": self.celery,
            "rq": self.rq,
        }
        return [kind for kind, servers in configured.items() if self.discover and not servers]

    def recipes(self, discovered: Iterable[Candidate] = ()) -> list[Recipe]:
        """Return what to run, in the order it is exposed; what is configured before the rest."""
        found = [*self._recipes(), *map(self._recipe_for, discovered)]
        return list({recipe.name: recipe for recipe in found}.values())

    def _recipe_for(self, candidate: Candidate) -> Recipe:
        arguments = dict(candidate.arguments)
        if candidate.kind in BOUNDS:
            arguments |= BOUNDS[candidate.kind] | self._question_limits()
        return self._recipe(candidate.name, candidate.kind, arguments)

    def _question_limits(self) -> dict[str, float]:
        return {
            "timeout_seconds": self.deadline / 4,
            "slow_interval_seconds": self.slow_interval,
            "run_seconds": self.deadline * 0.9,
        }

    def _recipes(self) -> Iterator[Recipe]:
        yield self._recipe("process", "process", {}, lane=HOST_LANE)
        for kind in self.host.collectors:
            yield self._recipe(
                kind,
                kind,
                self.host.arguments_of(kind),
                is_slow=kind in SLOW_HOST_KINDS,
                lane=None if kind in WAITING_KINDS else HOST_LANE,
            )
        if self.textfile.directories:
            yield self._recipe("textfile", "textfile", self.textfile.model_dump())
        if self.process_groups:
            groups = [group.model_dump() for group in self.process_groups]
            arguments = {"groups": groups, "proc": self.host.proc}
            yield self._recipe("named-processes", "named-processes", arguments)
        for postgres in self.postgres:
            name = f"postgres {postgres.host}:{postgres.port}"
            yield self._recipe(name, "postgres", _plain(postgres) | self._question_limits())
        for mysql in self.mysql:
            name = f"mysql {mysql.host}:{mysql.port}"
            yield self._recipe(name, "mysql", _plain(mysql) | self._question_limits())
        for redis in self.redis:
            name = f"redis {redis.host}:{redis.port}"
            yield self._recipe(name, "redis", _plain(redis))
        yield from self._queue_recipes()
        for probe in self.probes:
            limits = {"timeout_seconds": self.deadline * 0.9}
            yield self._recipe(f"probe {probe.url}", "probe", probe.model_dump() | limits)

    def _queue_recipes(self) -> Iterator[Recipe]:
        kinds = (("celery", self.celery), ("rq", self.rq), ("dramatiq", self.dramatiq))
        for kind, applications in kinds:
            for application in applications:
                broker = application.broker
                part = application.part_of_broker
                name = f"{kind} {broker.host}:{broker.port}/{broker.db}{part and f' {part}'}"
                arguments = application.model_dump(exclude={"broker"})
                yield self._recipe(name, kind, {**_plain(broker), **arguments})

        for server in self.rabbitmq:
            yield self._recipe(f"rabbitmq {server.url}", "rabbitmq", _plain(server))

    def _recipe(
        self,
        name: str,
        kind: str,
        arguments: dict[str, Any],
        *,
        is_slow: bool = False,
        lane: str | None = None,
    ) -> Recipe:
        interval = self.slow_interval if is_slow else self.interval
        return Recipe(name, kind, arguments, interval, self.deadline, self.max_series, lane or name)


def _plain(settings: Settings) -> dict[str, Any]:
    """Return the fields as plain data, secrets revealed."""
    plain = settings.model_dump(exclude={"password"})
    password = getattr(settings, "password", None)
    return plain | {"password": password.reveal() if password else ""}


def left_out(run_or_tried: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the kinds that are neither run nor were tried, and why."""
    for kind in COLLECTORS:
        if kind in run_or_tried:
            continue
        if kind in OFF_BY_DEFAULT:
            yield kind, "costs more on a larger machine: name it in host.collectors"
        elif kind in HOST_KINDS:
            yield kind, "not in host.collectors"
        else:
            yield kind, "not configured"


def main(path: Path, known: Iterable[Candidate]) -> dict[str, Any]:
    """Return what the reading process prints: ``problems``, or ``recipes`` and ``refused``.

    Args:
        path: the file.
        known: what was discovered before.
    """
    try:
        settings = load(path, AgentSettings)
    except ConfigError as error:
        return {"problems": [dataclasses.asdict(problem) for problem in error.problems]}
    discovery = discover(settings.kinds_to_discover, os.environ, known)
    recipes = settings.recipes(discovery.watched)
    seen = {recipe.kind for recipe in recipes} | discovery.kinds
    secrets = [(str(one.file), one.stamp) for one in secrets_in(settings) if one.file]
    return {
        "secrets": secrets,
        "recipes": [dataclasses.asdict(recipe) for recipe in recipes],
        "otlp": dataclasses.asdict(settings.otlp.receiver()) if settings.otlp else None,
        "web_config": str(path.parent / settings.web_config) if settings.web_config else "",
        "kinds_to_discover": settings.kinds_to_discover,
        "discovered": [dataclasses.asdict(one) for one in discovery.watched],
        "refused": [*discovery.refused, *left_out(seen)],
    }


if __name__ == "__main__":
    remembered = [Candidate(**one) for one in json.loads(sys.stdin.read() or "[]")]
    json.dump(main(Path(sys.argv[1]), remembered), sys.stdout)
