"""What people do about an incident: take it, note what they learn, hush it, dismiss it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import (
    anomaly_feedback,
    audit,
    incidents,
    messages,
    outbox,
    silences,
    tables,
    timeline,
)
from alerting.matchers import Matcher
from alerting.outbox import Envelope
from alerting.person import proven
from alerting.pipeline import Event, Occurrence, Work
from alerting.silences import Silence
from alerting.stages.notify import tell
from alerting.stages.route import receivers_of
from alerting.timeline import Kind
from watchkeeper.clock import format_rfc3339
from watchkeeper.errors import Refused

_incidents = tables.incidents
_members = tables.incident_alerts


class UnknownIncident(Refused):
    """An incident was named that does not exist."""


def acknowledge(incident_id: str, *, by: str, text: str, work: Work) -> None:
    """Note that a person has taken the incident; until it resolves, updates wake nobody.

    Raises:
        UnknownIncident: there is none with this id.
        Refused: it is resolved, or somebody has taken it already.
    """
    row = _open_one(work.connection, incident_id)
    if row.acknowledged_at is not None:
        raise Refused(f"incident {incident_id} was acknowledged by {row.acknowledged_by} already")
    _set(
        work.connection,
        incident_id,
        acknowledged_at=work.now,
        acknowledged_by=by,
        owner=row.owner or by,
    )
    _record(work, incident_id, Kind.ACKNOWLEDGED, f"{by} has taken it", by=by, text=text)
    receivers = receivers_of(work.connection, [incident_id])[incident_id]
    outbox.supersede(work.connection, keys=[incident_id], event=Event.UPDATED)
    tell([Occurrence(incident_id, Event.ACKNOWLEDGED, receivers=tuple(receivers))], work)


def own(incident_id: str, *, owner: str, by: str, work: Work) -> None:
    """Give the incident to ``owner``; raise UnknownIncident for an unknown id."""
    _find(work.connection, incident_id)
    _set(work.connection, incident_id, owner=owner)
    _record(work, incident_id, Kind.OWNED, f"{by} gave it to {owner}", by=by)


def note(incident_id: str, *, text: str, by: str, work: Work) -> None:
    """Add what a person learnt to the story; raise UnknownIncident for an unknown id."""
    _find(work.connection, incident_id)
    _record(work, incident_id, Kind.NOTED, f"{by}:", by=by, text=text)


def call_no_problem(incident_id: str, *, by: str, text: str, work: Work) -> None:
    """Note that this should not have become an incident, and let the anomaly service learn it.

    The word is handed on through the outbox, in this transaction: it survives what a message
    survives. Of alerts that no detector raised there is nothing to learn; they are only noted.

    Raises:
        UnknownIncident: there is none with this id.
        Refused: it was said already.
    """
    row = _find(work.connection, incident_id)
    if row.not_a_problem_by:
        raise Refused(f"{row.not_a_problem_by} said so already")
    _set(work.connection, incident_id, not_a_problem_by=by)
    _record(
        work, incident_id, Kind.NOT_A_PROBLEM, f"{by} says it is not a problem", by=by, text=text
    )
    found = messages.compose(work.connection, [incident_id], work.settings)[incident_id]
    if anomaly_feedback.of_detectors(found):
        envelope = Envelope(
            receiver=anomaly_feedback.RECEIVER,
            key=incident_id,
            event=Event.NOT_A_PROBLEM,
            incident={**found, "said": {"by": by, "text": text}},
            not_before=work.now,
        )
        outbox.put(work.connection, [envelope], now=work.now)


def silence(incident_id: str, *, by: str, text: str, seconds: float, work: Work) -> list[str]:
    """Silence what the incident is made of and return the ids of the silences.

    One silence for each alert name, on the labels that all its alerts here have in common: the same
    trouble elsewhere in the service stays silent too, another trouble does not.

    Raises:
        UnknownIncident: there is none with this id.
        Refused: it is resolved.
    """
    _open_one(work.connection, incident_id)
    rows = work.connection.execute(
        sa.select(_members.c.labels).where(
            _members.c.incident_id == incident_id, _members.c.status == "firing"
        )
    )
    ids = [
        silences.put(
            work.connection,
            Silence(
                id="",
                matchers=matchers,
                starts_at=work.now,
                ends_at=work.now + timedelta(seconds=seconds),
                created_by=by,
                comment=text or f"silenced from incident {incident_id}",
                updated_at=work.now,
            ),
            now=work.now,
        )
        for matchers in matchers_of([row.labels for row in rows])
    ]
    until = format_rfc3339(work.now + timedelta(seconds=seconds))
    _record(
        work, incident_id, Kind.SILENCED, f"{by} silenced it until {until}", by=by, text=text,
        silence_ids=ids,
    )  # fmt: skip
    return ids


def matchers_of(labels: Sequence[Mapping[str, str]]) -> list[tuple[Matcher, ...]]:
    """Return for each alert name the matchers that all its label sets meet."""
    by_name: dict[str, list[Mapping[str, str]]] = {}
    for one in labels:
        by_name.setdefault(one.get("alertname", ""), []).append(one)
    return [
        tuple(
            Matcher.of(name, "=", value)
            for name, value in sorted(found[0].items())
            if all(other.get(name) == value for other in found)
        )
        for _alertname, found in sorted(by_name.items())
    ]


def _find(connection: Connection, incident_id: str) -> Row[Any]:
    row = connection.execute(sa.select(_incidents).where(_incidents.c.id == incident_id)).first()
    if row is None:
        raise UnknownIncident(f"no incident {incident_id}")
    return row


def _open_one(connection: Connection, incident_id: str) -> Row[Any]:
    row = _find(connection, incident_id)
    if row.status != incidents.OPEN:
        raise Refused(f"incident {incident_id} is resolved")
    return row


def _set(connection: Connection, incident_id: str, **values: str | datetime) -> None:
    connection.execute(sa.update(_incidents).where(_incidents.c.id == incident_id).values(values))


def _record(
    work: Work, incident_id: str, kind: Kind, sentence: str, *, by: str, text: str = "", **more: Any
) -> None:
    """Write a person's deed into the story and into the audit."""
    words = f"{sentence} {text}" if sentence.endswith(":") or not text else f"{sentence}: {text}"
    detail = {"by": by, **proven(by), "text": text, **more}
    timeline.add(work.connection, incident_id, kind, words.strip(), now=work.now, detail=detail)
    audit.append(
        work.connection, actor=by, event=str(kind), subject=incident_id, now=work.now,
        detail=detail,
    )  # fmt: skip
