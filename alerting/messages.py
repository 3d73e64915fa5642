"""What a message knows: the incident as it stands, with what was done about it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from alerting import actions, incidents
from alerting.settings import AlertingSettings

MAX_ALERTS = 50
MAX_TIMELINE = 50
"""A message is a snapshot for people; the whole story is in the console."""


def compose(connection: Connection, incident_id: str, settings: AlertingSettings) -> dict[str, Any]:
    """Return the incident with its ``actions`` and ``url``, bounded in size."""
    incident = incidents.show(connection, incident_id)
    if incident is None:
        raise LookupError(f"no incident {incident_id}")
    firing_first = sorted(incident["alerts"], key=lambda alert: alert["status"] != "firing")
    return {
        **incident,
        "alerts": firing_first[:MAX_ALERTS],
        "timeline": incident["timeline"][-MAX_TIMELINE:],
        "actions": actions.of_incident(connection, incident_id),
        "url": settings.link(incident_id),
    }
