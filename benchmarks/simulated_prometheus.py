"""A real Prometheus that answers for any number of series and any time, from one sample each.

Each series is a phase; ``10 + sin(phase * time())`` is a different, noise-like value at every time.
"""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from watchkeeper.prometheus import PrometheusClient

EXPRESSION = "10 + sin(load_phase * time())"
LOOKBACK_HOURS = 60


def _samples(series: int, at_seconds: float) -> Iterator[str]:
    chance = random.Random(1)
    yield "# TYPE load_phase gauge\n"
    for at in range(series):
        host, unit = divmod(at, 50)
        labels = f'instance="host-{host}:9100",job="agent",service="load",unit="{unit}"'
        yield f"load_phase{{{labels}}} {chance.uniform(1, 2)!r} {at_seconds:.0f}\n"
    yield "# EOF\n"


@contextmanager
def simulated_prometheus(series: int) -> Iterator[tuple[PrometheusClient, psutil.Process]]:
    """Run it, and give a client and the process."""
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        source, data = directory / "samples.om", directory / "data"
        with source.open("w") as handle:
            handle.writelines(_samples(series, time.time() - (LOOKBACK_HOURS - 4) * 3_600))
        create = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(data)]
        subprocess.run(create, check=True, capture_output=True)
        options = (
            f"--query.lookback-delta={LOOKBACK_HOURS}h",
            "--storage.tsdb.retention.time=10y",
        )
        with running(directory, data, *options) as found:
            yield found


@contextmanager
def running(
    directory: Path, data: Path, *options: str
) -> Iterator[tuple[PrometheusClient, psutil.Process]]:
    """Run a Prometheus that scrapes nothing on a data directory; give a client and the process."""
    (directory / "prometheus.yml").write_text("global: {}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        shutil.which("prometheus") or "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--query.max-samples=500000000",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
        *options,
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        client = PrometheusClient(f"http://127.0.0.1:{port}", timeout_seconds=120)
        deadline = time.monotonic() + 60
        while not client.is_ready():
            if time.monotonic() > deadline:
                raise SystemExit("Prometheus did not become ready within 60 s")
            time.sleep(0.1)
        yield client, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)
