"""A day of the demo in a Prometheus of its own: what a live demo holds, carried through a day.

Every series the live one has is there, with its labels and as many samples as a day of scrapes
gives it. Counters run at the rate they have in the live demo, gauges stay about where they are,
both with the tide of a day and some noise; what does not change there does not change here.
Instances that come and go in a real day do not.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from benchmarks.local_prometheus import running
from watchkeeper.prometheus import Labels, PrometheusClient

Values = npt.NDArray[np.float64]

BLOCK_SECONDS = 7_200
"""Prometheus' own block length; promtool reads its whole input once for each block it makes."""

APART = timedelta(minutes=2)
"""Between two looks at the live demo: enough for what changes to have changed."""

COUNTERS = re.compile(r"_(total|count|sum|bucket)$")
DAY_SECONDS = 86_400
TIDE_RATIO, NOISE_RATIO = 0.3, 0.05


@dataclass(frozen=True, slots=True)
class Source:
    """One series as the live demo has it: its selector, its value now, and its change a second."""

    name: str
    selector: str
    value: float
    change_per_second: float

    @property
    def is_counter(self) -> bool:
        """Whether it only grows."""
        return COUNTERS.search(self.name) is not None


def sources(client: PrometheusClient) -> list[Source]:
    """Return every series the live Prometheus has, with how each changed of late."""
    now = datetime.now(UTC)
    before = {_selector(one.labels): one.value for one in client.query(ALL, at=now - APART)}
    return [
        Source(
            one.labels["__name__"],
            selector,
            one.value,
            (one.value - before.get(selector, one.value)) / APART.total_seconds(),
        )
        for one in client.query(ALL, at=now)
        if (selector := _selector(one.labels))
    ]


ALL = '{__name__=~".+"}'


def _selector(labels: Labels) -> str:
    pairs = ",".join(
        f'{name}="{_escaped(value)}"' for name, value in labels.items() if name != "__name__"
    )
    return f"{labels['__name__']}{{{pairs}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def values_of(source: Source, at: Values, since: float, chance: np.random.Generator) -> Values:
    """Return the source's values at Unix seconds ``at`` of a day that began at ``since``."""
    change = source.change_per_second
    if not change or not np.isfinite(change):
        return np.full(at.shape, source.value)
    values = _grown(change, at, since) if source.is_counter else _wobbling(source, at, chance)
    return np.floor(values) if float(source.value).is_integer() else values


def _grown(change: float, at: Values, since: float) -> Values:
    """Return the integral of the tide: the buckets of a histogram never overtake each other."""
    turn = 2 * np.pi / DAY_SECONDS
    tide = (np.cos(turn * since) - np.cos(turn * at)) / turn
    grown: Values = abs(change) * (at - since + TIDE_RATIO * tide)
    return grown


def _wobbling(source: Source, at: Values, chance: np.random.Generator) -> Values:
    tide = TIDE_RATIO / 3 * np.sin(2 * np.pi * at / DAY_SECONDS)
    wobbling: Values = source.value * (1 + tide + chance.normal(0, NOISE_RATIO, at.shape))
    return wobbling


def write_block(
    path: Path, found: Sequence[Source], *, start: int, since: int, step_seconds: int
) -> None:
    """Write two hours of samples as OpenMetrics."""
    at = np.arange(start, start + BLOCK_SECONDS, step_seconds, dtype=np.float64)
    ends = [f" {moment:.0f}\n" for moment in at]
    chance = np.random.default_rng(start)
    with path.open("w", encoding="utf-8") as file:
        for source in found:
            values = values_of(source, at, since, chance).tolist()
            begin = source.selector + " "
            lines = [begin + _written(v) + end for v, end in zip(values, ends, strict=True)]
            file.write("".join(lines))
        file.write("# EOF\n")


def _written(value: float) -> str:
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(text := repr(value), text)


def build(data: Path, live: PrometheusClient, step_seconds: int) -> None:
    """Make the blocks of a day that ends now, with a sample every ``step_seconds``."""
    found, page = sources(live), data.parent / "block.om"
    end = int(time.time() // BLOCK_SECONDS * BLOCK_SECONDS)
    data.parent.mkdir(parents=True, exist_ok=True)
    for start in range(end - DAY_SECONDS, end, BLOCK_SECONDS):
        write_block(page, found, start=start, since=end - DAY_SECONDS, step_seconds=step_seconds)
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(page), str(data)]
        subprocess.run(command, check=True, capture_output=True)
        page.unlink()


def ends_at(data: Path) -> int:
    """Return the Unix second at which the day in ``data`` ends; 0 when there is none."""
    metas = [json.loads(path.read_text(encoding="utf-8")) for path in data.glob("*/meta.json")]
    return max((round(meta["maxTime"] / 1000) for meta in metas), default=0)


@contextmanager
def serving(data: Path) -> Iterator[tuple[PrometheusClient, psutil.Process]]:
    """Run a Prometheus on the blocks; give a client of it and its process."""
    with running(data.parent, data, "--storage.tsdb.retention.time=10y") as found:
        yield found
