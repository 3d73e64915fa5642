"""A real PostgreSQL, with the role of docs/actions.md."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.ports import free_ports
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


def threshold(session):
    return session.execute("SHOW log_min_duration_statement").fetchone()[0]


def wait_for_threshold(session, expected):
    """Wait until a session has heard of a reload; each hears of it by itself."""
    wait_until(lambda: threshold(session) == expected, what=f"the setting is {expected}")


def change_threshold(session, words, expected):
    session.execute(f"ALTER SYSTEM {words}")
    session.execute("SELECT pg_reload_conf()")
    wait_for_threshold(session, expected)


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
        process.wait(60)


def _answers(port):
    try:
        connect(port).close()
    except psycopg.OperationalError:
        return False
    return True
