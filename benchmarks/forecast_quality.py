"""How good forecasts are: on real series against naive ones, and on disks that fill.

``--data`` is a folder as ``benchmarks.anomaly_quality`` reads. Its series of one metric are
averaged to a quarter of an hour, and every day after the third the product looks a day ahead from
the seven days before. The pinball loss of the 10 %, 50 % and 90 % paths is told as a share of that
of the last value repeated, the coverage is that of the bounds that should hold eight in ten times.

The disks are made: steady, with a rise and fall each day, noisy, cleaned up every night, and some
do not fill. Every two hours a capacity forecast is made as the preset for filesystems has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd

from anomaly.forecast.job import capacities
from anomaly.forecast.outlook import QUANTILES, Outlook, filled, look_ahead
from anomaly.forecast.settings import ForecastSettings
from anomaly.panel import Block
from anomaly.presets import forecasts_of
from benchmarks.anomaly_quality import File, files_of
from benchmarks.figures import Results, json_option

STEP_SECONDS = 900.0
DAY_SAMPLES = 96
HISTORY_SAMPLES = 7 * DAY_SAMPLES
FIRST_ORIGIN = 3 * DAY_SAMPLES
LATE_SECONDS = 4 * 3_600.0
"""A warning later than this before a disk is full is too late to be one."""

EVERY_SAMPLES = 8

CONTESTANTS: dict[str, tuple[tuple[str, ...], int]] = {
    "ours": (("seasonal-naive", "seasonal-drift", "holt-winters"), DAY_SAMPLES),
    "seasonal_naive": (("seasonal-naive",), DAY_SAMPLES),
    "holt_winters": (("holt-winters",), DAY_SAMPLES),
    "last_value": (("seasonal-naive",), 1),
}
"""Name to the forecasters and the period; all with the same conformal bounds."""


def quarters_of(file: File) -> np.ndarray:
    """Return the values of a series, averaged to a quarter of an hour."""
    values = pd.read_csv(file.path, nrows=file.rows).iloc[:, 1].to_numpy(dtype=np.float64)
    each = int(STEP_SECONDS / file.interval_seconds)
    whole = values[: len(values) // each * each].reshape(-1, each)
    with np.errstate(invalid="ignore"):
        return np.asarray(pd.DataFrame(whole).mean(axis=1))


def pinball(outlook: Outlook, came: np.ndarray) -> float:
    """Return the mean pinball loss over the quantiles and what came."""
    paths = (outlook.lower[0], outlook.median[0], outlook.upper[0])
    losses = []
    for quantile, path in zip(QUANTILES, paths, strict=True):
        apart = came - path
        losses.append(np.maximum(quantile * apart, (quantile - 1) * apart))
    return float(np.nanmean(losses))


def looked_ahead(values: np.ndarray, names: Sequence[str], period: int) -> tuple[float, float]:
    """Return mean pinball loss and coverage over the days of a series."""
    losses, inside = [], []
    for origin in range(FIRST_ORIGIN, len(values) - DAY_SAMPLES + 1, DAY_SAMPLES):
        known = values[None, max(0, origin - HISTORY_SAMPLES) : origin]
        came = values[origin : origin + DAY_SAMPLES]
        outlook = look_ahead(known, DAY_SAMPLES, period_samples=period, names=names)
        losses.append(pinball(outlook, came))
        told = np.isfinite(came) & np.isfinite(outlook.lower[0])
        within = (outlook.lower[0] <= came) & (came <= outlook.upper[0])
        inside.append(within[told].mean())
    return float(np.mean(losses)), float(np.mean(inside))


def real(files: Sequence[File], results: Results) -> None:
    """Measure on the series of a folder."""
    shares: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    coverage: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for done, file in enumerate(files, start=1):
        values = filled(quarters_of(file)[None, :])[0]
        found = {name: looked_ahead(values, *how) for name, how in CONTESTANTS.items()}
        for name, (loss, inside) in found.items():
            if found["last_value"][0] > 0:
                shares[name].append(loss / found["last_value"][0])
                coverage[name].append(inside)
        click.echo(f"{done}/{len(files)} {file.dataset} {file.series}", err=True)
    for name in CONTESTANTS:
        results.plain(f"{name}_pinball_of_last_value_ratio", [float(np.median(shares[name]))])
        results.plain(f"{name}_coverage_ratio", [float(np.mean(coverage[name]))])


def disks(count: int, *, seed: int = 20) -> np.ndarray:
    """Return the share in use of disks over twenty days; the first half fill up."""
    random = np.random.default_rng(seed)
    at = np.arange(20 * DAY_SAMPLES) / DAY_SAMPLES
    rows = []
    for number in range(count):
        growth = (
            random.uniform(0.03, 0.08) if number < count // 2 else random.uniform(-0.005, 0.005)
        )
        daily = random.uniform(0, 0.03) * np.sin(2 * np.pi * (at - random.uniform()))
        cleaned = -random.uniform(0, 0.03) * ((at % 1.0) < 0.25)
        noise = random.uniform(0, 0.005) * random.normal(size=len(at))
        rows.append(random.uniform(0.3, 0.5) + growth * at + daily + cleaned + noise)
    return np.clip(np.array(rows), 0.0, 1.0)


def capacity(count: int, results: Results) -> None:
    """Measure warnings on disks that fill, and on some that do not."""
    settings = ForecastSettings(**forecasts_of("host")["filesystem-full"])
    values = disks(count)
    full_at = np.where(
        (values >= settings.limit).any(axis=1), (values >= settings.limit).argmax(axis=1), -1
    )
    first = np.full(count, -1)
    errors: list[float] = []
    false_hours = hours = 0
    for origin in range(HISTORY_SAMPLES, values.shape[1], EVERY_SAMPLES):
        going = np.flatnonzero((full_at < 0) | (full_at > origin))
        samples = values[going, max(0, origin - HISTORY_SAMPLES) : origin]
        keys = tuple((("disk", str(number)),) for number in going.tolist())
        times = [STEP_SECONDS * at for at in range(samples.shape[1])]
        for one in capacities(Block(keys, times, samples), settings):
            number = int(one.key[0][1])
            left = (full_at[number] - origin + 1) * STEP_SECONDS if full_at[number] >= 0 else np.inf
            near = left <= 2 * settings.warn_within
            hours += not near
            false_hours += one.warns and not near
            if one.warns and near and first[number] < 0:
                first[number] = origin
            if 11 * 3_600 < left <= 12 * 3_600:
                errors.append(abs(min(one.seconds_to_limit[0.5], settings.horizon) - left) / left)
    fill = full_at >= HISTORY_SAMPLES
    early = (full_at - first) * STEP_SECONDS >= LATE_SECONDS
    results.plain("disks_that_filled", [float(fill.sum())])
    results.plain("warned_four_hours_before_ratio", [float((early & (first >= 0))[fill].mean())])
    lead = (full_at - first)[fill & (first >= 0)] * STEP_SECONDS / 3_600
    results.plain("median_hours_warned_before", [float(np.median(lead))])
    results.plain("false_warning_hours_ratio", [false_hours / max(1, hours)])
    results.plain("median_error_of_time_at_twelve_hours_ratio", [float(np.median(errors))])


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="real series, too")
@click.option("--quick", is_flag=True, help="few disks and the first five series")
@json_option
def main(data: Path | None, json_path: Path | None, *, quick: bool) -> None:
    """Print how good forecasts are."""
    results = Results("Forecasts")
    capacity(10 if quick else 60, results)
    if data is not None:
        files = [
            file
            for file in files_of(data)
            if file.metrics == 1
            and file.interval_seconds <= STEP_SECONDS
            and file.rows * file.interval_seconds >= 6 * 86_400
        ]
        real(files[:5] if quick else files, results)
    results.show()
    results.write(json_path)


if __name__ == "__main__":
    main()
