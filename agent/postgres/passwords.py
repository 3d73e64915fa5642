"""Passwords that were left for every client of PostgreSQL: in the environment, or in its file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def left_password(
    environment: Mapping[str, str], host: str, port: int, database: str, user: str
) -> str:
    """Return the password of PGPASSWORD or of the password file; empty when there is none.

    PGPASSWORD is for the server that PGHOST and PGPORT name, or else for this machine's. The file
    is ``~/.pgpass`` or PGPASSFILE and, as for libpq, may be readable for its owner only.
    """
    password = environment.get("PGPASSWORD")
    if password and _is_meant(environment, host, port):
        return password
    home = environment.get("HOME")
    named = environment.get("PGPASSFILE") or (f"{home}/.pgpass" if home else "")
    file = Path(named)
    if not named or not file.is_file() or file.stat().st_mode & 0o077:
        return ""
    place = ("localhost" if host.startswith("/") else host, str(port), database, user)
    return password_in(file.read_text(encoding="utf-8"), place)


def _is_meant(environment: Mapping[str, str], host: str, port: int) -> bool:
    named = environment.get("PGHOST")
    is_there = host == named if named else host in LOOPBACK or host.startswith("/")
    return is_there and str(port) == (environment.get("PGPORT") or "5432")


def password_in(text: str, place: tuple[str, str, str, str]) -> str:
    """Return the password of the first line for host, port, database and user; empty for none."""
    for line in text.splitlines():
        fields = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", line)]
        if line.startswith("#") or len(fields) != 5:
            continue
        if all(field in ("*", word) for field, word in zip(fields, place, strict=False)):
            return fields[4]
    return ""
