"""Everything the first page shows, worked out from the readings at one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboards.console import changes, lights, verdict
from dashboards.console.anomalies import Query, Series
from dashboards.console.changes import Event
from dashboards.console.evidence import Evidence, evidence_of
from dashboards.console.incidents import Incident
from dashboards.console.lights import Lamp
from dashboards.console.reading import Reading
from dashboards.console.settings import ConsoleSettings
from dashboards.console.sources import parts_in
from dashboards.console.verdict import Verdict
from dashboards.console.work import Action, Switch
from dashboards.spec import Unit

IN_FULL = 6
"""Open incidents shown with their steps and story."""

EVENTS = 20
"""Changes shown at most; more than fit a screen help nobody."""


@dataclass(frozen=True, slots=True)
class Now:
    """The first page's content; readings tell their own problems."""

    verdict: Verdict
    open: Reading[list[Incident]]
    incidents: list[Incident]
    """Shown in full, worst first."""
    further: list[Incident]
    """Shown as a line each: in a storm the worst few tell the story."""
    resolved: list[Incident]
    series: Reading[list[Series]]
    unusual: list[Series]
    units: dict[str, Unit]
    unjudged: list[Query]
    watched: int
    warming: int
    services: list[Lamp]
    stores: list[Lamp]
    parts: list[Lamp]
    landscape: Reading[Any]
    events: list[Event]
    paused: bool | None
    in_flight: tuple[Action, ...]
    triggers: dict[str, Evidence]
    """The chart that shows why, by the id of an incident shown in full."""


def compose(
    readings: Mapping[str, Reading[Any]], settings: ConsoleSettings, *, now: datetime
) -> Now:
    """Return what the page shows ``now``."""
    incidents: Reading[list[Incident]] = readings["open"]
    series: Reading[list[Series]] = readings["series"]
    landscape = readings["landscape"]
    resolved: list[Incident] = readings["resolved"].value or []
    opened = sorted(incidents.value or [], key=lambda i: (i.rank, -i.started_at.timestamp()))
    unusual = [one for one in series.value or [] if one.is_unusual] if series.is_current else []
    services = lights.of_services(landscape, opened)
    lamps = lights.of_parts(parts_in(readings), landscape)
    stores = lights.of_stores(landscape)
    since = now - timedelta(seconds=settings.recent_seconds)
    switch: Reading[Switch] = readings["switch"]
    return Now(
        verdict=verdict.reach(
            opened,
            incidents_known=incidents.is_current,
            services=[*services, *stores],
            parts=lamps,
            unusual=unusual,
            judged=_count(series, "ready"),
        ),
        open=incidents,
        incidents=opened[:IN_FULL],
        further=opened[IN_FULL:],
        resolved=[one for one in resolved if one.resolved_at and one.resolved_at >= since],
        series=series,
        unusual=unusual[: settings.charts],
        units=units_of(readings),
        unjudged=[query for query in (readings["queries"].value or {}).values() if query.error],
        watched=_count(series, "ready"),
        warming=_count(series, "warming"),
        services=services,
        stores=stores,
        parts=lamps,
        landscape=landscape,
        events=changes.gather(
            landscape.value,
            [*opened, *resolved],
            now=now,
            recent_seconds=settings.recent_seconds,
        )[:EVENTS],
        paused=switch.value.paused if switch.is_current and switch.value else None,
        in_flight=switch.value.in_flight if switch.is_current and switch.value else (),
        triggers={
            incident.id: pieces[0]
            for incident in opened[:IN_FULL]
            if (pieces := evidence_of(incident, series.value or []))
        },
    )


def _count(series: Reading[list[Series]], state: str) -> int:
    return sum(one.state == state for one in series.value or [])


def units_of(readings: Mapping[str, Reading[Any]]) -> dict[str, Unit]:
    """Return the unit of each anomaly query's values by the query's name."""
    queries: dict[str, Query] = readings["queries"].value or {}
    return defaultdict(lambda: Unit.PLAIN, {name: query.unit for name, query in queries.items()})
