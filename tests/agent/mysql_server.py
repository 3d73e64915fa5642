"""A MariaDB that a test may treat as badly as it likes."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pymysql

from taskboard.servers.tethered import give_to_server, tethered
from tests.ports import free_port
from tests.waiting import wait_until

SHARE = Path("/usr/share/mysql")

FIRST_STATEMENTS = ("CREATE DATABASE mysql;", "USE mysql;", "SET @auth_root_socket = NULL;")

SYSTEM_TABLES = (
    "mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql",
)  # fmt: skip
"""Installed with the server; bootstrap runs them, as mariadb-install-db does."""

SETTINGS = (
    "--bind-address=127.0.0.1", "--performance-schema=on", "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=4M", "--log-bin=binlog", "--server-id=1", "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0", "--max-connections=20",
)  # fmt: skip

BOOTSTRAP = ("--bootstrap", "--innodb-log-file-size=4M", f"--lc-messages-dir={SHARE}/english")


class MysqlServer:
    """One server with a directory of its own, on a port that stays the same.

    ``root`` may do everything from this machine without a password. ``options`` are the server's
    own, besides those that keep it small.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self.options = options
        program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
        if program is None:
            raise FileNotFoundError("MariaDB (package mariadb-server-core) is not installed")
        give_to_server(directory)
        self.data = directory / "data"
        self.base = [program, "--no-defaults", f"--datadir={self.data}"]
        self.socket = str(directory / "mysql.sock")
        self.port = free_port()
        give_to_server(self.data)
        script = "\n".join(
            [*FIRST_STATEMENTS, *((SHARE / name).read_text() for name in SYSTEM_TABLES)]
        )
        subprocess.run(
            tethered([*self.base, *BOOTSTRAP], death_signal="KILL"),
            input=script.encode(),
            check=True,
            capture_output=True,
        )
        self.start()

    def start(self):
        """Start the server, and return once it lets us in."""
        place = [f"--port={self.port}", f"--socket={self.socket}"]
        self.process = subprocess.Popen(
            tethered([*self.base, *SETTINGS, *self.options, *place], death_signal="TERM"),
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        wait_until(self._answers, what="MariaDB answering")

    def _answers(self):
        assert self.process.poll() is None, "MariaDB did not start"
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def connect(self, **more):
        """Return a connection that commits by itself, as root."""
        return pymysql.connect(
            **({"host": "127.0.0.1", "port": self.port, "user": "root", "autocommit": True} | more)
        )

    def execute(self, sql):
        """Run statements as root, each on its own; return the rows of the last."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in filter(str.strip, sql.split(";")):
                cursor.execute(statement)
            return cursor.fetchall()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it in order, or as if the machine had lost power."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(20)
