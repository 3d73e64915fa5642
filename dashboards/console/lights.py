"""The traffic lights: what is known to work, what is known not to, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from dashboards.console.incidents import Incident
from dashboards.console.reading import Reading
from dashboards.console.targets import Landscape, Target


class Light(StrEnum):
    """How something is, mildest first; unknown is never taken for good."""

    GOOD = "good"
    UNKNOWN = "unknown"
    WARNING = "warning"
    CRITICAL = "critical"


_WORST = list(Light)

WATCHKEEPER = "watchkeeper"
"""The service label of our own processes; they are shown by their readiness instead."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """One light: what it stands for, a word that says it without colour, and the reasons."""

    name: str
    light: Light
    word: str
    reasons: tuple[str, ...] = ()
    remedy: str = ""


def worst(lamps: Iterable[Lamp]) -> Light:
    """Return the worst light; good when there are none."""
    return max((lamp.light for lamp in lamps), key=_WORST.index, default=Light.GOOD)


def of_services(landscape: Reading[Landscape], open_incidents: Sequence[Incident]) -> list[Lamp]:
    """Return one lamp for each watched service, in the order of their names."""
    if landscape.value is None:
        return []
    targets = sorted(
        (target for target in landscape.value.targets if target.service != WATCHKEEPER),
        key=attrgetter("service", "job", "instance"),
    )
    return [
        _of_service(service, list(group), open_incidents, is_current=landscape.is_current)
        for service, group in groupby(targets, attrgetter("service"))
    ]


def _of_service(
    service: str, targets: list[Target], incidents: Sequence[Incident], *, is_current: bool
) -> Lamp:
    if not is_current:
        return Lamp(service, Light.UNKNOWN, "unknown", ("Prometheus cannot be asked",))
    down = [target for target in targets if not target.is_up]
    reasons = tuple(f"{target.job} {target.instance} is down" for target in down)
    if len(down) == len(targets):
        return Lamp(service, Light.CRITICAL, "down", reasons)
    up = f"{len(targets) - len(down)} of {len(targets)} up"
    troubles = [incident for incident in incidents if incident.service == service]
    if troubles:
        light = max((_light_of(incident) for incident in troubles), key=_WORST.index)
        word = f"{len(troubles)} incident{'s' if len(troubles) > 1 else ''}"
        return Lamp(service, light, word, (*reasons, up))
    if down:
        return Lamp(service, Light.WARNING, up, reasons)
    return Lamp(service, Light.GOOD, up)


def _light_of(incident: Incident) -> Light:
    return Light.CRITICAL if incident.severity == "critical" else Light.WARNING


def of_stores(landscape: Reading[Landscape]) -> list[Lamp]:
    """Return one lamp for each data store."""
    if landscape.value is None:
        return []
    stores = sorted(landscape.value.stores, key=attrgetter("kind", "server"))
    return [
        Lamp(f"{store.kind} {store.server}", Light.UNKNOWN, "unknown")
        if not landscape.is_current
        else Lamp(f"{store.kind} {store.server}", Light.GOOD, "answering")
        if store.is_up
        else Lamp(f"{store.kind} {store.server}", Light.CRITICAL, "not answering")
        for store in stores
    ]


def of_parts(
    parts: Mapping[str, Reading[dict[str, str]]], landscape: Reading[Landscape]
) -> list[Lamp]:
    """Return one lamp for each part of Watchkeeper and for the Prometheus it reads."""
    return [
        *(_of_part(name, reading) for name, reading in parts.items()),
        _of_prometheus(landscape),
    ]


def _of_part(name: str, reading: Reading[dict[str, str]]) -> Lamp:
    if not reading.asked:
        return Lamp(name, Light.UNKNOWN, "not asked yet")
    if reading.problem is not None:
        remedy = f"See its log; start it with: watchkeeper {name}"
        return Lamp(name, Light.CRITICAL, "down", (reading.problem,), remedy)
    reasons = tuple(f"{check}: {reason}" for check, reason in (reading.value or {}).items())
    return Lamp(name, Light.WARNING if reasons else Light.GOOD, _readiness(reasons), reasons)


def _readiness(reasons: tuple[str, ...]) -> str:
    return "not ready" if reasons else "ready"


def _of_prometheus(landscape: Reading[Landscape]) -> Lamp:
    if not landscape.asked:
        return Lamp("prometheus", Light.UNKNOWN, "not asked yet")
    if landscape.problem is not None:
        remedy = "Check that Prometheus runs and that WATCHKEEPER_PROMETHEUS_URL is right."
        return Lamp("prometheus", Light.CRITICAL, "down", (landscape.problem,), remedy)
    count = len(landscape.value.targets) if landscape.value else 0
    if count == 0:
        remedy = "Check the target files that Prometheus reads."
        return Lamp("prometheus", Light.WARNING, "watches nothing", (), remedy)
    return Lamp("prometheus", Light.GOOD, f"{count} targets")
