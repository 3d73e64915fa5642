"""What an answer of Prometheus' HTTP API says; anything else than that is a bad answer."""

from __future__ import annotations

import json
import reprlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from watchkeeper.errors import Reason, UpstreamError
from watchkeeper.http_session import elsewhere
from watchkeeper.outbound import Answer

Labels = dict[str, str]

MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, OSError)
"""What reading JSON of another shape raises, with times that are none."""

FARTHEST_SECONDS = 62_135_596_800
"""From 1970 to the year 1, where Python's calendar begins; it ends later than as far ahead."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value at one time: the answer of an instant query."""

    labels: Labels
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series over time: Unix seconds and values of equal length, oldest first."""

    labels: Labels
    timestamps: list[float]
    values: list[float]


def check_status(answer: Answer, url: str) -> None:
    """Raise UpstreamError with what the server says unless the status is a 2xx."""
    if not 200 <= answer.status < 300:
        _refuse(answer, _json_of(answer, url))


def data_of(answer: Answer, url: str) -> Any:
    """Return the ``data`` of an answer of ``url``.

    Raises:
        UpstreamError: it is none that succeeded.
    """
    body = _json_of(answer, url)
    succeeded = isinstance(body, dict) and body.get("status") == "success"
    if not succeeded or not 200 <= answer.status < 300:
        _refuse(answer, body)
    if "data" not in body:
        raise _unexpected(f"data from {url}", body)
    return body["data"]


def samples_of(data: Any, expression: str) -> list[Sample]:
    """Return a vector or scalar; see ``PrometheusClient.query``."""
    kind = data.get("resultType") if isinstance(data, dict) else None
    try:
        if kind == "scalar":
            return [_sample({}, data["result"])]
        if kind == "vector":
            items = _numeric(data["result"], "value", "histogram", expression)
            return [_sample(_labels(item), item["value"]) for item in items]
    except MALFORMED:
        raise _unexpected(f"samples of {expression!r}", data) from None
    raise _unexpected(f"a vector or scalar from {expression!r}", data)


def series_of(data: Any, expression: str) -> list[Series]:
    """Return a matrix; see ``PrometheusClient.query_range``."""
    try:
        items = _numeric(data["result"], "values", "histograms", expression)
        return [_series(_labels(item), item["values"]) for item in items]
    except MALFORMED:
        raise _unexpected(f"series of {expression!r}", data) from None


def _numeric(items: Any, numbers: str, histograms: str, expression: str) -> list[Any]:
    """Return the items that hold numbers, without those that hold native histograms alone."""
    if not isinstance(items, list):
        raise TypeError
    found = [item for item in items if numbers in item or histograms not in item]
    if items and not found:
        raise UpstreamError(
            f"expected numbers from {expression!r}, got native histograms; "
            "histogram_quantile, histogram_count or histogram_avg make numbers of them",
            reason=Reason.BAD_ANSWER,
        )
    return found


def _labels(item: Any) -> Labels:
    labels = item["metric"]
    if not isinstance(labels, dict) or not all(isinstance(one, str) for one in labels.values()):
        raise TypeError
    return labels


def _sample(labels: Labels, point: Any) -> Sample:
    at, value = point
    return Sample(labels, datetime.fromtimestamp(float(at), UTC), float(value))


def _series(labels: Labels, points: Any) -> Series:
    timestamps = [float(at) for at, _ in points]
    if not all(abs(at) < FARTHEST_SECONDS for at in timestamps):
        raise ValueError
    return Series(labels, timestamps, [float(value) for _, value in points])


def _json_of(answer: Answer, url: str) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        is_success = 200 <= answer.status < 300
        raise UpstreamError(
            f"{url} answered {answer.status} without JSON{elsewhere(answer)}",
            reason=Reason.BAD_ANSWER if is_success else Reason.HTTP_STATUS,
            status=answer.status,
        ) from None


def _refuse(answer: Answer, body: Any) -> None:
    detail = body.get("error", "no reason given") if isinstance(body, dict) else "not an object"
    is_its_own = 400 <= answer.status < 500 or 200 <= answer.status < 300
    raise UpstreamError(
        f"Prometheus refused the query ({answer.status}{elsewhere(answer)}): {detail}",
        reason=Reason.BAD_ANSWER if is_its_own else Reason.HTTP_STATUS,
        status=answer.status,
    )


def _unexpected(wanted: str, got: Any) -> UpstreamError:
    return UpstreamError(f"expected {wanted}, got {reprlib.repr(got)}", reason=Reason.BAD_ANSWER)
