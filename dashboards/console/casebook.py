"""One incident with all that is known of it, asked for once for everybody who looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboards.console import incidents, work
from dashboards.console.incidents import Incident
from dashboards.console.reading import Reading, take
from dashboards.console.recent import Recent
from dashboards.console.work import Action
from watchkeeper.peers import Peer

FRESH_SECONDS = 2.0
"""How long what alerting said of an incident is shown to others too."""


class Casebook:
    """Incidents in full, and the actions that wait for somebody's word about them."""

    def __init__(self, alerting: Peer) -> None:
        self._alerting = alerting
        self._recent: Recent[Any] = Recent(FRESH_SECONDS)

    def find(
        self, incident_id: str, readings: Mapping[str, Reading[Any]], *, now: datetime
    ) -> tuple[Incident, str | None]:
        """Return an incident, and the problem when it is only as it was known before.

        Raises:
            UpstreamError: nothing is known of it, or there is none (status 404).
        """
        asked = take(lambda: self._ask(incident_id), now=now)
        if asked.value is not None:
            return asked.value, None
        lists = (readings["open"].value or [], readings["resolved"].value or [])
        known = next((one for found in lists for one in found if one.id == incident_id), None)
        return (known, asked.problem) if known else (self._ask(incident_id), None)

    def waiting(self, incident_id: str, *, now: datetime) -> Reading[list[Action]]:
        """Return the actions that wait for approval."""

        def ask() -> list[Action]:
            found: list[Action] = self._recent.get("actions", self._actions)
            return [action for action in found if action.awaits(incident_id)]

        return take(ask, now=now)

    def forget(self) -> None:
        """Ask anew from now on, since somebody did something."""
        self._recent.forget()

    def _ask(self, incident_id: str) -> Incident:
        found: Incident = self._recent.get(
            ("incident", incident_id), lambda: incidents.one(self._alerting, incident_id)
        )
        return found

    def _actions(self) -> list[Action]:
        return work.actions(self._alerting)
