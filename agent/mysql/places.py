"""Where a MySQL or MariaDB server may be on this machine, and what the environment says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

PORT = 3306

SOCKETS = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")  # noqa: S108
"""Where Debian, Red Hat and the server itself put its socket."""


def places(
    environment: Mapping[str, str], user: str, port: int, sockets: Iterable[str] = SOCKETS
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the arguments of a collector, and what made us look there.

    The variables are those of MySQL's own programs. Without a password the server may know us by
    the user we run as (MariaDB's unix_socket, MySQL's auth_socket). The password goes to the host
    that is named and to sockets, whose owner we know; anybody may listen at an unnamed port.
    """
    password = environment.get("MYSQL_PWD", "")
    if host := environment.get("MYSQL_HOST"):
        yield login(host, port, user, password), "MYSQL_HOST"
    named = environment.get("MYSQL_UNIX_PORT")
    found = [path for path in ([named] if named else sockets) if _is_there(path)]
    for path in found:
        yield login(path, port, user, password), path
    if not found:
        yield login("127.0.0.1", port, user, ""), f"port {port}"


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # a directory we may not look into
        return False


def login(host: str, port: int, user: str, password: str) -> dict[str, Any]:
    """Return what a collector needs to get in."""
    return {"host": host, "port": port, "user": user, "password": password}
