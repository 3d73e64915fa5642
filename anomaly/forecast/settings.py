"""What ``anomaly.yml`` may say of a forecast: a quantity, its limit, and how far to look."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from anomaly.season import SeasonKind
from watchkeeper.catalogue.anomaly import LONGEST_HORIZON_SECONDS
from watchkeeper.configuration import DurationSeconds, Settings

PositiveSeconds = Annotated[DurationSeconds, Field(gt=0)]


class Side(StrEnum):
    """From where a quantity comes to its limit."""

    RISES = "rises"
    FALLS = "falls"


class ForecastSettings(Settings):
    """One PromQL query whose series must not reach a limit.

    Attributes:
        expression: PromQL giving one value a series.
        summary: of the alert: what reaches its limit.
        limit: in the unit of the expression; ``comes`` says from which side it is reached.
        step: spacing of the samples that are looked at, and of those that are forecast.
        history: how far back is read.
        horizon: how far ahead is looked, and never further than half of what a series has shown.
        every: how often; ``budget`` is the time it may take.
        warn_within: how near the limit has to be for a warning.
        season: what repeats itself; ``auto`` is daily.
    """

    expression: Annotated[str, Field(min_length=1)]
    summary: str = ""
    limit: float
    comes: Side = Side.RISES
    step: PositiveSeconds = 900.0
    history: PositiveSeconds = 7 * 86_400.0
    horizon: PositiveSeconds = 3 * 86_400.0
    every: PositiveSeconds = 900.0
    budget: PositiveSeconds = 60.0
    warn_within: PositiveSeconds = 86_400.0
    season: SeasonKind = SeasonKind.AUTO
    maximum_series: Annotated[int, Field(ge=1)] = 500

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.warn_within > self.horizon:
            raise ValueError("expected warn_within to be at most horizon")
        if self.horizon >= LONGEST_HORIZON_SECONDS:
            raise ValueError("expected horizon to be less than 30 d")
        if self.horizon > self.history:
            raise ValueError("expected horizon to be at most history")
        if self.step > self.horizon:
            raise ValueError("expected step to be at most horizon")
        return self

    @property
    def horizon_samples(self) -> int:
        """Return how many samples ahead are forecast."""
        return max(1, int(self.horizon / self.step))

    @property
    def period_samples(self) -> int:
        """Return after how many samples series repeat themselves, 1 for never."""
        seconds = {SeasonKind.NONE: 0.0, SeasonKind.WEEKLY: 7 * 86_400.0}
        return max(1, round(seconds.get(self.season, 86_400.0) / self.step))
