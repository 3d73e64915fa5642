"""How often each detector alarms on time nobody labelled anomalous, beside what was configured.

Of each series of a folder as ``benchmarks.anomaly_quality`` reads, only what lies before
``score_from_row`` is used: the first part is history, the rest is judged as it would be live. What
was configured is one false alarm a series-week, less where samples are too far apart for that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from anomaly.calibration import WEEK_SECONDS, alarm_rate_of
from anomaly.detectors import DETECTORS, missing_extra
from anomaly.settings import Sensitivity
from benchmarks.anomaly_quality import Batch, File, batches_of, files_of, judged

HISTORY_RATIO = 0.6
SHORTEST_SAMPLES = 500
"""A series with less before ``score_from_row`` has no clean time to speak of."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What was observed, and what was configured, over some time."""

    alarms: int = 0
    anomalous_samples: int = 0
    samples: int = 0
    expected_samples: float = 0.0
    weeks: float = 0.0

    def __add__(self, other: Rate) -> Rate:
        return Rate(
            self.alarms + other.alarms,
            self.anomalous_samples + other.anomalous_samples,
            self.samples + other.samples,
            self.expected_samples + other.expected_samples,
            self.weeks + other.weeks,
        )


def clean_part(file: File) -> File:
    """Return what a file holds before its scored part, with a history of its own."""
    return replace(
        file, rows=file.score_from_row, score_from_row=int(HISTORY_RATIO * file.score_from_row)
    )


def rate_of(batch: Batch, detector: str) -> Rate:
    """Judge a batch and count."""
    found = judged(batch, detector)
    live = slice(batch.history, None)
    scores, alerts = found.scores[:, live], found.alerts[:, live]
    began = np.diff(alerts, axis=1, prepend=0) > 0
    samples = int(np.isfinite(scores).sum())
    step = batch.files[0].interval_seconds
    return Rate(
        alarms=int(began.sum()),
        anomalous_samples=int((scores > 1).sum()),
        samples=samples,
        expected_samples=samples * alarm_rate_of(Sensitivity.MEDIUM, step),
        weeks=samples * step / WEEK_SECONDS,
    )


def measured(batches: Iterable[Batch], detectors: Iterable[str]) -> dict[str, Rate]:
    """Return the rate of each detector over all batches, on all cores."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            (name, pool.submit(rate_of, batch, name)) for name in detectors for batch in batches
        ]
        found: dict[str, Rate] = {}
        for name, job in jobs:
            found[name] = found.get(name, Rate()) + job.result()
    return found


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--detector", multiple=True, help="only these; repeatable")
@click.option("--dataset", multiple=True, help="only these; repeatable")
def main(data: Path, detector: tuple[str, ...], dataset: tuple[str, ...]) -> None:
    """Print how often each detector alarms on the unlabelled history of the series of DATA."""
    files = [
        clean_part(file)
        for file in files_of(data)
        if file.score_from_row >= SHORTEST_SAMPLES and (not dataset or file.dataset in dataset)
    ]
    click.echo(f"{len(files)} series")
    names = detector or sorted(name for name in DETECTORS if not missing_extra(name))
    click.echo(
        "detector               weeks  alarms  alarms a week  samples > 1  configured  ratio"
    )
    for name, rate in measured(batches_of(files), names).items():
        click.echo(
            f"{name:20s} {rate.weeks:7.1f} {rate.alarms:7d} {rate.alarms / rate.weeks:12.2f}"
            f" {rate.anomalous_samples:12d} {rate.expected_samples:11.1f}"
            f" {rate.anomalous_samples / rate.expected_samples:6.2f}"
        )


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
