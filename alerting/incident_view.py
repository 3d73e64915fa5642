"""Incidents as the API and the messages show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from alerting import tables, timeline
from watchkeeper import bulk
from watchkeeper.clock import format_rfc3339

EVERYTHING = 1 << 31

_incidents = tables.incidents
_members = tables.incident_alerts


def show(connection: Connection, incident_id: str) -> dict[str, Any] | None:
    """Return an incident whole, or None for an unknown id."""
    return show_all(connection, [incident_id]).get(incident_id)


def show_all(
    connection: Connection, incident_ids: Sequence[str], *, parts: int = EVERYTHING
) -> dict[str, dict[str, Any]]:
    """Return incidents by id, each with at most ``parts`` alerts and timeline entries."""
    query = sa.select(_incidents).where(bulk.among(_incidents.c.id, incident_ids))
    return _shown(connection, connection.execute(query).all(), parts)


def newest(connection: Connection, *, status: str | None, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` incidents, newest first, all or only those of one status."""
    query = sa.select(_incidents).order_by(_incidents.c.seq.desc()).limit(limit)
    if status is not None:
        query = query.where(_incidents.c.status == status)
    return list(_shown(connection, connection.execute(query).all(), EVERYTHING).values())


def title(connection: Connection, incident_id: str) -> str:
    """Return an incident's title."""
    query = sa.select(_incidents.c.title).where(_incidents.c.id == incident_id)
    return str(connection.execute(query).scalar_one())


def severities(connection: Connection, incident_ids: Sequence[str]) -> list[str]:
    """Return the gravest severity each incident has had."""
    if not incident_ids:
        return []
    query = sa.select(_incidents.c.severity).where(bulk.among(_incidents.c.id, incident_ids))
    return [row.severity for row in connection.execute(query)]


def _shown(
    connection: Connection, rows: Sequence[Row[Any]], parts: int
) -> dict[str, dict[str, Any]]:
    ids = [row.id for row in rows]
    stories = timeline.of_incidents(connection, ids, newest=parts)
    alerts = _alerts(connection, ids, parts)
    return {
        row.id: {
            "id": row.id,
            "status": row.status,
            "severity": row.severity,
            "title": row.title,
            "service": row.service,
            "started_at": format_rfc3339(row.started_at),
            "resolved_at": format_rfc3339(row.resolved_at) if row.resolved_at else None,
            "acknowledged_at": format_rfc3339(row.acknowledged_at) if row.acknowledged_at else None,
            "acknowledged_by": row.acknowledged_by,
            "owner": row.owner,
            "not_a_problem_by": row.not_a_problem_by,
            "timeline": stories[row.id],
            "alerts": alerts[row.id],
        }
        for row in rows
    }


def _alerts(
    connection: Connection, incident_ids: Sequence[str], most: int
) -> dict[str, list[dict[str, Any]]]:
    """Return the alerts of each incident: firing ones first, the gravest first."""
    order = (
        _members.c.status,  # "firing" before "resolved"
        _members.c.severity_rank.desc(),
        _members.c.starts_at,
        _members.c.fingerprint,
    )
    place = sa.func.row_number().over(partition_by=_members.c.incident_id, order_by=order)
    ranked = (
        sa.select(_members, place.label("place"))
        .where(bulk.among(_members.c.incident_id, incident_ids))
        .subquery()
    )
    query = sa.select(ranked).where(ranked.c.place <= most).order_by(ranked.c.place)
    found: dict[str, list[dict[str, Any]]] = {incident_id: [] for incident_id in incident_ids}
    for row in connection.execute(query):
        found[row.incident_id].append(
            {
                "fingerprint": row.fingerprint,
                "status": row.status,
                "labels": row.labels,
                "annotations": row.annotations,
                "starts_at": format_rfc3339(row.starts_at),
                "ends_at": format_rfc3339(row.ends_at) if row.ends_at else None,
                "generator_url": row.generator_url,
            }
        )
    return found
