"""Detection quality on labelled series: writes the scores a benchmark's own scorer reads.

``--data`` is a folder with ``manifest.csv`` (``dataset, series, file, interval_s, n_metrics,
score_from_row``) and one CSV of samples a series. Each is run, sample by sample and in order,
through the very evaluation the service runs; labels are never read. Samples before
``score_from_row`` are history, as at a first start of the service.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd

from anomaly.chain import Verdict
from anomaly.evaluation import QueryEvaluation
from anomaly.panel import Block
from anomaly.settings import PersistenceSettings, QuerySettings

NAMES = {
    "envelope": "seasonal-envelope",
    "mad": "robust-zscore",
    "ar": "ridge-autoregression",
    "forest": "isolation-forest",
}
"""Short names for ``--detector``; any detector's own name is taken, too."""

DEFAULT_DETECTOR = "ensemble"
HISTORY_SECONDS = 28 * 86_400.0
MINIMUM_SAMPLES = 50
START_SECONDS = 1_500_000_000.0 - 1_500_000_000.0 % 86_400.0
"""Stands in where a source has no real times: spacing and order are all that is used."""


@dataclass(frozen=True, slots=True)
class File:
    """One series of the folder, of one metric or several."""

    dataset: str
    series: str
    path: Path
    interval_seconds: float
    score_from_row: int


def files_of(folder: Path) -> list[File]:
    """Return what the manifest lists, the largest first, so that no core waits at the end."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    rows.sort(key=lambda row: -int(row["n_rows"]) * (20 + int(row["n_metrics"])))
    return [
        File(
            row["dataset"],
            row["series"],
            folder / row["file"],
            float(row["interval_s"]),
            int(row["score_from_row"]),
        )
        for row in rows
    ]


def query_for(file: File, detector: str, metrics: int) -> QuerySettings:
    """Return the one configuration every series is judged with."""
    step = file.interval_seconds
    return QuerySettings(
        expression="benchmark",
        step=step,
        cadence=step,
        history=HISTORY_SECONDS,
        minimum_history=MINIMUM_SAMPLES * step,
        maximum_series=metrics,
        detector=detector,
        envelope="seasonal-envelope",
        group_by=("entity",) if metrics > 1 else (),
        persistence=PersistenceSettings(anomalous=1, of=1, normal=3),
    )


def judge(file: File, detector: str, out: Path) -> float:
    """Write the scores of one series and return the seconds its samples took."""
    frame = pd.read_csv(file.path)
    values = frame.iloc[:, 1:].to_numpy(dtype=np.float64).T
    keys = tuple((("entity", file.series), ("metric", name)) for name in frame.columns[1:])
    times = [START_SECONDS + at * file.interval_seconds for at in range(values.shape[1])]
    evaluation = QueryEvaluation(
        file.series,
        query_for(file, detector, len(keys)),
        live_after_seconds=times[file.score_from_row - 1],
    )
    scores = np.full(len(times), np.nan)
    alerts = np.zeros(len(times), dtype=np.int64)
    row = iter(range(len(times)))

    def keep(verdict: Verdict) -> None:
        at = next(row)
        known = verdict.scores[detector]
        scores[at] = np.fmax.reduce(known, initial=np.nan)
        alerts[at] = bool(verdict.turn.firing.any())

    started = time.process_time()
    evaluation.advance(Block(keys, times, values), told=keep)
    seconds = time.process_time() - started
    target = out / file.dataset / f"{file.series}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {"timestamp": frame.iloc[:, 0], "anomaly_score": scores, "is_alert": alerts}
    ).to_csv(target, index=False, float_format="%.6g")
    return seconds


def judge_all(files: Iterable[File], detector: str, out: Path) -> None:
    """Judge every series on all cores, telling progress."""
    files = list(files)
    started = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(judge, file, detector, out): file for file in files}
        for done, job in enumerate(as_completed(jobs), start=1):
            file, seconds = jobs[job], job.result()
            elapsed = time.monotonic() - started
            click.echo(
                f"{done:4d}/{len(files)}  {elapsed:6.0f} s  {file.dataset}/{file.series}"
                f"  ({seconds:.1f} s of CPU)",
                err=True,
            )


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--detector", default=DEFAULT_DETECTOR, show_default=True)
@click.option("--dataset", multiple=True, help="only these; repeatable")
def main(data: Path, out: Path, detector: str, dataset: tuple[str, ...]) -> None:
    """Judge every series of DATA with one detector and write OUT/<dataset>/<series>.csv."""
    wanted = [file for file in files_of(data) if not dataset or file.dataset in dataset]
    if not wanted:
        click.echo("no series of that name in the manifest", err=True)
        sys.exit(2)
    judge_all(wanted, NAMES.get(detector, detector), out)


if __name__ == "__main__":
    # One thread a process: the processes are what uses the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
