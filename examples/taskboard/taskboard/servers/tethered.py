"""Starting a server so that it can neither outlive us nor run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

UNPRIVILEGED_USER = "nobody"


def tethered(command: Sequence[str], *, death_signal: str) -> list[str]:
    """Return ``command`` made to get ``death_signal`` when this process dies, even by SIGKILL.

    Where we are root the command runs as ``nobody``, because PostgreSQL refuses root. It keeps the
    right to read any file, or it could not reach a project in root's home directory.

    Args:
        command: the program and its arguments.
        death_signal: such as ``INT``; Linux only, elsewhere nothing is added.

    Raises:
        FileNotFoundError: ``setpriv`` (util-linux) is missing and we are root.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        if os.geteuid() == 0:
            raise FileNotFoundError("setpriv (package util-linux) is needed to start this as root")
        return list(command)
    drop: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        drop = [
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
            "--inh-caps=+dac_read_search",
            "--ambient-caps=+dac_read_search",
        ]
    return [setpriv, *drop, f"--pdeathsig={death_signal}", "--", *command]


def run_tethered(command: Sequence[str], *, stdin: str = "") -> None:
    """Run ``command`` to its end; raise CalledProcessError with what it printed."""
    subprocess.run(
        tethered(command, death_signal="KILL"),
        input=stdin,
        text=True,
        check=True,
        capture_output=True,
    )


def give_to_server(directory: Path) -> None:
    """Make ``directory`` and hand it to the user the server runs as."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        os.chown(directory, user.pw_uid, user.pw_gid)
