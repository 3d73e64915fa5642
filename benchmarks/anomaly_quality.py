"""Detection quality on labelled series: writes the scores a benchmark's own scorer reads.

``--data`` is a folder with ``manifest.csv`` (``dataset, series, file, interval_s, n_metrics,
n_rows, score_from_row``) and one CSV of samples a series. They run, sample by sample and in order,
through the very evaluation the service runs; labels are never read. Samples before
``score_from_row`` are history, as at a first start of the service. Files of one data set, interval
and number of metrics are the series of one query, as the hosts of a fleet are; no score depends on
the values of another file.
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
from anomaly.panel import Block, SeriesKey
from anomaly.settings import PersistenceSettings, QuerySettings

NAMES = {
    "envelope": "seasonal-envelope",
    "mad": "robust-zscore",
    "ar": "ridge-autoregression",
    "forest": "isolation-forest",
    "lstm": "lstm-autoencoder",
    "peers": "peer-group",
}
"""Short names for ``--detector``; any detector's own name is taken, too."""

DEFAULT_DETECTOR = "ensemble"
HISTORY_SECONDS = 28 * 86_400.0
MINIMUM_SAMPLES = 50
START_SECONDS = 1_500_000_000.0 - 1_500_000_000.0 % 86_400.0
"""Stands in where a source has no real times: spacing and order are all that is used."""


Kind = tuple[str, float, int]


@dataclass(frozen=True, slots=True)
class File:
    """One series of the folder, of one metric or several."""

    dataset: str
    series: str
    path: Path
    interval_seconds: float
    metrics: int
    rows: int
    score_from_row: int

    @property
    def kind(self) -> Kind:
        """Return what files must share to be judged as the series of one query."""
        return self.dataset, self.interval_seconds, self.metrics


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that are judged together, as the series of one query.

    Their scored parts begin at the same sample; a shorter history begins later, as a series that
    appears later does.
    """

    files: tuple[File, ...]

    @property
    def history(self) -> int:
        """Return the samples before the scored parts."""
        return max(file.score_from_row for file in self.files)

    @property
    def samples(self) -> int:
        """Return the samples of the longest, with what lies before the others begin."""
        return max(self.start_of(file) + file.rows for file in self.files)

    def start_of(self, file: File) -> int:
        """Return the sample at which a file begins."""
        return self.history - file.score_from_row

    def columns_of(self, file: File) -> slice:
        """Return where the rows of a file lie."""
        return slice(self.start_of(file), self.start_of(file) + file.rows)

    def cost(self) -> float:
        """Return about how long it takes, in any unit."""
        return self.samples * (400.0 + sum(file.metrics for file in self.files))


def files_of(folder: Path) -> list[File]:
    """Return what the manifest lists."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        return [
            File(
                row["dataset"],
                row["series"],
                folder / row["file"],
                float(row["interval_s"]),
                int(row["n_metrics"]),
                int(row["n_rows"]),
                int(row["score_from_row"]),
            )
            for row in csv.DictReader(handle)
        ]


def batches_of(files: Iterable[File]) -> list[Batch]:
    """Return the files by kind, the dearest batch first, so that no core waits at the end."""
    by_kind: dict[Kind, list[File]] = {}
    for file in files:
        by_kind.setdefault(file.kind, []).append(file)
    return sorted((Batch(tuple(one)) for one in by_kind.values()), key=Batch.cost, reverse=True)


def query_for(batch: Batch, detector: str) -> QuerySettings:
    """Return the one configuration every series is judged with."""
    _, step, metrics = batch.files[0].kind
    return QuerySettings(
        expression="benchmark",
        step=step,
        cadence=step,
        history=HISTORY_SECONDS,
        minimum_history=MINIMUM_SAMPLES * step,
        maximum_series=sum(file.metrics for file in batch.files),
        detector=detector,
        envelope="seasonal-envelope",
        group_by=("entity",) if metrics > 1 else (),
        persistence=PersistenceSettings(anomalous=1, of=1, normal=3),
    )


