"""Series to judge, and a query's evaluation over them, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from anomaly.answers import Answer
from anomaly.evaluation import QueryEvaluation
from anomaly.panel import Block, SeriesKey
from anomaly.settings import QuerySettings
from watchkeeper.prometheus import Series

START_SECONDS = 1_750_000_000.0
STEP_SECONDS = 10.0


def query(**policy: Any) -> QuerySettings:
    """Return a query at a 10 s step that is ready after 20 samples.

    The simplest detector judges it: most of these tests are about what is done with a score.
    """
    return QuerySettings(
        **{
            "expression": "latency",
            "step": STEP_SECONDS,
            "cadence": STEP_SECONDS,
            "history": 300 * STEP_SECONDS,
            "minimum_history": 20 * STEP_SECONDS,
            "detector": "robust-zscore",
            "envelope": "robust-zscore",
            **policy,
        }
    )


def key(name: str) -> SeriesKey:
    """Return the identity of a series of one service."""
    return (("http_route", name), ("service", "taskboard"))


def noise(samples: int, *, level: float = 10.0, spread: float = 1.0, seed: int = 1) -> np.ndarray:
    """Return normal noise around a level."""
    return level + spread * np.random.default_rng(seed).normal(size=samples)


def block(rows: dict[str, np.ndarray], *, first: int = 0) -> Block:
    """Return samples of the named series, the first of them that many steps after the start."""
    values = np.array(list(rows.values()), dtype=np.float64)
    samples = values.shape[1] if rows else 0
    times = [START_SECONDS + (first + at) * STEP_SECONDS for at in range(samples)]
    return Block(tuple(key(name) for name in rows), times, values)


def time_of(sample: int) -> float:
    """Return the Unix time of a sample by its number."""
    return START_SECONDS + sample * STEP_SECONDS


def evaluated(values: np.ndarray, **policy: Any) -> QueryEvaluation:
    """Return an evaluation that has seen one series, ``/search``, of these values."""
    evaluation = QueryEvaluation("response-time", query(**policy))
    evaluation.advance(block({"/search": values}))
    return evaluation


def scores_of(evaluation: QueryEvaluation, name: str = "/search") -> np.ndarray:
    """Return the scores of a series over the trail, NaN where there is none."""
    view = next(view for view in evaluation.views(time_of(0)) if view.key == key(name))
    points = evaluation.points(view.id, 0.0)
    assert points is not None
    return np.array([np.nan if value is None else value for value in points["score"]])


def window_of(rows: np.ndarray) -> Callable[..., np.ndarray]:
    """Return what a detector may ask for the settled samples of some slots, or of all."""

    def window(slots: np.ndarray | slice = slice(None)) -> np.ndarray:
        return rows[slots].copy()

    return window


class Recorded:
    """Answers range reads from samples, as a Prometheus that holds them would."""

    def __init__(self, rows: dict[str, np.ndarray]) -> None:
        self.rows = rows

    def query_range(
        self,
        expression: str,  # noqa: ARG002  # there is one expression
        *,
        start: datetime,
        end: datetime,
        step_seconds: float,
    ) -> Answer:
        """Return the finite samples of every series between two times."""
        first = round((start.timestamp() - START_SECONDS) / step_seconds)
        last = round((end.timestamp() - START_SECONDS) / step_seconds)
        found = []
        for name, values in self.rows.items():
            known = [
                at for at in range(max(first, 0), last + 1)
                if at < len(values) and np.isfinite(values[at])
            ]  # fmt: skip
            times, numbers = [time_of(at) for at in known], [float(values[at]) for at in known]
            if known:
                found.append(Series(dict(key(name)), times, numbers))
        return Answer.of(found)
