"""Series as the anomaly service tells them."""

from __future__ import annotations

from typing import Self
from urllib.parse import quote

from pydantic import AwareDatetime, Field, model_validator

from dashboards.console.answers import Answer, field, read
from dashboards.console.units import measured_in
from dashboards.spec import Unit
from watchkeeper.peers import Peer


class Points(Answer):
    """A series over time: equal-length lists, null where unknown."""

    timestamps: tuple[float, ...] = ()
    actual: tuple[float | None, ...] = ()
    expected: tuple[float | None, ...] = ()
    lower: tuple[float | None, ...] = ()
    upper: tuple[float | None, ...] = ()
    score: tuple[float | None, ...] = ()

    @model_validator(mode="after")
    def _be_of_one_length(self) -> Self:
        lists = (self.actual, self.expected, self.lower, self.upper)
        if any(len(values) != len(self.timestamps) for values in lists):
            raise ValueError("expected as many values as timestamps")
        return self


class Series(Answer):
    """One watched series; ``state`` is warming, ready, stale or absent."""

    id: str
    query: str
    labels: dict[str, str] = Field(default_factory=dict)
    state: str
    score: float | None = None
    actual: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    alerting: bool = False
    detector: str | None = None
    since: AwareDatetime | None = None
    points: Points | None = None

    @property
    def is_unusual(self) -> bool:
        """Whether it is worth drawing: an alert is being sent, or its score is above 1."""
        return self.alerting or (
            self.state == "ready" and self.score is not None and self.score > 1
        )

    @property
    def name(self) -> str:
        """Its labels in words, without the metric's name."""
        return ", ".join(f"{k}={v}" for k, v in sorted(self.labels.items()) if k != "__name__")


class Query(Answer):
    """One query whose series are watched; ``error`` says why it is not being judged."""

    name: str
    expression: str = ""
    detector: str | None = None
    state: str = ""
    series: int | None = None
    error: str | None = None

    @property
    def unit(self) -> Unit:
        """The unit of its values, when its expression makes that clear."""
        return measured_in(self.expression)


def queries(anomaly: Peer) -> dict[str, Query]:
    """Return the configured queries by name."""
    found = field(anomaly.get("/api/v1/queries"), "queries", part="anomaly")
    return {query.name: query for query in read(list[Query], found, part="anomaly")}


def listed(anomaly: Peer) -> list[Series]:
    """Return every watched series, most anomalous first."""
    found = field(anomaly.get("/api/v1/series"), "series", part="anomaly")
    return read(list[Series], found, part="anomaly")


def one(anomaly: Peer, series_id: str, *, minutes: int) -> Series:
    """Return one series with its points; raise UpstreamError with status 404 for an unknown id."""
    path = f"/api/v1/series/{quote(series_id, safe='')}"
    return read(Series, anomaly.get(path, minutes=str(minutes)), part="anomaly")
