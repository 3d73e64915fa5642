"""Where the samples of a backtest come from: a Prometheus, or a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import numpy as np

from anomaly.detectors import Floats
from anomaly.panel import Block, SeriesKey
from anomaly.settings import QuerySettings
from anomaly.source import RangeReader, grid_end_seconds, read_blocks
from watchkeeper.clock import parse_rfc3339
from watchkeeper.errors import ConfigError, Problem


def from_prometheus(
    reader: RangeReader,
    settings: QuerySettings,
    *,
    from_seconds: float,
    until_seconds: float,
    progress: Callable[[float], None] = lambda _ratio: None,
) -> Block:
    """Read a query's history, and the window before it that the service would have learned.

    Raises:
        UpstreamError: no usable answer.
    """
    step = settings.step
    first = grid_end_seconds(from_seconds, step, 0.0)
    start = first - settings.window_samples * step  # one whole window lies before what is judged
    end = grid_end_seconds(until_seconds, step, settings.late_data_delay)
    blocks = read_blocks(
        reader,
        settings.expression,
        start_seconds=start,
        end_seconds=end,
        step_seconds=step,
        progress=progress,
    )
    return joined(blocks)


def joined(blocks: Iterable[Block]) -> Block:
    """Return consecutive blocks as one; a series that a block lacks has gaps there."""
    pieces = list(blocks)
    rows: dict[SeriesKey, int] = {}
    for piece in pieces:
        for key in piece.keys:
            rows.setdefault(key, len(rows))
    times = [at for piece in pieces for at in piece.times_seconds]
    values = np.full((len(rows), len(times)), np.nan)
    column = 0
    for piece in pieces:
        width = len(piece.times_seconds)
        values[[rows[key] for key in piece.keys], column : column + width] = piece.values
        column += width
    return Block(tuple(rows), times, values)


def from_csv(path: Path, step_seconds: float | None = None) -> tuple[Block, float]:
    """Read ``timestamp`` and one column a series; return the samples and their step.

    Times are Unix seconds or RFC 3339, in any order and with gaps; each goes to the nearest point
    of the grid of steps, where the last line of the file wins. An empty cell is a missing sample.

    Args:
        step_seconds: the median distance of two times where it is not given.

    Raises:
        ConfigError: naming the line that cannot be read.
    """
    times, values, names = _read(path)
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    distances = np.diff(times)
    distances = distances[distances > 0]
    step = step_seconds or (float(np.median(distances)) if len(distances) else 60.0)
    columns = np.rint((times - times[0]) / step).astype(np.intp)
    grid = np.full((len(names), int(columns[-1]) + 1), np.nan)
    grid[:, columns] = values.T
    keys = tuple((("series", name),) for name in names)
    return Block(keys, [float(times[0]) + at * step for at in range(grid.shape[1])], grid), step


def _read(path: Path) -> tuple[Floats, Floats, list[str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        lines = list(csv.reader(handle))
    if len(lines) < 2 or len(lines[0]) < 2:
        problem = "expected a header, timestamp and one column a series, and at least one sample"
        raise ConfigError([Problem(str(path), 1, "", problem)])
    times, rows = [], []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(lines[0]):
            problem = f"expected {len(lines[0])} cells, got {len(line)}"
            raise ConfigError([Problem(str(path), number, "", problem)])
        try:
            times.append(seconds_of(line[0]))
            rows.append([float(cell) if cell.strip() else np.nan for cell in line[1:]])
        except ValueError as error:
            raise ConfigError([Problem(str(path), number, "", str(error))]) from None
    return np.array(times), np.array(rows), lines[0][1:]


def seconds_of(text: str) -> float:
    """Return the Unix time of a number of seconds or an RFC 3339 time; raise ValueError else."""
    try:
        return float(text)
    except ValueError:
        if "T" not in text and " " in text.strip():
            text = text.strip().replace(" ", "T", 1)
        moment = datetime.fromisoformat(text)
        return (parse_rfc3339(f"{text}Z") if moment.tzinfo is None else moment).timestamp()
