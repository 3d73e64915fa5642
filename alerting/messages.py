"""What a message knows: the incident as it stands, with what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from alerting import actions, incident_view
from alerting.settings import AlertingSettings

MAX_PARTS = 20
"""Alerts and timeline entries in a message; the whole story is in the console."""


def compose(
    connection: Connection, incident_ids: Sequence[str], settings: AlertingSettings
) -> dict[str, dict[str, Any]]:
    """Return incidents by id, each with its ``actions`` and ``url``, bounded in size."""
    done = actions.of_incidents(connection, incident_ids)
    shown = incident_view.show_all(connection, incident_ids, parts=MAX_PARTS)
    return {
        incident_id: {**incident, "actions": done[incident_id], "url": settings.link(incident_id)}
        for incident_id, incident in shown.items()
    }
