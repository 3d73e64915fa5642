"""The one sentence at the top: is anything wrong, and would we know?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.console.anomalies import Series
from dashboards.console.incidents import Incident
from dashboards.console.lights import Lamp, Light


@dataclass(frozen=True, slots=True)
class Verdict:
    """A light, a headline, and a sentence that goes on from it."""

    light: Light
    headline: str
    detail: str = ""


def reach(
    incidents: Sequence[Incident],
    *,
    incidents_known: bool,
    services: Sequence[Lamp],
    parts: Sequence[Lamp],
    unusual: Sequence[Series],
    judged: int,
) -> Verdict:
    """Return the verdict: known trouble first, then blindness, then oddities, then quiet."""
    if incidents:
        return _of_incidents(incidents)
    dark = [lamp.name for lamp in (*services, *parts) if lamp.light is Light.CRITICAL]
    if dark:
        return Verdict(Light.CRITICAL, _down(dark), "No incident is known for it yet.")
    if not incidents_known:
        return Verdict(Light.UNKNOWN, "Waiting for the first answers", "")
    impaired = [lamp.name for lamp in (*services, *parts) if lamp.light is not Light.GOOD]
    if impaired:
        return Verdict(Light.WARNING, f"Watching is impaired: {_names(impaired)}")
    return _without_trouble(unusual, judged)


def _without_trouble(unusual: Sequence[Series], judged: int) -> Verdict:
    if unusual:
        count = len(unusual)
        headline = f"{count} series unusual" if count > 1 else "One series is unusual"
        return Verdict(Light.WARNING, headline, "No incident is open.")
    if not judged:
        return Verdict(Light.GOOD, "No open incident", "No series is judged yet.")
    return Verdict(Light.GOOD, "All quiet", f"No open incident; {judged} series as usual.")


def _of_incidents(incidents: Sequence[Incident]) -> Verdict:
    worst = min(incidents, key=lambda one: (one.rank, -one.started_at.timestamp()))
    count = len(incidents)
    noun = "incident" if count == 1 else "incidents"
    critical = sum(incident.severity == "critical" for incident in incidents)
    share = f", {critical} critical" if critical and count > 1 else ""
    kind = "critical " if critical and count == 1 else ""
    light = Light.CRITICAL if critical else Light.WARNING
    return Verdict(light, f"{count} {kind}{noun} open{share}", worst.title)


def _down(names: Sequence[str]) -> str:
    return f"{_names(names)} {'is' if len(names) == 1 else 'are'} down"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
