"""Incidents: one for each episode of a group of alerts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import tables, timeline
from alerting.alert import SEVERITIES, Alert, worst
from alerting.timeline import Kind
from watchkeeper.clock import format_rfc3339

OPEN = "open"
RESOLVED = "resolved"


def open_one(connection: Connection, group_key: str) -> str | None:
    """Return the id of the group's open incident, or None."""
    table = tables.incidents
    query = sa.select(table.c.id).where(table.c.group_key == group_key, table.c.status == OPEN)
    found: str | None = connection.execute(query).scalar()
    return found


def is_open(connection: Connection, incident_id: str) -> bool:
    """Return whether the incident has not been resolved."""
    table = tables.incidents
    query = sa.select(table.c.status).where(table.c.id == incident_id)
    return connection.execute(query).scalar() == OPEN


def create(connection: Connection, group_key: str, first: Alert) -> str:
    """Open an incident for a group; its alerts join in a second step. Return its id."""
    incident_id = f"inc-{uuid.uuid4().hex[:16]}"
    connection.execute(
        sa.insert(tables.incidents).values(
            id=incident_id,
            group_key=group_key,
            status=OPEN,
            severity=first.severity,
            title=first.summary,
            service=first.labels.get("service") or _first_value(group_key) or "unknown",
            started_at=first.starts_at,
        )
    )
    return incident_id


def join(
    connection: Connection, incident_id: str, alerts: Sequence[Alert], *, now: datetime
) -> None:
    """Add firing alerts to an open incident, tell the timeline and set severity and title anew."""
    table = tables.incident_alerts
    had_any = connection.execute(
        sa.select(sa.func.count()).where(table.c.incident_id == incident_id)
    ).scalar()
    for alert in alerts:
        connection.execute(
            sa.delete(table).where(
                table.c.incident_id == incident_id, table.c.fingerprint == alert.fingerprint
            )
        )
        connection.execute(
            sa.insert(table).values(
                incident_id=incident_id,
                fingerprint=alert.fingerprint,
                status="firing",
                labels=dict(alert.labels),
                annotations=dict(alert.annotations),
                starts_at=alert.starts_at,
                generator_url=alert.generator_url,
            )
        )
        connection.execute(
            sa.update(tables.alerts)
            .where(tables.alerts.c.fingerprint == alert.fingerprint)
            .values(incident_id=incident_id)
        )
        kind, opening = (Kind.UPDATED, "also firing: ") if had_any else (Kind.DETECTED, "")
        detail = {"fingerprint": alert.fingerprint, "labels": dict(alert.labels)}
        text = f"{opening}{alert.summary}"
        timeline.add(connection, incident_id, kind, text, now=now, detail=detail)
        had_any = True
    _summarise(connection, incident_id)


def renew(connection: Connection, incident_id: str, alert: Alert) -> None:
    """Keep the newest annotations of an alert that is still firing."""
    table = tables.incident_alerts
    connection.execute(
        sa.update(table)
        .where(table.c.incident_id == incident_id, table.c.fingerprint == alert.fingerprint)
        .values(annotations=dict(alert.annotations))
    )


def leave(
    connection: Connection, incident_id: str, alerts: Sequence[Alert], *, now: datetime
) -> bool:
    """Mark alerts of an incident as ended; resolve it with the last. Return whether it resolved."""
    table = tables.incident_alerts
    for alert in alerts:
        connection.execute(
            sa.update(table)
            .where(table.c.incident_id == incident_id, table.c.fingerprint == alert.fingerprint)
            .values(status="resolved", ends_at=alert.ends_at, annotations=dict(alert.annotations))
        )
        detail = {"fingerprint": alert.fingerprint, "labels": dict(alert.labels)}
        text = f"no longer firing: {alert.summary}"
        timeline.add(connection, incident_id, Kind.UPDATED, text, now=now, detail=detail)
    firing = connection.execute(
        sa.select(sa.func.count()).where(
            table.c.incident_id == incident_id, table.c.status == "firing"
        )
    ).scalar()
    if firing:
        _summarise(connection, incident_id)
        return False
    connection.execute(
        sa.update(tables.incidents)
        .where(tables.incidents.c.id == incident_id)
        .values(status=RESOLVED, resolved_at=now)
    )
    timeline.add(connection, incident_id, Kind.RESOLVED, "no alert is firing any more", now=now)
    return True


def _summarise(connection: Connection, incident_id: str) -> None:
    """Name the incident for its worst firing alert; its severity never falls while it is open."""
    table = tables.incident_alerts
    rows = connection.execute(
        sa.select(table)
        .where(table.c.incident_id == incident_id, table.c.status == "firing")
        .order_by(table.c.starts_at, table.c.fingerprint)
    ).all()
    gravest = max(rows, key=lambda row: SEVERITIES.index(_alert(row).severity))
    others = len(rows) - 1
    title = _alert(gravest).summary + (f" (and {others} more)" if others else "")
    incident = tables.incidents
    so_far = connection.execute(
        sa.select(incident.c.severity, incident.c.started_at).where(incident.c.id == incident_id)
    ).one()
    connection.execute(
        sa.update(incident)
        .where(incident.c.id == incident_id)
        .values(
            severity=worst([so_far.severity, _alert(gravest).severity]),
            title=title,
            started_at=min([so_far.started_at, *(row.starts_at for row in rows)]),
        )
    )


def _alert(row: Row[Any]) -> Alert:
    return Alert(row.labels, row.annotations, row.starts_at, row.ends_at or row.starts_at)


def _first_value(group_key: str) -> str:
    return next((str(value) for value in json.loads(group_key).values() if value), "")


def show(connection: Connection, incident_id: str) -> dict[str, Any] | None:
    """Return an incident as the API and the messages show it, or None for an unknown id."""
    query = sa.select(tables.incidents).where(tables.incidents.c.id == incident_id)
    row = connection.execute(query).first()
    return _shown(connection, row) if row else None


def newest(connection: Connection, *, status: str | None, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` incidents, newest first, all or only those of one status."""
    query = sa.select(tables.incidents).order_by(tables.incidents.c.seq.desc()).limit(limit)
    if status is not None:
        query = query.where(tables.incidents.c.status == status)
    return [_shown(connection, row) for row in connection.execute(query).all()]


def _shown(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "severity": row.severity,
        "title": row.title,
        "service": row.service,
        "started_at": format_rfc3339(row.started_at),
        "resolved_at": format_rfc3339(row.resolved_at) if row.resolved_at else None,
        "timeline": timeline.entries(connection, row.id),
        "alerts": _alerts_shown(connection, row.id),
    }


def _alerts_shown(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    table = tables.incident_alerts
    rows = connection.execute(
        sa.select(table).where(table.c.incident_id == incident_id).order_by(table.c.starts_at)
    )
    return [
        {
            "fingerprint": row.fingerprint,
            "status": row.status,
            "labels": row.labels,
            "annotations": row.annotations,
            "starts_at": format_rfc3339(row.starts_at),
            "ends_at": format_rfc3339(row.ends_at) if row.ends_at else None,
        }
        for row in rows
    ]


def title(connection: Connection, incident_id: str) -> str:
    """Return the incident's title."""
    table = tables.incidents
    query = sa.select(table.c.title).where(table.c.id == incident_id)
    return str(connection.execute(query).scalar_one())


def severity(connection: Connection, incident_id: str) -> str:
    """Return the gravest severity the incident has had."""
    table = tables.incidents
    query = sa.select(table.c.severity).where(table.c.id == incident_id)
    return str(connection.execute(query).scalar_one())
