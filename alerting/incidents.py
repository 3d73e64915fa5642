"""Incidents: one for each episode of a group of alerts. Writes; ``incident_view`` reads.

Everything takes a whole batch: in a storm, statements are what costs.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import tables, timeline
from alerting.alert import SEVERITIES, Alert, worst
from alerting.timeline import Entry, Kind
from watchkeeper import bulk

OPEN = "open"
RESOLVED = "resolved"

_incidents = tables.incidents
_members = tables.incident_alerts


@dataclass(frozen=True, slots=True)
class Member:
    """An alert and the incident it belongs to."""

    incident_id: str
    alert: Alert

    @property
    def detail(self) -> dict[str, Any]:
        """What timeline entries about it carry."""
        return {"fingerprint": self.alert.fingerprint, "labels": dict(self.alert.labels)}


def open_ones(connection: Connection, group_keys: Sequence[str]) -> dict[str, str]:
    """Return the ids of open incidents by group key, for those groups that have one."""
    rows = connection.execute(
        sa.select(_incidents.c.group_key, _incidents.c.id).where(
            bulk.among(_incidents.c.group_key, group_keys), _incidents.c.status == OPEN
        )
    )
    return {row.group_key: row.id for row in rows}


def create(connection: Connection, firsts: Mapping[str, Alert]) -> dict[str, str]:
    """Open an incident for each group key; its alerts join in a second step. Return the ids."""
    ids = {group_key: f"inc-{uuid.uuid4().hex[:16]}" for group_key in firsts}
    rows = [
        {
            "id": ids[group_key],
            "group_key": group_key,
            "status": OPEN,
            "severity": first.severity,
            "title": first.summary,
            "service": first.labels.get("service") or _first_value(group_key) or "unknown",
            "started_at": first.starts_at,
            "receivers": [],
        }
        for group_key, first in firsts.items()
    ]
    bulk.insert_all(connection, _incidents, rows)
    return ids


def join(
    connection: Connection, members: Sequence[Member], *, opened: set[str], now: datetime
) -> None:
    """Add firing alerts to open incidents, tell the timelines, set severities and titles anew.

    Args:
        members: who joins what.
        opened: the incidents that began with this batch.
        now: the time of the timeline entries.
    """
    if not members:
        return
    keys = [{"incident_id": m.incident_id, "fingerprint": m.alert.fingerprint} for m in members]
    bulk.write(
        connection,
        [
            bulk.Insert(_members, [_member_row(member) for member in members], replaces=True),
            bulk.Update(tables.alerts, keys, by=("fingerprint",)),
            timeline.appended(_joined_entries(members, opened), now=now),
        ],
    )
    _summarise(connection, {member.incident_id for member in members})


def _member_row(member: Member) -> dict[str, Any]:
    alert = member.alert
    return {
        "incident_id": member.incident_id,
        "fingerprint": alert.fingerprint,
        "status": "firing",
        "severity_rank": alert.severity_rank,
        "summary": alert.summary,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "starts_at": alert.starts_at,
        "ends_at": None,
        "generator_url": alert.generator_url,
    }


def _joined_entries(members: Sequence[Member], opened: set[str]) -> list[Entry]:
    entries = []
    begun: set[str] = set()
    for member in members:
        is_first = member.incident_id in opened and member.incident_id not in begun
        begun.add(member.incident_id)
        kind = Kind.DETECTED if is_first else Kind.UPDATED
        text = member.alert.summary if is_first else f"also firing: {member.alert.summary}"
        entries.append(Entry(member.incident_id, kind, text, member.detail))
    return entries


def renew(connection: Connection, members: Sequence[Member]) -> None:
    """Keep the newest annotations of alerts that are still firing."""
    rows = [
        {
            "incident_id": m.incident_id,
            "fingerprint": m.alert.fingerprint,
            "annotations": dict(m.alert.annotations),
            "summary": m.alert.summary,
        }
        for m in members
    ]
    bulk.update_all(connection, _members, rows, by=["incident_id", "fingerprint"])


def leave(connection: Connection, members: Sequence[Member], *, now: datetime) -> set[str]:
    """Mark alerts as ended; resolve incidents with their last. Return the ids of the resolved."""
    if not members:
        return set()
    rows = [
        {
            "incident_id": m.incident_id,
            "fingerprint": m.alert.fingerprint,
            "status": "resolved",
            "ends_at": m.alert.ends_at,
            "annotations": dict(m.alert.annotations),
        }
        for m in members
    ]
    bulk.update_all(connection, _members, rows, by=["incident_id", "fingerprint"])
    entries = [
        Entry(m.incident_id, Kind.UPDATED, f"no longer firing: {m.alert.summary}", m.detail)
        for m in members
    ]
    touched = {member.incident_id for member in members}
    resolved = touched - _summarise(connection, touched)
    connection.execute(
        sa.update(_incidents)
        .where(bulk.among(_incidents.c.id, resolved))
        .values(status=RESOLVED, resolved_at=now)
    )
    entries += [
        Entry(incident_id, Kind.RESOLVED, "no alert is firing any more")
        for incident_id in sorted(resolved)
    ]
    timeline.add_all(connection, entries, now=now)
    return resolved


def _summarise(connection: Connection, incident_ids: Iterable[str]) -> set[str]:
    """Name incidents for their gravest firing alert; return those that have one.

    A severity never falls while its incident is open, and its start only moves back.
    """
    rows = connection.execute(_standing(set(incident_ids))).all()
    values = [
        {
            "id": row.id,
            "title": row.summary + (f" (and {row.firing - 1} more)" if row.firing > 1 else ""),
            "severity": worst([row.severity, SEVERITIES[row.severity_rank]]),
            "started_at": min(row.started_at, row.earliest),
        }
        for row in rows
    ]
    bulk.update_all(connection, _incidents, values, by=["id"])
    return {row.id for row in rows}


def _standing(incident_ids: set[str]) -> sa.Select[Any]:
    """Return what asks how incidents stand that have a firing alert.

    Both parts are answered from the index ``incident_alerts_gravest_first`` alone: an incident may
    have thousands of alerts, and is asked about with every one that joins.
    """
    together = (
        sa.select(
            _members.c.incident_id,
            sa.func.count().label("firing"),
            sa.func.min(_members.c.starts_at).label("earliest"),
        )
        .where(bulk.among(_members.c.incident_id, incident_ids), _members.c.status == "firing")
        .group_by(_members.c.incident_id)
        .subquery()
    )
    one = _members.alias("one")
    gravest = (
        sa.select(one.c.fingerprint)
        .where(one.c.incident_id == together.c.incident_id, one.c.status == "firing")
        .order_by(one.c.severity_rank.desc(), one.c.starts_at, one.c.fingerprint)
        .limit(1)
        .scalar_subquery()
    )
    is_gravest = sa.and_(
        _members.c.incident_id == together.c.incident_id, _members.c.fingerprint == gravest
    )
    return (
        sa.select(
            _incidents.c.id,
            _incidents.c.severity,
            _incidents.c.started_at,
            _members.c.summary,
            _members.c.severity_rank,
            together.c.firing,
            together.c.earliest,
        )
        .select_from(together)
        .join(_incidents, _incidents.c.id == together.c.incident_id)
        .join(_members, is_gravest)
    )


def _first_value(group_key: str) -> str:
    return next((str(value) for value in json.loads(group_key).values() if value), "")
