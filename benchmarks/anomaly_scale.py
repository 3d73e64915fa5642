"""How many series a core can judge, at what memory, and how late; beside what a user would write.

    python -m benchmarks.anomaly_scale --series N [--series M ...] [--json] [--quick]
        [--lag-minutes 30] [--warm-series N] [--only envelope,default,forest,warm,lag,loops]

A tick reads N series from a real Prometheus, judges and learns them, and writes /metrics as the
service does. Its cost is the CPU time of our process: reading and publishing over real ticks,
judging over as many ticks as hold every periodic refit. What Prometheus itself needs is apart.
Everything runs in a process of its own on one thread.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402  # after the number of threads is set
import psutil  # noqa: E402
from prometheus_client import CollectorRegistry, generate_latest  # noqa: E402

from anomaly.answers import RangeClient  # noqa: E402
from anomaly.evaluation import QueryEvaluation  # noqa: E402
from anomaly.metrics import SeriesCollector  # noqa: E402
from anomaly.panel import Block, SeriesKey  # noqa: E402
from anomaly.settings import AnomalySettings, PublishSettings, QuerySettings  # noqa: E402
from anomaly.source import grid_end_seconds, read_blocks  # noqa: E402
from anomaly.view import Overview, State  # noqa: E402
from benchmarks.figures import Results, json_option  # noqa: E402
from benchmarks.half_space_trees import HalfSpaceTrees  # noqa: E402
from benchmarks.recorded_prometheus import METRIC, recorded_prometheus  # noqa: E402
from benchmarks.simulated_prometheus import EXPRESSION, simulated_prometheus  # noqa: E402
from watchkeeper.check import config_file  # noqa: E402
from watchkeeper.configuration import load  # noqa: E402
from watchkeeper.memory import give_back_freed  # noqa: E402

STEP_SECONDS = 60.0
DAY_SAMPLES = 1_440
REAL_TICKS = 3
JUDGED_TICKS = 180
"""An eighth of a day: models are fitted again once in it, so its mean holds their share."""

PIECE_SAMPLES = 60
LOOP_SERIES = 40

KINDS: dict[str, dict[str, Any]] = {
    "envelope": {"detector": "seasonal-envelope"},
    "default": {},
    "forest": {"detector": "isolation-forest"},
}
"""What each changes in the shipped configuration, whose own detector is the default."""


PARTS = (*KINDS, "warm", "lag", "loops")
"""What can be measured by itself."""


def query_of(kind: str, series: int) -> QuerySettings:
    """Return the shipped configuration with one query, of one kind."""
    shipped = load(config_file("anomaly.yml", None), AnomalySettings).defaults
    return QuerySettings(
        **{**shipped, "expression": EXPRESSION, "maximum_series": series, **KINDS[kind]}
    )


def keys_of(series: int) -> tuple[SeriesKey, ...]:
    """Return the labels that the simulated Prometheus has."""
    return tuple(
        (
            ("instance", f"host-{at // 50}:9100"),
            ("job", "agent"),
            ("service", "load"),
            ("unit", str(at % 50)),
        )
        for at in range(series)
    )


class Feed:
    """Samples made in memory, one piece after the other, up to now."""

    def __init__(self, series: int, first_seconds: float) -> None:
        self._keys = keys_of(series)
        self._rng = np.random.default_rng(1)
        self._at = first_seconds

    def piece(self, samples: int) -> Block:
        """Return the next samples of all series."""
        values = 10 + self._rng.normal(size=(len(self._keys), samples))
        times = [self._at + at * STEP_SECONDS for at in range(samples)]
        self._at += samples * STEP_SECONDS
        return Block(self._keys, times, values)


class Shown:
    """What the collector of /metrics asks a runner for."""

    name = "load"

    def __init__(self, evaluation: QueryEvaluation) -> None:
        self.evaluation = evaluation

    def overview(self, publish: PublishSettings) -> Overview:
        """Return the query at a glance."""
        return self.evaluation.overview(time.time(), publish)


def cpu_of(work: Callable[[], object]) -> float:
    """Return the CPU seconds that a piece of work takes in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def advance(evaluation: QueryEvaluation, ticks: list[Block]) -> None:
    """Judge and learn the given ticks."""
    for tick in ticks:
        evaluation.advance(tick)


def learn(evaluation: QueryEvaluation, feed: Feed, samples: int) -> None:
    """Judge and learn so many samples of all series, telling of each quarter."""
    pieces = samples // PIECE_SAMPLES
    for done in range(1, pieces + 1):
        evaluation.advance(feed.piece(PIECE_SAMPLES))
        if done * 4 // pieces > (done - 1) * 4 // pieces:
            click.echo(f"    learned {done / pieces:.0%} of the history", err=True)