class Judged:
    """The scores and alerts of a batch, a row a file, filled in as verdicts come."""

    def __init__(self, batch: Batch, evaluation: QueryEvaluation) -> None:
        self._batch = batch
        self._evaluation = evaluation
        self._row_of = {file.series: row for row, file in enumerate(batch.files)}
        shape = (len(batch.files), batch.samples)
        self.scores = np.full(shape, np.nan)
        self.alerts = np.zeros(shape, dtype=np.int64)
        self._slots = self._rows = np.empty(0, dtype=np.intp)
        self._generation = -1
        self._sample = 0

    def keep(self, verdict: Verdict) -> None:
        """Keep the most anomalous series of each file."""
        if self._generation != self._evaluation.generation:
            self._place()
        known = verdict.scores[self._evaluation.settings.detector][self._slots]
        np.fmax.at(self.scores[:, self._sample], self._rows, known)
        self.alerts[self._rows[verdict.turn.firing[self._slots]], self._sample] = 1
        self._sample += 1

    def _place(self) -> None:
        self._generation = self._evaluation.generation
        placed = self._evaluation.series_in
        self._slots = np.array(list(placed), dtype=np.intp)
        names = (dict(key)["entity"] for key in placed.values())
        self._rows = np.array([self._row_of[name] for name in names], dtype=np.intp)


def read(batch: Batch) -> Block:
    """Return the samples of all files of a batch."""
    values = np.full((sum(file.metrics for file in batch.files), batch.samples), np.nan)
    keys: list[SeriesKey] = []
    for file in batch.files:
        frame = pd.read_csv(file.path, nrows=file.rows).iloc[:, 1:]
        rows = slice(len(keys), len(keys) + file.metrics)
        values[rows, batch.columns_of(file)] = frame.to_numpy(dtype=np.float64).T
        keys += [(("entity", file.series), ("metric", name)) for name in frame.columns]
    step = batch.files[0].interval_seconds
    return Block(tuple(keys), [START_SECONDS + at * step for at in range(batch.samples)], values)


def judged(batch: Batch, detector: str) -> Judged:
    """Judge the samples of a batch in order."""
    samples = read(batch)
    evaluation = QueryEvaluation(
        "benchmark",
        query_for(batch, detector),
        live_after_seconds=samples.times_seconds[batch.history - 1],
    )
    found = Judged(batch, evaluation)
    evaluation.advance(samples, told=found.keep)
    return found


def judge(batch: Batch, detector: str, out: Path) -> float:
    """Write the scores of a batch and return the seconds of CPU they took."""
    started = time.process_time()
    found = judged(batch, detector)
    seconds = time.process_time() - started
    for row, file in enumerate(batch.files):
        columns = batch.columns_of(file)
        target = out / file.dataset / f"{file.series}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(
            {
                "timestamp": pd.read_csv(file.path, usecols=[0]).iloc[:, 0],
                "anomaly_score": found.scores[row, columns],
                "is_alert": found.alerts[row, columns],
            }
        ).to_csv(target, index=False, float_format="%.6g")
    return seconds


def judge_all(files: Iterable[File], detector: str, out: Path) -> None:
    """Judge every series on all cores, telling progress."""
    batches = batches_of(files)
    started = time.monotonic()
    total = 0.0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(judge, batch, detector, out): batch for batch in batches}
        for done, job in enumerate(as_completed(jobs), start=1):
            batch, seconds = jobs[job], job.result()
            total += seconds
            points = sum(file.rows for file in batch.files)
            click.echo(
                f"{done:3d}/{len(batches)}  {time.monotonic() - started:6.0f} s"
                f"  {batch.files[0].dataset}: {len(batch.files)} series of"
                f" {batch.files[0].metrics} metrics every {batch.files[0].interval_seconds:.0f} s,"
                f" {seconds:.0f} s of CPU, {1e6 * seconds / points:.0f} us a row",
                err=True,
            )
    click.echo(f"{total:.0f} s of CPU", err=True)


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
