"""What ``anomaly.yml`` may say: the queries, and the policy of each."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from anomaly.detectors import DETECTORS, ENVELOPES, missing_extra
from anomaly.forecast.settings import ForecastSettings
from anomaly.presets import PRESETS, forecasts_of, queries_of
from anomaly.quiet_times import QuietTime
from anomaly.remote_write.settings import RemoteWriteSettings
from anomaly.season import SeasonKind
from watchkeeper.configuration import DurationSeconds, Secret, Settings

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

PositiveSeconds = Annotated[DurationSeconds, Field(gt=0)]
Ratio = Annotated[float, Field(ge=0)]


class Sensitivity(StrEnum):
    """How rare a clean sample must be to be called anomalous."""

    VERY_HIGH = "very-high"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Direction(StrEnum):
    """Which side of the band matters."""

    ABOVE = "above"
    BELOW = "below"
    BOTH = "both"


class MinimumDeviation(Settings):
    """How far from the expected value a sample must be to matter to people.

    Both have to be exceeded. ``relative`` is a share of the expected value: 0.5 is 50 %.
    """

    absolute: Ratio = 0.0
    relative: Ratio = 0.0


class ValidRange(Settings):
    """Values outside are treated as missing: they are neither scored nor learned."""

    minimum: float | None = None
    maximum: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if None not in (self.minimum, self.maximum) and self.minimum > self.maximum:  # type: ignore[operator]
            raise ValueError("expected minimum to be at most maximum")
        return self


class PersistenceSettings(Settings):
    """An episode begins with ``anomalous`` of the last ``of`` samples, ends after ``normal``.

    ``keep_firing`` holds it open at least that long after its last anomalous sample.
    """

    anomalous: Annotated[int, Field(ge=1, le=32)] = 3
    of: Annotated[int, Field(ge=1, le=32)] = 5
    normal: Annotated[int, Field(ge=1)] = 5
    keep_firing: Annotated[DurationSeconds, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.anomalous > self.of:
            raise ValueError(f"expected anomalous ({self.anomalous}) to be at most of ({self.of})")
        return self


class QuerySettings(Settings):
    """One PromQL query and how its series are judged.

    Attributes:
        expression: PromQL giving one value a series; counters go through rate() here.
        step: spacing of the samples.
        cadence: how often new samples are read.
        history: what is read and learned from when the service starts, and held in memory.
        minimum_history: learned time before a series is ready; until then it is warming.
        late_data_delay: samples younger than this are not read yet, so no open bucket is scored.
        stale_after, absent_after: how long without a sample a series is stale, then absent.
        tell_absence: whether a series that is absent is something to alert on, by
            ``anomaly_missing`` and the rule on it; where series come and go it is not.
        detector: the one in force; ``challengers`` are scored and shown but never alert.
        contenders: detectors that may take the place of ``detector`` when they do better in a trial
            on the query's own history, held every ``trial_every`` within ``trial_budget`` of time.
            Without any, ``detector`` is pinned.
        group_by: labels of an entity, such as a host. Its series are then judged together: each
            shows the score of the whole, and alerts when its own deviation matters, too.
        envelope: gives the expected value and the band, whichever detector scores.
        season: what repeats itself; ``timezone`` says on whose clocks.
        calendar: times known beforehand that alert nobody and teach nothing.
        labels: added to the alerts, for example a ``service`` the series do not carry.
    """

    expression: Annotated[str, Field(min_length=1)]
    summary: str = ""
    runbook: str = ""
    step: PositiveSeconds = 60.0
    cadence: PositiveSeconds = 60.0
    history: PositiveSeconds = 86_400.0
    minimum_history: PositiveSeconds = 3_600.0
    late_data_delay: Annotated[DurationSeconds, Field(ge=0)] = 0.0
    stale_after: PositiveSeconds | None = None
    absent_after: PositiveSeconds | None = None
    tell_absence: bool = False
    direction: Direction = Direction.BOTH
    minimum_deviation: MinimumDeviation = MinimumDeviation()
    valid_range: ValidRange = ValidRange()
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    persistence: PersistenceSettings = PersistenceSettings()
    maximum_series: Annotated[int, Field(ge=1)] = 1_000
    detector: str = "ensemble"
    challengers: tuple[str, ...] = ()
    contenders: tuple[str, ...] = ()
    trial_every: PositiveSeconds = 86_400.0
    trial_budget: PositiveSeconds = 300.0
    group_by: tuple[str, ...] = ()
    envelope: str = "seasonal-envelope"
    season: SeasonKind = SeasonKind.AUTO
    timezone: str = "UTC"
    calendar: tuple[QuietTime, ...] = ()
    severity: Literal["critical", "warning", "info"] = "warning"
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("detector", "challengers", "contenders", "envelope")
    @classmethod
    def _known(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for name in (value,) if isinstance(value, str) else value:
            if name not in DETECTORS:
                raise ValueError(f"unknown detector {name!r}; expected one of {sorted(DETECTORS)}")
            if extra := missing_extra(name):
                raise ValueError(
                    f"detector {name!r} needs the extra {extra!r}:"
                    f" pip install 'watchkeeper-stack[{extra}]'"
                )
        return value

    @field_validator("timezone")
    @classmethod
    def _zoned(cls, name: str) -> str:
        if name != "UTC":
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError(
                    f"expected a timezone such as Europe/Berlin, got {name!r}"
                ) from None
        return name

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.envelope not in ENVELOPES:
            raise ValueError(f"{self.envelope!r} gives no band; expected one of {ENVELOPES}")
        if self.minimum_history > self.history:
            raise ValueError("expected minimum_history to be at most history")
        if self.step > self.cadence:
            raise ValueError("expected cadence to be at least step")
        if self.stale_seconds > self.absent_seconds:
            raise ValueError("expected stale_after to be at most absent_after")
        return self

    @property
    def window_samples(self) -> int:
        """Return how many samples the history holds."""
        return max(1, int(self.history / self.step))

    @property
    def stale_seconds(self) -> float:
        """Return how long without a sample a series becomes stale: three cadences by default."""
        return self.stale_after or 3 * self.cadence

    @property
    def absent_seconds(self) -> float:
        """Return how long without a sample a series becomes absent: 5 min or ten cadences."""
        return self.absent_after or max(300.0, 10 * self.cadence)


class AlertSettings(Settings):
    """Where anomaly alerts go; ``url`` is our own alerting, or any Alertmanager."""

    url: str | None = None
    resend: PositiveSeconds = 15.0
    keep_resolved: PositiveSeconds = 300.0


class PublishSettings(Settings):
    """How much of each query is shown on /metrics.

    A query with more than ``all_up_to`` series shows those that alert or score at least ``floor``,
    the highest first and at most ``all_up_to`` of them.
    """

    all_up_to: Annotated[int, Field(ge=0)] = 2_000
    floor: Ratio = 0.8


class ScaleOutSettings(Settings):
    """Several replicas that share the series; all are configured alike.

    Attributes:
        database: URL of the PostgreSQL they share.
        shards: into how many parts the series are cut; at least as many as there are replicas.
        lease: how long the shards of a replica that died stay unjudged.
    """

    database: Secret
    shards: Annotated[int, Field(ge=1, le=1_024)] = 16
    lease: PositiveSeconds = 30.0


class AnomalySettings(Settings):
    """The whole file.

    ``remember`` is how long episodes and trials are kept.
    ``defaults`` stands in every query that does not say otherwise, ``presets`` brings queries that
    ``queries`` may change, and forecasts that ``forecasts`` may. A file with none of the three is
    refused: it would end every episode and judge nothing, which only ``queries: {}`` says.
    """

    defaults: dict[str, Any] = Field(default_factory=dict)
    alerts: AlertSettings = AlertSettings()
    publish: PublishSettings = PublishSettings()
    scale_out: ScaleOutSettings | None = None
    remote_write: RemoteWriteSettings | None = None
    remember: PositiveSeconds = 90 * 86_400.0
    query_timeout: PositiveSeconds = 10.0
    presets: tuple[str, ...] = ()
    queries: dict[str, QuerySettings] = Field(default_factory=dict)
    forecasts: dict[str, ForecastSettings] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        defaults, own = data.get("defaults") or {}, data.get("queries") or {}
        forecasts, presets = data.get("forecasts") or {}, data.get("presets") or ()
        parts = (defaults, own, forecasts)
        if not (all(isinstance(part, dict) for part in parts) and _known(presets)):
            return data
        brought = {name: one for preset in presets for name, one in queries_of(preset).items()}
        ahead = {name: one for preset in presets for name, one in forecasts_of(preset).items()}
        found = {
            "queries": _laid_over(brought, own, defaults),
            "forecasts": _laid_over(ahead, forecasts, {}),
        }
        # A key with nothing beneath it is a slip, and as good as not there.
        said = {key: value for key, value in data.items() if value is not None or key not in found}
        return said | {key: one for key, one in found.items() if one}

    @model_validator(mode="after")
    def _judges_something(self) -> Self:
        if not (self.queries or self.forecasts or {"queries", "presets"} & self.model_fields_set):
            raise ValueError(
                f"nothing to judge: expected presets, such as {list(PRESETS)}, or queries;"
                " a file that is to judge nothing says `queries: {}`"
            )
        return self

    @field_validator("presets")
    @classmethod
    def _are_known(cls, presets: tuple[str, ...]) -> tuple[str, ...]:
        for preset in presets:
            if preset not in PRESETS:
                raise ValueError(f"unknown preset {preset!r}; expected one of {list(PRESETS)}")
        return presets

    @field_validator("queries", "forecasts")
    @classmethod
    def _named(cls, named: dict[str, Settings]) -> dict[str, Settings]:
        for name in named:
            if not _NAME.fullmatch(name):
                raise ValueError(f"query name {name!r}: expected words such as response-time")
        return named


def _laid_over(
    brought: dict[str, Any], own: dict[str, Any], defaults: dict[str, Any]
) -> dict[str, Any]:
    """Return what presets bring with what the file says of it, key by key."""
    return {
        name: {**defaults, **brought.get(name, {}), **one} if isinstance(one, dict) else one
        for name, one in (brought | own).items()
    }


def _known(presets: Any) -> bool:
    # Looked up one by one: an entry may be a mapping, which no set can hold.
    return isinstance(presets, list | tuple) and all(preset in PRESETS for preset in presets)
