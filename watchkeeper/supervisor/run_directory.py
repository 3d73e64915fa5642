"""`<data dir>/run`: who runs on this data directory, and where to reach it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from watchkeeper.errors import Refused, UpstreamError

SOCKET_PATH_BYTES = 100
"""``sun_path`` holds 108 bytes on Linux and 104 on macOS, with its final NUL."""


@contextmanager
def claimed(data_dir: Path) -> Iterator[Path]:
    """Hold the data directory for this process and give the path for the control socket.

    The lock is the kernel's and goes with the process, however that ends.

    Raises:
        Refused: another supervisor runs on it.
    """
    directory = data_dir / "run"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "supervisor.lock").open("a+", encoding="utf-8") as lock:
        _lock(lock.fileno(), data_dir, lock.name)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        with _socket_directory(directory) as sockets:
            socket = sockets / "supervisor.sock"
            record = directory / "supervisor.json"
            _write(record, {"pid": os.getpid(), "socket": str(socket)})
            try:
                yield socket
            finally:
                record.unlink(missing_ok=True)
                socket.unlink(missing_ok=True)


def socket_of(data_dir: Path) -> Path:
    """Return the control socket of the supervisor that runs on ``data_dir``.

    Raises:
        UpstreamError: none runs.
    """
    record = data_dir / "run" / "supervisor.json"
    try:
        return Path(json.loads(record.read_text(encoding="utf-8"))["socket"])
    except (OSError, ValueError, KeyError):
        raise UpstreamError(
            f"no supervisor runs on {data_dir} (start it: watchkeeper up)"
        ) from None


def _lock(descriptor: int, data_dir: Path, lock_name: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = Path(lock_name).read_text(encoding="utf-8").strip() or "?"
        raise Refused(
            f"already running on {data_dir} (pid {holder}); end that one with Ctrl-C, or run a "
            "second stack with another --data-dir and --port-offset"
        ) from None


@contextmanager
def _socket_directory(directory: Path) -> Iterator[Path]:
    if len(os.fsencode(directory / "supervisor.sock")) <= SOCKET_PATH_BYTES:
        yield directory
        return
    short = Path(tempfile.mkdtemp(prefix="watchkeeper-"))
    try:
        yield short
    finally:
        shutil.rmtree(short, ignore_errors=True)


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content) + "\n", encoding="utf-8")
    draft.replace(path)
