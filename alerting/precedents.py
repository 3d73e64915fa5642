"""Earlier incidents that looked alike, and what ended them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alerting import actions, incidents, tables
from alerting.actions import State
from alerting.timeline import Kind
from watchkeeper import bulk
from watchkeeper.clock import format_rfc3339

SEARCHED = 200
"""Of a service's newest resolved incidents; older ones belong to a system that has changed."""

SHOWN = 5
LEAST_SIMILARITY_RATIO = 0.3
"""Below a third of the labels in common, people see two different troubles."""

PASSING_LABELS = frozenset({"instance", "pod", "container", "process", "severity"})
"""Labels that say where, not what; they would make one trouble on two hosts look like two."""

_incidents = tables.incidents
_members = tables.incident_alerts

Features = frozenset[tuple[str, str]]


def similar(connection: Connection, incident_id: str) -> list[dict[str, Any]]:
    """Return resolved incidents of the same service that looked alike, the most alike first.

    Each has ``id``, ``title``, ``started_at``, ``resolved_at``, ``similarity_ratio`` (0 to 1, the
    Jaccard index of what their alerts say), ``fixed_by`` (verified actions) and ``notes``.
    """
    service = sa.select(_incidents.c.service).where(_incidents.c.id == incident_id)
    candidates = connection.execute(
        sa.select(_incidents)
        .where(
            _incidents.c.service == service.scalar_subquery(),
            _incidents.c.status == incidents.RESOLVED,
            _incidents.c.id != incident_id,
        )
        .order_by(_incidents.c.seq.desc())
        .limit(SEARCHED)
    ).all()
    features = _features(connection, [incident_id, *(row.id for row in candidates)])
    this = features.get(incident_id, frozenset())
    ratios = {row.id: jaccard(this, features.get(row.id, frozenset())) for row in candidates}
    alike = [row for row in candidates if ratios[row.id] >= LEAST_SIMILARITY_RATIO]
    chosen = sorted(alike, key=lambda row: (-ratios[row.id], -row.seq))[:SHOWN]
    fixes = _fixes(connection, [row.id for row in chosen])
    notes = _notes(connection, [row.id for row in chosen])
    return [
        {
            "id": row.id,
            "title": row.title,
            "started_at": format_rfc3339(row.started_at),
            "resolved_at": format_rfc3339(row.resolved_at),
            "similarity_ratio": round(ratios[row.id], 3),
            "fixed_by": fixes.get(row.id, []),
            "notes": notes.get(row.id, []),
        }
        for row in chosen
    ]


def jaccard(left: Features, right: Features) -> float:
    """Return how much two sets have in common, 0 to 1; two empty ones have nothing."""
    union = left | right
    return len(left & right) / len(union) if union else 0.0


def features_of(labels: Mapping[str, str]) -> Features:
    """Return what of an alert's labels says what the trouble is."""
    return frozenset(pair for pair in labels.items() if pair[0] not in PASSING_LABELS)


def _features(connection: Connection, incident_ids: Iterable[str]) -> dict[str, Features]:
    rows = connection.execute(
        sa.select(_members.c.incident_id, _members.c.labels).where(
            bulk.among(_members.c.incident_id, list(incident_ids))
        )
    )
    found: dict[str, Features] = {}
    for row in rows:
        found[row.incident_id] = found.get(row.incident_id, frozenset()) | features_of(row.labels)
    return found


def _fixes(connection: Connection, incident_ids: list[str]) -> dict[str, list[str]]:
    by_incident = actions.of_incidents(connection, incident_ids)
    return {
        incident_id: [
            f"{action['action']} on {action['target']}"
            for action in done
            if action["state"] == State.SUCCEEDED and action["endpoint"]  # a message fixes nothing
        ]
        for incident_id, done in by_incident.items()
    }


def _notes(connection: Connection, incident_ids: list[str]) -> dict[str, list[str]]:
    table = tables.timeline
    rows = connection.execute(
        sa.select(table.c.incident_id, table.c.text)
        .where(bulk.among(table.c.incident_id, incident_ids), table.c.kind == str(Kind.NOTED))
        .order_by(table.c.seq)
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.incident_id, []).append(row.text)
    return found
