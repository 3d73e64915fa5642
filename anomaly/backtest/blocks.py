"""History from a Prometheus' data directory, without the Prometheus it belongs to.

A Prometheus of our own is started on a copy, so that the directory stays as it is: blocks never
change once written and are linked where they can be, the write-ahead log is copied.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from watchkeeper.errors import ConfigError, Problem
from watchkeeper.prometheus import PrometheusClient

READY_WITHIN_SECONDS = 120.0
"""A long write-ahead log takes a while to be read."""

RETENTION = "100y"
META = "meta.json"


@contextmanager
def prometheus_on(directory: Path) -> Iterator[str]:
    """Run a Prometheus on a copy of a data directory, or of one block, and give its URL.

    Raises:
        ConfigError: there is nothing to read there, or no ``prometheus`` to read it with.
    """
    binary = shutil.which("prometheus")
    if binary is None:
        raise _problem(directory, "needs a prometheus on the PATH to read it with")
    with TemporaryDirectory(prefix="watchkeeper-backtest-") as folder:
        data = Path(folder) / "data"
        _copy(directory, data)
        empty = Path(folder) / "prometheus.yml"
        empty.write_text("{}\n", encoding="utf-8")
        url = f"http://127.0.0.1:{_free_port()}"
        command = [
            binary,
            f"--config.file={empty}",
            f"--storage.tsdb.path={data}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address={url.removeprefix('http://')}",
            "--query.max-samples=500000000",
            "--log.level=error",
        ]
        process = subprocess.Popen(command)
        try:
            _wait_ready(process, url, directory)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def newest_seconds(directory: Path) -> float | None:
    """Return the Unix time at which the newest block ends; None where there is none."""
    ends = [json.loads((one / META).read_text("utf-8"))["maxTime"] for one in blocks_in(directory)]
    return max(ends) / 1_000 if ends else None


def blocks_in(directory: Path) -> list[Path]:
    """Return the blocks of a data directory, or the directory itself when it is one."""
    if (directory / META).is_file():
        return [directory]
    return sorted(found.parent for found in directory.glob(f"*/{META}"))


def _copy(directory: Path, data: Path) -> None:
    blocks = blocks_in(directory)
    for block in blocks:
        shutil.copytree(block, data / block.resolve().name, copy_function=_link_or_copy)
    for name in ("wal", "chunks_head"):
        if (directory / name).is_dir():
            shutil.copytree(directory / name, data / name)
    if not data.exists():
        raise _problem(directory, "holds neither blocks nor a write-ahead log of Prometheus")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def _wait_ready(process: subprocess.Popen[bytes], url: str, directory: Path) -> None:
    client = PrometheusClient(url, timeout_seconds=5)
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not client.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise _problem(directory, "cannot be read by prometheus; what it says is above")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _problem(directory: Path, message: str) -> ConfigError:
    return ConfigError([Problem(str(directory), 0, "", message)])
