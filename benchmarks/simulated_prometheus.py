"""A real Prometheus that answers for any number of series and any time, from one sample each.

Each series is a phase; ``10 + sin(phase * time())`` is a different, noise-like value at every time.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.local_prometheus import running
from watchkeeper.prometheus import PrometheusClient

MANY_SAMPLES = "--query.max-samples=500000000"
"""Enough for a day of every series in one question."""

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
            MANY_SAMPLES,
            f"--query.lookback-delta={LOOKBACK_HOURS}h",
            "--storage.tsdb.retention.time=10y",
        )
        with running(directory, data, *options) as found:
            yield found
