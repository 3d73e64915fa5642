"""A real PostgreSQL, with the role of docs/actions.md."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.supervisor.stacks import free_ports
from tests.waiting import wait_until

DOCUMENT = (Path(__file__).parents[2] / "docs" / "actions.md").read_text()

ROLE = "watchkeeper_actions"


def granting():
    """Return the statements the documentation tells an administrator to run."""
    blocks = re.findall(r"```sql\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def connect(port, user="postgres", database="taskboard", **settings):
    return psycopg.connect(
        host="127.0.0.1", port=port, dbname=database, user=user, autocommit=True, **settings
    )


@contextmanager
def running(data_dir):
    """Run a server and give its port."""
    port = free_ports(1)
    command = [sys.executable, "-m", "taskboard", "postgres", "--port", str(port)]
    process = subprocess.Popen([*command, "--data-dir", str(data_dir)])
    try:
        wait_until(lambda: _answers(port), what="PostgreSQL answers")
        with connect(port, database="postgres") as session:
            for statement in granting():
                session.execute(statement)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _answers(port):
    try:
        connect(port).close()
    except psycopg.OperationalError:
        return False
    return True
