"""Real servers for the collectors, and scripted collectors for the machine around them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

import agent.collectors
from tests.agent.probes import PROBES
from tests.ports import free_port
from tests.waiting import wait_until


def _postgres_answers(port: int) -> bool:
    try:
        psycopg.connect(host="127.0.0.1", port=port, dbname="taskboard", user="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _valkey_answers(port: int) -> bool:
    try:
        return redis.Redis(port=port).ping()
    except redis.ConnectionError:
        return False


ANSWERS = {"postgres": _postgres_answers, "valkey": _valkey_answers}


def _serve(name: str, data_dir: Path):
    port = free_port()
    command = [sys.executable, "-m", "taskboard", name, "--port", str(port)]
    process = subprocess.Popen([*command, "--data-dir", str(data_dir)])
    try:
        wait_until(lambda: ANSWERS[name](port), what=f"{name} answering")
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def postgres_port(tmp_path_factory):
    yield from _serve("postgres", tmp_path_factory.mktemp("postgres"))


@pytest.fixture
def database(postgres_port):
    """A superuser's connection to the database the collectors watch."""
    with psycopg.connect(
        host="127.0.0.1", port=postgres_port, dbname="taskboard", user="postgres", autocommit=True
    ) as connection:
        yield connection


@pytest.fixture(scope="session")
def valkey_port(tmp_path_factory):
    yield from _serve("valkey", tmp_path_factory.mktemp("valkey"))


@pytest.fixture
def silent_port():
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def probes(monkeypatch):
    """Collectors that tests script, known to the table like any other."""
    for kind, location in PROBES.items():
        monkeypatch.setitem(agent.collectors.COLLECTORS, kind, location)