def judged(kind: str, series: int) -> dict[str, float]:
    """Return memory and CPU seconds of a tick, by stage."""
    now = grid_end_seconds(time.time(), STEP_SECONDS, 0.0)
    history = DAY_SAMPLES + PIECE_SAMPLES
    feed = Feed(series, now - (history + JUDGED_TICKS + REAL_TICKS) * STEP_SECONDS)
    gc.collect()
    before = psutil.Process().memory_info().rss
    evaluation = QueryEvaluation("load", query_of(kind, series))
    learn(evaluation, feed, history)
    ticks = [feed.piece(1) for _ in range(JUDGED_TICKS)]
    score = cpu_of(partial(advance, evaluation, ticks)) / JUDGED_TICKS
    ticks.clear()
    gc.collect()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    give_back_freed()  # as the service does every minute
    held = psutil.Process().memory_info().rss - before
    registry = CollectorRegistry()
    registry.register(SeriesCollector(lambda: [Shown(evaluation)], lambda: datetime.now(UTC)))  # type: ignore[list-item]
    publish = cpu_of(lambda: [generate_latest(registry) for _ in range(REAL_TICKS)]) / REAL_TICKS
    return {"score": score, "publish": publish, "bytes": held / series, "peak": peak / series}


def read(series: int) -> dict[str, float]:
    """Return CPU seconds of reading a tick, ours and Prometheus', and its wall time."""
    with simulated_prometheus(series) as (prometheus, server):
        client = RangeClient(prometheus)
        now = grid_end_seconds(time.time(), STEP_SECONDS, 0.0)

        def tick(at: float) -> None:
            for _ in read_blocks(
                client, EXPRESSION, start_seconds=at, end_seconds=at, step_seconds=STEP_SECONDS
            ):
                pass

        tick(now)
        earlier = [now - at * STEP_SECONDS for at in range(REAL_TICKS)]
        before, began = server.cpu_times(), time.monotonic()
        ours = cpu_of(lambda: list(map(tick, earlier)))
        wall, after = time.monotonic() - began, server.cpu_times()
    theirs = after.user + after.system - before.user - before.system
    return {"ours": ours / REAL_TICKS, "theirs": theirs / REAL_TICKS, "wall": wall / REAL_TICKS}


def warm_start(series: int) -> dict[str, float]:
    """Return what it takes from nothing to ready, reading a day that a Prometheus holds.

    Wall and CPU seconds of ours, and the CPU seconds of Prometheus beside it.
    """
    end = grid_end_seconds(time.time(), STEP_SECONDS, 0.0)
    times = [end - (DAY_SAMPLES - 1 - at) * STEP_SECONDS for at in range(DAY_SAMPLES)]
    with recorded_prometheus(keys_of(series), times) as (prometheus, server):
        evaluation = QueryEvaluation("load", query_of("default", series), live_after_seconds=end)
        before, began, cpu = server.cpu_times(), time.monotonic(), time.process_time()
        for block in read_blocks(
            RangeClient(prometheus),
            METRIC,
            start_seconds=times[0],
            end_seconds=end,
            step_seconds=STEP_SECONDS,
            progress=lambda ratio: click.echo(f"warm start: {ratio:.0%}", err=True),
        ):
            evaluation.advance(block)
        wall, ours, after = time.monotonic() - began, time.process_time() - cpu, server.cpu_times()
        ready = evaluation.overview(end, PublishSettings()).states[State.READY]
    if ready != series:
        raise SystemExit(f"{ready} of {series} series are ready after a warm start")
    theirs = after.user + after.system - before.user - before.system
    return {"wall": wall, "cpu": ours, "theirs": theirs}


def lags(series: int, minutes: float) -> dict[str, float]:
    """Return the 99th percentile of how old a sample is when its score is published.

    The service is as after a day of work, and has caught up before the first tick counts.
    """
    with simulated_prometheus(series) as (prometheus, _server):
        client = RangeClient(prometheus)
        evaluation = QueryEvaluation("load", query_of("default", series))
        begin = grid_end_seconds(time.time(), STEP_SECONDS, 0.0) - DAY_SAMPLES * STEP_SECONDS
        learn(evaluation, Feed(series, begin), DAY_SAMPLES)
        registry = CollectorRegistry()
        registry.register(SeriesCollector(lambda: [Shown(evaluation)], lambda: datetime.now(UTC)))  # type: ignore[list-item]

        def catch_up(due: float) -> None:
            for block in read_blocks(
                client,
                EXPRESSION,
                start_seconds=(evaluation.judged_until_seconds or begin) + STEP_SECONDS,
                end_seconds=due,
                step_seconds=STEP_SECONDS,
            ):
                evaluation.advance(block)
            generate_latest(registry)

        while evaluation.judged_until_seconds != (due := newest_due()):
            catch_up(due)
        found: list[float] = []
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until or not found:
            if evaluation.judged_until_seconds == (due := newest_due()):
                time.sleep(0.05)
                continue
            catch_up(due)
            found.append(time.time() - due)
    return {"p99": float(np.quantile(found, 0.99)), "ticks": float(len(found))}


