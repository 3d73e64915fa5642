"""A real Prometheus that holds a day of many series, each sample of its own.

What ``simulated_prometheus`` computes for every question costs Prometheus more than most
expressions do. Here samples are written beforehand, by remote write, so that reading them back is
what it is after a day of scraping.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import psutil
import requests

from anomaly.panel import SeriesKey
from anomaly.remote_write.wire import HEADERS, delimited, snappy_block, varint
from benchmarks.local_prometheus import running
from benchmarks.simulated_prometheus import MANY_SAMPLES
from watchkeeper.prometheus import PrometheusClient

METRIC = "load_recorded"
SAMPLES_A_REQUEST = 10
SERIES_A_REQUEST = 10_000

Bytes = npt.NDArray[np.uint8]


@contextmanager
def recorded_prometheus(
    keys: Sequence[SeriesKey], times_seconds: Sequence[float]
) -> Iterator[tuple[PrometheusClient, psutil.Process]]:
    """Run it with noise around ten of every series at every time; give a client and the process.

    Values have three digits, as those of most gauges have few.
    """
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        receiving = "--web.enable-remote-write-receiver"
        with running(directory, directory / "data", MANY_SAMPLES, receiving) as (client, process):
            rng = np.random.default_rng(1)
            address = f"{client.base_url}/api/v1/write"
            for at in range(0, len(times_seconds), SAMPLES_A_REQUEST):
                times = times_seconds[at : at + SAMPLES_A_REQUEST]
                for first in range(0, len(keys), SERIES_A_REQUEST):
                    some = keys[first : first + SERIES_A_REQUEST]
                    values = np.round(10 + rng.normal(size=(len(some), len(times))), 3)
                    body = written(some, times, values)
                    requests.post(address, body, headers=HEADERS, timeout=120).raise_for_status()
            yield client, process


def written(
    keys: Sequence[SeriesKey], times_seconds: Sequence[float], values: npt.NDArray[np.float64]
) -> bytes:
    """Return the body that writes a matrix of samples, series x times."""
    rows = samples_of(times_seconds, values).tobytes()
    width = len(rows) // max(1, len(keys))
    return snappy_block(
        b"".join(
            delimited(1, labels_of(key) + rows[at * width : (at + 1) * width])
            for at, key in enumerate(keys)
        )
    )


def labels_of(key: SeriesKey) -> bytes:
    """Return the labels of a series as the protocol has them."""
    named = sorted([("__name__", METRIC), *key])
    return b"".join(
        delimited(1, delimited(1, name.encode()) + delimited(2, value.encode()))
        for name, value in named
    )


def samples_of(times_seconds: Sequence[float], values: npt.NDArray[np.float64]) -> Bytes:
    """Return the samples of every series as the protocol has them, series x times x bytes."""
    moments = [varint(round(at * 1_000)) for at in times_seconds]
    (width,) = {len(one) for one in moments}
    found: Bytes = np.empty((*values.shape, 12 + width), dtype=np.uint8)
    found[..., 0], found[..., 1] = 2 << 3 | 2, 10 + width
    found[..., 2], found[..., 11] = 0x09, 0x10
    found[..., 3:11] = values.astype("<f8")[..., None].view(np.uint8)
    found[..., 12:] = np.frombuffer(b"".join(moments), dtype=np.uint8).reshape(-1, width)
    return found
