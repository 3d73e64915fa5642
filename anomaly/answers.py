"""The answer of a range query as arrays.

A day of ten thousand series is fourteen million samples. As objects of their own they would take
gigabytes and most of the time of a start, so the numbers are cut out of the answer and read as
numbers; what is left of it, the labels, is read as the JSON that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from anomaly.detectors import Floats
from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.prometheus import Labels, PrometheusClient, Series

_VALUES = b'"values":[['
"""A quote within a JSON string has a backslash before it, so labels cannot hold this."""

_TO_LIST = bytes.maketrans(b'"', b" ")

SERIES_AT_ONCE = 100
"""Numbers are objects for a moment before they are an array, and of so many series at a time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Samples of many series, one series after the other.

    Attributes:
        labels: of each series.
        counts: how many samples each has.
        times_seconds, values: of all samples, each series' oldest first.
    """

    labels: Sequence[Labels]
    counts: npt.NDArray[np.intp]
    times_seconds: Floats
    values: Floats

    @classmethod
    def of(cls, series: Sequence[Series]) -> Answer:
        """Return the same samples as arrays."""
        return cls(
            [one.labels for one in series],
            np.array([len(one.values) for one in series], dtype=np.intp),
            np.array([at for one in series for at in one.timestamps], dtype=np.float64),
            np.array([value for one in series for value in one.values], dtype=np.float64),
        )


class RangeClient:
    """Reads ranges from Prometheus, or anything that speaks its HTTP API.

    Args:
        client: asks, within its deadline.
    """

    def __init__(self, client: PrometheusClient) -> None:
        self._client = client

    def query_range(
        self, expression: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> Answer:
        """Evaluate ``expression`` from ``start`` to ``end``, both included, every step.

        Raises:
            UpstreamError: as ``PrometheusClient.query_range``.
        """
        content = self._client.range_content(
            expression, start=start, end=end, step_seconds=step_seconds
        )
        return answer_of(content)


def answer_of(content: bytes) -> Answer:
    """Return what a range query answered.

    Raises:
        UpstreamError: it is not the answer of one.
    """
    try:
        if _VALUES in content:
            return _cut(content)
        return Answer.of([_series_of(one) for one in orjson.loads(content)["data"]["result"]])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise UpstreamError(
            "expected the answer of a range query", reason=Reason.BAD_ANSWER
        ) from None


def _series_of(one: dict[str, Any]) -> Series:
    """Return a series of an answer that is spelt in another way, such as with spaces."""
    points = one.get("values", [])
    times, values = [float(point[0]) for point in points], [float(point[1]) for point in points]
    return Series(one["metric"], times, values)


def _cut(content: bytes) -> Answer:
    head, *rest = content.split(_VALUES)
    ends = [piece.index(b"]]") for piece in rest]
    numbers = [piece[:end] for piece, end in zip(rest, ends, strict=True)]
    left = [head, *(piece[end + 2 :] for piece, end in zip(rest, ends, strict=True))]
    found = orjson.loads(b'"values":[0]'.join(left))["data"]["result"]
    # A series with native histograms alone had nothing to cut out.
    labels = [one["metric"] for one in found if one.get("values") == [0]]
    counts = np.array([piece.count(b"[") + 1 for piece in numbers], dtype=np.intp)
    pieces = range(0, len(numbers), SERIES_AT_ONCE)
    pairs = np.concatenate([_numbers(numbers[at : at + SERIES_AT_ONCE]) for at in pieces])
    if len(labels) != len(numbers) or len(pairs) != 2 * counts.sum():
        raise ValueError
    return Answer(labels, counts, pairs[::2], pairs[1::2])


def _numbers(texts: Sequence[bytes]) -> Floats:
    """Return times and values of some series in turn; NaN and infinities are not JSON."""
    flat = b",".join(texts).translate(_TO_LIST, b"[]")
    try:
        return np.array(orjson.loads(b"[" + flat + b"]"), dtype=np.float64)
    except orjson.JSONDecodeError:
        return np.fromstring(flat, dtype=np.float64, sep=",")
