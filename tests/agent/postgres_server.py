"""A PostgreSQL of a given version that a test may treat as badly as it likes."""

from __future__ import annotations

import contextlib
import signal
import subprocess

import psycopg

from taskboard.servers.tethered import give_to_server, run_tethered, tethered
from tests.agent.postgres_releases import programs
from tests.ports import free_port
from tests.waiting import wait_until

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "shared_preload_libraries": "pg_stat_statements",
    "fsync": "off",
    "wal_level": "replica",
    "hot_standby": "on",
}


class PostgresServer:
    """One cluster and its server, on a port of its own that stays the same.

    Args:
        directory: of the cluster; made when it is not there.
        major: the version.
        settings: beside the usual ones.
    """

    def __init__(self, directory, major=18, **settings):
        self.cluster = directory / "cluster"
        self.bin = programs(major)
        self.port = free_port()
        self.settings = SETTINGS | settings
        if not self.cluster.exists():
            give_to_server(directory)
            initdb = [str(self.bin / "initdb"), "-D", str(self.cluster), "-U", "postgres"]
            run_tethered([*initdb, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
        self.start()

    def start(self):
        """Start the server, and return once it lets us in.

        After a SIGKILL it refuses to start until the children of the one before have noticed.
        """
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        command = [str(self.bin / "postgres"), "-D", str(self.cluster), f"--port={self.port}"]
        command = tethered([*command, *options], death_signal="INT")

        def run():
            self.process = subprocess.Popen(
                command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
            )

        def answers():
            if self.process.poll() is not None:
                run()
            return self._answers()

        run()
        wait_until(answers, what="PostgreSQL answering")

    def _answers(self):
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, user="postgres", database="postgres", **more):
        """Return a connection that commits by itself."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, dbname=database, autocommit=True, **more
        )

    def execute(self, sql, database="postgres"):
        """Run statements as superuser, each on its own as a script would; return the last rows."""
        with self.connect(database=database) as connection:
            for statement in filter(str.strip, sql.split(";")):
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def stop(self, number=signal.SIGINT):
        """End it: at once without waiting for clients, or as if the machine had lost power."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(20)


@contextlib.contextmanager
def standby_of(server, directory):
    """Yield a standby that streams from ``server``, of ten connections, through ``second``."""
    server.execute("SELECT pg_create_physical_replication_slot('second', true)")
    source = f"host=127.0.0.1 port={server.port} user=postgres application_name=second"
    give_to_server(directory)
    command = [str(programs(18) / "pg_basebackup"), "-D", str(directory / "cluster"), "-R"]
    run_tethered([*command, "-d", source, "-S", "second", "-c", "fast", "--no-sync"])
    standby = PostgresServer(directory, max_connections=10)
    try:
        yield standby
    finally:
        standby.stop()
