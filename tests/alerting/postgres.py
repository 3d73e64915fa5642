"""A real PostgreSQL for replicas to share, with a database of its own for every test."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.ports import free_ports
from tests.waiting import wait_until


@contextmanager
def running(data_dir: Path) -> Iterator[int]:
    """Run a server and give its port."""
    port = free_ports(1)
    command = [sys.executable, "-m", "taskboard", "postgres", "--port", str(port)]
    process = subprocess.Popen([*command, "--data-dir", str(data_dir)])
    try:
        wait_until(lambda: _answers(port), what="PostgreSQL answers")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def new_database(port: int) -> str:
    """Return the URL of an empty database."""
    name = f"alerting_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_server(port), autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
    return f"postgresql://postgres@127.0.0.1:{port}/{name}"


def _server(port: int) -> str:
    return f"host=127.0.0.1 port={port} dbname=postgres user=postgres"


def _answers(port: int) -> bool:
    try:
        psycopg.connect(_server(port)).close()
    except psycopg.OperationalError:
        return False
    return True
