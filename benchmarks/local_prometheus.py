"""A Prometheus on this machine that scrapes nothing and answers from what it holds."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.ports import free_port
from watchkeeper.prometheus import PrometheusClient

READY_WITHIN_SECONDS = 120
ANSWERS_WITHIN_SECONDS = 120


@contextmanager
def running(
    directory: Path, data: Path, *options: str
) -> Iterator[tuple[PrometheusClient, psutil.Process]]:
    """Run it on a data directory; give a client of it and its process.

    Args:
        directory: for its configuration.
        options: of its command line.
    """
    configuration = directory / "prometheus.yml"
    configuration.write_text("global: {}\n", encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        shutil.which("prometheus") or "prometheus", f"--config.file={configuration}",
        f"--storage.tsdb.path={data}", f"--web.listen-address={address}", "--log.level=error",
        *options,
    ]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        client = PrometheusClient(f"http://{address}", timeout_seconds=ANSWERS_WITHIN_SECONDS)
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not client.is_ready():
            if time.monotonic() > deadline:
                raise SystemExit(f"Prometheus was not ready within {READY_WITHIN_SECONDS} s")
            time.sleep(0.1)
        yield client, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)
