"""What alerting says is going on, seen from outside and compared with what was known before."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from watchkeeper.clock import parse_rfc3339


class Source(Protocol):
    """Where incidents are read: alerting, or a test's own list."""

    def get(self, path: str, **parameters: str) -> Any:
        """Return the JSON at ``path``."""


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """One episode of one alert, as part of an incident."""

    incident_id: str
    fingerprint: str
    starts_at: str
    name: str
    labels: dict[str, str] = field(hash=False)
    annotations: dict[str, str] = field(hash=False)

    @property
    def detected_by(self) -> str:
        """``detector NAME`` for anomalies, ``rule NAME`` for everything else."""
        if self.name == "Anomaly":
            query = self.labels.get("query", "?")
            return f"detector {self.annotations.get('detector', '?')} ({query})"
        return f"rule {self.name}"


@dataclass(frozen=True, slots=True)
class View:
    """All incidents at one moment, as alerting's API gives them."""

    incidents: Sequence[dict[str, Any]]

    def alerts(self, services: Iterable[str] = ()) -> set[FiringAlert]:
        """Return every alert of every incident of ``services`` (of any, when none is named)."""
        wanted = frozenset(services)
        return {
            FiringAlert(
                incident["id"],
                alert["fingerprint"],
                alert["starts_at"],
                alert["labels"].get("alertname", ""),
                alert["labels"],
                alert.get("annotations", {}),
            )
            for incident in self.incidents
            for alert in incident.get("alerts", [])
            if not wanted or alert["labels"].get("service") in wanted
        }

    def is_quiet(self, services: Iterable[str] = ()) -> bool:
        """Return whether no incident of ``services`` is open."""
        wanted = frozenset(services)
        return not any(
            incident["status"] != "resolved" and (not wanted or incident.get("service") in wanted)
            for incident in self.incidents
        )

    def status_of(self, incident_id: str) -> str | None:
        """Return the status of one incident, or None when it is not (or no longer) listed."""
        return next((i["status"] for i in self.incidents if i["id"] == incident_id), None)

    def entries_since(
        self, moment: datetime, kind: str, incident_ids: Container[str]
    ) -> list[dict[str, Any]]:
        """Return timeline entries of ``kind`` at or after ``moment``, of these incidents."""
        return [
            entry
            for incident in self.incidents
            for entry in incident["timeline"]
            if incident["id"] in incident_ids
            and entry["kind"] == kind
            and parse_rfc3339(entry["at"]) >= moment
        ]


def read_view(alerting: Source) -> View:
    """Return the newest incidents; raise UpstreamError when alerting does not answer."""
    return View(alerting.get("/api/v1/incidents", limit="200")["incidents"])
