"""Something to watch for every collector, for as long as it is measured what each costs.

What this machine has is watched here. Servers run beside it, idle. Hardware that this machine lacks
is read from the tests' fixture tree, and systemd, where it is not in charge, is stood in for.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import redis

from agent.collectors import HOST_KINDS
from agent.collectors.systemd import PRIVATE_SOCKET
from agent.configured import read_recipes
from agent.recipe import Recipe
from benchmarks.agent import servers
from benchmarks.scraped import Scraped, pause
from tests.agent import machine, rabbitmq_server
from tests.agent.mysql_server import MysqlServer
from tests.agent.systemd_peer import SystemdPeer, Unit
from tests.ports import free_port

HERE, SERVER, TREE, STAND_IN = "this machine", "an idle server", "the fixture tree", "a stand-in"

HOST = """\
slow_interval: 100ms
discover: false
host: {{collectors: [{kinds}]}}
textfile: {{directories: [{textfiles}]}}
process_groups: [{{name: python, command: python}}]
"""

TEXTFILE_SERIES = 50

UNITS = 100
"""About as many services, timers and sockets as Debian has loaded on a server."""


@dataclass(frozen=True, slots=True)
class Place:
    """A collector, and what it is measured on."""

    recipe: Recipe
    where: str


@contextlib.contextmanager
def places(directory: Path) -> Iterator[list[Place]]:
    """Yield every place to measure at; of one kind, the first that brings anything counts."""
    with contextlib.ExitStack() as stack:
        config = _host_config(directory)
        for key, start in SERVERS.items():
            try:
                config += stack.enter_context(start(directory / key))
            except FileNotFoundError as error:
                click.echo(f"{key} is left out: {error}", err=True)
        found = [
            Place(recipe, HERE if _is_of_this_machine(recipe) else SERVER)
            for recipe in _recipes(directory / "agent.yml", config)
        ]
        yield [*found, *_on_the_tree(directory / "tree"), *stack.enter_context(_systemd(directory))]


def _is_of_this_machine(recipe: Recipe) -> bool:
    return recipe.kind in HOST_KINDS or recipe.kind in ("process", "named-processes", "textfile")


def _recipes(file: Path, config: str) -> list[Recipe]:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(config, encoding="utf-8")
    return read_recipes(file)


def _host_config(directory: Path) -> str:
    textfiles = directory / "textfiles"
    textfiles.mkdir()
    lines = [f'backup_bytes{{volume="v{n}"}} {n}\n' for n in range(TEXTFILE_SERIES)]
    (textfiles / "backup.prom").write_text("".join(lines), encoding="utf-8")
    return HOST.format(kinds=", ".join(HOST_KINDS), textfiles=textfiles)


def _on_the_tree(tree: Path) -> list[Place]:
    trees = ", ".join(f"{name}: {path}" for name, path in machine.build(tree).items())
    kinds = ", ".join(HOST_KINDS)
    config = f"discover: false\nhost: {{collectors: [{kinds}], {trees}}}\n"
    return [
        Place(recipe, TREE)
        for recipe in _recipes(tree / "agent.yml", config)
        if recipe.kind in HOST_KINDS
    ]


@contextlib.contextmanager
def _systemd(directory: Path) -> Iterator[list[Place]]:
    root = directory / "root"
    (root / "run/systemd/system").mkdir(parents=True)
    # A process of its own: what it takes to answer is not the agent's.
    peer = multiprocessing.Process(target=_be_systemd, args=[root / PRIVATE_SOCKET], daemon=True)
    peer.start()
    try:
        config = f"discover: false\nhost: {{collectors: [systemd], root: {root}}}\n"
        recipes = _recipes(root / "agent.yml", config)
        yield [Place(recipe, STAND_IN) for recipe in recipes if recipe.kind == "systemd"]
    finally:
        peer.kill()
        peer.join()


def _be_systemd(path: Path) -> None:
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("service", {"Type": "simple"}),
        ("service", {"Type": "oneshot"}),
        ("timer", {"LastTriggerUSec": 1_700_000_000_000_000}),
        ("socket", {"NAccepted": 5, "NConnections": 2, "NRefused": 1}),
    )
    units = [
        Unit(f"unit-{number}.{kind}", **properties)
        for number in range(UNITS // len(kinds))
        for kind, properties in kinds
    ]
    SystemdPeer(path, units)
    while True:
        pause(3600)


@contextlib.contextmanager
def _postgres_and_valkey(directory: Path) -> Iterator[str]:
    directory.mkdir()
    directory.chmod(0o755)
    with servers(directory) as ports:
        with redis.Redis(port=ports.valkey) as client:
            client.sadd("rq:queues", "rq:queue:default")
            client.rpush("rq:queue:default", "a-job")
        broker = f"broker: {{port: {ports.valkey}}}"
        yield (
            f"postgres: [{{port: {ports.postgres}, database: taskboard, user: postgres}}]\n"
            f"redis: [{{port: {ports.valkey}}}]\n"
            f"celery: [{{{broker}, queues: [celery]}}]\n"
            f"rq: [{{{broker}}}]\n"
            f"dramatiq: [{{{broker}}}]\n"
        )


@contextlib.contextmanager
def _mariadb(directory: Path) -> Iterator[str]:
    directory.mkdir()
    server = MysqlServer(directory)
    try:
        yield f"mysql: [{{port: {server.port}, user: root}}]\n"
    finally:
        server.stop()


@contextlib.contextmanager
def _rabbitmq(directory: Path) -> Iterator[str]:
    with rabbitmq_server.serving(directory) as server:
        server.call("PUT", "queues/%2F/work", durable=True)
        yield f"rabbitmq: [{{url: '{server.url}', password: {{file: {_guest(directory)}}}}}]\n"


def _guest(directory: Path) -> Path:
    password = directory / "guest"
    password.write_text("guest", encoding="utf-8")
    return password


@contextlib.contextmanager
def _page(directory: Path) -> Iterator[str]:
    directory.mkdir()
    port = free_port()
    page = Scraped("page", [sys.executable, "-m", "benchmarks.constant_page", str(port)], port)
    try:
        yield f"probes: [{{url: 'http://127.0.0.1:{port}/metrics'}}]\n"
    finally:
        page.stop()


SERVERS: Mapping[str, Callable[[Path], contextlib.AbstractContextManager[str]]] = {
    "postgres and valkey": _postgres_and_valkey,
    "mariadb": _mariadb,
    "rabbitmq": _rabbitmq,
    "page": _page,
}
"""What starts a server in a directory and gives the configuration that watches it."""