def newest_due() -> float:
    """Return the Unix time of the newest sample there can be."""
    return grid_end_seconds(time.time(), STEP_SECONDS, 0.0)


def loop_of_forests() -> float:
    """Return the CPU seconds a series when each has a forest of its own, scored row by row."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415  # slow to import

    rng = np.random.default_rng(1)
    models = [IsolationForest(random_state=1).fit(rng.normal(size=(256, 1))) for _ in range(10)]
    row = rng.normal(size=(1, 1))
    return cpu_of(lambda: [model.score_samples(row) for model in models]) / len(models)


def loop_of_half_spaces() -> float:
    """Return the CPU seconds a series when each has half-space trees of its own."""
    rng = np.random.default_rng(1)
    models = [HalfSpaceTrees(at, 5.0, 15.0) for at in range(LOOP_SERIES)]
    rows = rng.normal(10, 1, size=(300, LOOP_SERIES)).tolist()

    def run() -> None:
        for row in rows:
            for model, value in zip(models, row, strict=True):
                model.score_then_learn(value)

    return cpu_of(run) / (len(rows) * LOOP_SERIES)


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run a measurement in a fresh process, so that none pays for another's memory."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def a_minute(series: int, cpu_seconds: float) -> float:
    """Return how many series a core judges in a minute."""
    return series * 60.0 / cpu_seconds


def measured(series: int, wanted: set[str]) -> dict[str, float]:
    """Return the figures at one number of series."""
    found: dict[str, float] = {}
    reading = alone(read, series)
    found["prometheus_cpu_microseconds_per_series"] = reading["theirs"] / series * 1e6
    found["read_cpu_microseconds_per_series"] = reading["ours"] / series * 1e6
    for kind in KINDS:
        if kind not in wanted:
            continue
        click.echo(f"{kind}: {series} series", err=True)
        cost = alone(judged, kind, series)
        total = reading["ours"] + cost["score"] + cost["publish"]
        found[f"{kind}_series_per_minute_per_core"] = a_minute(series, total)
        found[f"{kind}_score_cpu_microseconds_per_series"] = cost["score"] / series * 1e6
        found[f"{kind}_publish_cpu_microseconds_per_series"] = cost["publish"] / series * 1e6
        found[f"{kind}_bytes_per_series"] = cost["bytes"]
        found[f"{kind}_peak_bytes_per_series"] = cost["peak"]
    return found


@click.command()
@click.option("--series", "numbers", multiple=True, type=int, default=(10_000,), show_default=True)
@json_option
@click.option("--only", default=",".join(PARTS), show_default=True)
@click.option("--warm-series", type=int, help="Instead of the last of --series.")
@click.option("--lag-minutes", default=3.0, show_default=True)
@click.option("--quick", is_flag=True, help="1,000 series, and one tick of the lag.")
def main(
    numbers: tuple[int, ...],
    *,
    json_path: Path | None,
    only: str,
    warm_series: int | None,
    lag_minutes: float,
    quick: bool,
) -> None:
    """Measure; the figures of the last --series stand under the contract's names."""
    wanted = set(only.split(","))
    if unknown := wanted - set(PARTS):
        raise click.UsageError(f"no part {sorted(unknown)}; there are {', '.join(PARTS)}")
    if quick:
        numbers, lag_minutes = (1_000,), 0.0
    lag_series, warm_series = numbers[-1], warm_series or numbers[-1]
    figures: dict[str, float] = {}
    for series in numbers if wanted & set(KINDS) else ():
        found = measured(series, wanted)
        figures |= found
        if len(numbers) > 1:
            figures |= {f"{name}_at_{series}": value for name, value in found.items()}
    figures["series"] = float(numbers[-1])
    if "warm" in wanted:
        click.echo(f"warm start: {warm_series} series of a day", err=True)
        warm = alone(warm_start, warm_series)
        figures |= {
            "warm_start_series": float(warm_series),
            "warm_start_seconds": warm["wall"],
            "warm_start_cpu_seconds": warm["cpu"],
            "warm_start_prometheus_cpu_seconds": warm["theirs"],
        }
    if "lag" in wanted:
        click.echo(f"lag: {lag_series} series for {lag_minutes:g} minutes", err=True)
        lag = alone(lags, lag_series, lag_minutes)
        figures |= {"p99_lag_seconds": lag["p99"], "lag_ticks": lag["ticks"]}
        figures["lag_series"] = float(lag_series)
    if "loops" in wanted:
        figures["loop_forest_series_per_minute_per_core"] = 60.0 / alone(loop_of_forests)
        figures["half_space_series_per_minute_per_core"] = 60.0 / alone(loop_of_half_spaces)
    results = Results("many series")
    for name, value in figures.items():
        results.plain(name, [value])
    results.show()
    results.write(json_path)


if __name__ == "__main__":
    main()
