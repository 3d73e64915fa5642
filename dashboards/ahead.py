"""Limits that lie ahead: the forecasts of the anomaly service, as boards and the report ask them.

A board shows the forecasts whose names begin as the shipped ones about its things do, so that one
of somebody's own, called ``filesystem-backup``, stands on it too.
"""

from __future__ import annotations

from dashboards import silences
from dashboards.promql import largest, series, total
from dashboards.spec import Column, Query, Stat, Table, TimeSeries, Unit, rising
from watchkeeper.catalogue import anomaly

OUT_OF_SIGHT_SECONDS = round(anomaly.LONGEST_HORIZON_SECONDS)
"""Stands for a limit beyond the horizon, which has no number of its own."""

LIKELY, EARLIEST, LATEST = "0.5", "0.1", "0.9"
"""The quantiles anomaly tells: the share of likely futures that is at the limit by then."""

EVERY = ""
OF_HOSTS = 'forecast=~"(host|filesystem|memory|process)-.+"'
OF_DATABASES = 'forecast=~"(database|postgresql|mysql)-.+"'

_NONE_IN_SIGHT = "30 d stands for no limit within the forecast's horizon."


def time_to_limit(quantile: str, where: str) -> str:
    """Return the seconds until ``quantile`` of each series' futures is at its limit.

    Several replicas may forecast the same series: the soonest counts.
    """
    matching = f'{where}, quantile="{quantile}"' if where else f'quantile="{quantile}"'
    told = series(anomaly.FORECAST_TIME_TO_LIMIT, matching)
    return f"clamp_max(min by (forecast, series) ({told}), {OUT_OF_SIGHT_SECONDS})"


def warnings(where: str) -> str:
    """Return 1 for each series that is nearly sure to be at a limit soon, else 0."""
    return largest(series(anomaly.FORECAST_WARNING, where), by="forecast, series")


LIMITS_NEAR = Stat(
    title="Limits near",
    description="Series that nearly every likely future brings to a limit within the time their "
    "forecast warns of. Anything but 0 is work for the next hours.",
    queries=(Query(total(warnings(EVERY)), silence=silences.FORECAST),),
    thresholds=rising(warning=1),
    runbook="CapacityRunningOut",
)

NEAREST_LIMITS = TimeSeries(
    title="Time to the nearest limits",
    description="When half of the likely futures are at their limit, of the six nearest. A line "
    f"that falls faster than time passes is speeding up. {_NONE_IN_SIGHT}",
    queries=(
        Query(
            f"bottomk(6, {time_to_limit(LIKELY, EVERY)})",
            "{{forecast}} {{series}}",
            silence=silences.FORECAST,
        ),
    ),
    unit=Unit.SECONDS,
)


def limits_ahead(where: str) -> Table:
    """Return the table of what reaches its limit when, the soonest first."""
    return Table(
        title="Limits ahead",
        description="What is forecast to be full, and when: for half of the likely futures, for "
        "the earliest tenth, and for all but the latest tenth. A wide span is a guess; a narrow "
        f"one is a date. Of all that is watched, whatever is chosen above. {_NONE_IN_SIGHT}",
        queries=tuple(
            Query(time_to_limit(quantile, where), silence=silences.FORECAST)
            for quantile in (LIKELY, EARLIEST, LATEST)
        ),
        columns=(
            Column("Forecast", label="forecast"),
            Column("Series", label="series"),
            Column("Likely in", query=0, unit=Unit.SECONDS),
            Column("At the earliest", query=1, unit=Unit.SECONDS),
            Column("At the latest", query=2, unit=Unit.SECONDS),
        ),
        sort_by="Likely in",
        is_ascending=True,
        runbook="CapacityRunningOut",
    )
