"""Which limits were forecast to be reached when the period ended, and how sure that was."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards import ahead
from dashboards.report.period import Period
from watchkeeper.prometheus import PrometheusClient


@dataclass(frozen=True, slots=True)
class LimitAhead:
    """One series that was forecast to reach its limit within the horizon.

    Attributes:
        forecast: its name in ``anomaly.yml``.
        series: its labels, as a selector.
        likely_seconds: half of the likely futures are at the limit by then.
        earliest_seconds: a tenth of them is.
        latest_seconds: nine tenths are; None where those reach beyond the horizon.
        warns: whether anomaly called it near and nearly sure.
    """

    forecast: str
    series: str
    likely_seconds: float
    earliest_seconds: float
    latest_seconds: float | None
    warns: bool


@dataclass(frozen=True, slots=True)
class Lookout:
    """What was looked ahead at: how many series in all, and those with a limit in sight."""

    looked_at: int = 0
    limits: tuple[LimitAhead, ...] = ()


Key = tuple[str, str]


def read(client: PrometheusClient, period: Period) -> Lookout:
    """Return what was forecast at the period's end, the nearest limit first."""

    def ask(expression: str) -> dict[Key, float]:
        found = client.query(expression, at=period.end)
        return {
            (one.labels.get("forecast", ""), one.labels.get("series", "")): one.value
            for one in found
        }

    likely, earliest, latest = (
        ask(ahead.time_to_limit(quantile, ahead.EVERY))
        for quantile in (ahead.LIKELY, ahead.EARLIEST, ahead.LATEST)
    )
    warning = ask(ahead.warnings(ahead.EVERY))
    limits = [
        LimitAhead(
            *key,
            likely_seconds=seconds,
            earliest_seconds=earliest.get(key, seconds),
            latest_seconds=_in_sight(latest.get(key)),
            warns=warning.get(key) == 1,
        )
        for key, seconds in likely.items()
        if _in_sight(seconds) is not None
    ]
    return Lookout(len(likely), tuple(sorted(limits, key=lambda one: one.likely_seconds)))


def _in_sight(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds < ahead.OUT_OF_SIGHT_SECONDS else None
