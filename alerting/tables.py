"""The tables of alerting's one database, and how they came to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from watchkeeper.clock import require_aware
from watchkeeper.storage import Migration


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC time, stored as Unix seconds so that every database orders it alike."""

    impl = sa.Float(53)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> float | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Return the seconds to store; refuse a time without a zone."""
        return None if value is None else require_aware(value).timestamp()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Return the aware time of stored seconds."""
        return None if value is None else datetime.fromtimestamp(float(value), UTC)


metadata = sa.MetaData()

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("fingerprint", sa.String(16), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("annotations", sa.JSON, nullable=False),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("generator_url", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("incident_id", sa.String(40)),
    sa.Column("muted_by", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("is_muted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("muted_alerts", "is_muted"),
    sa.Index("alerts_by_end", "status", "ends_at"),
)
"""The newest state of every label set."""

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("matchers", sa.JSON, nullable=False),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False, index=True),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

alert_changes = sa.Table(
    "alert_changes",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(16), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("is_firing", sa.Boolean, nullable=False),
    sa.Index("alert_changes_by_time", "fingerprint", "at"),
)
"""What clients said, newest last, before any damping; kept as long as flapping is looked for."""

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(40), nullable=False, unique=True),
    sa.Column("group_key", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("resolved_at", Moment),
    sa.Column("receivers", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("acknowledged_at", Moment),
    sa.Column("acknowledged_by", sa.Text, nullable=False, server_default=""),
    sa.Column("owner", sa.Text, nullable=False, server_default=""),
    sa.Column("escalation_level", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_a_problem_by", sa.Text, nullable=False, server_default=""),
    sa.Index("incidents_by_service", "service", "status", "seq"),
    sa.Index(
        "one_open_incident_a_group",
        "group_key",
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    ),
)

incident_alerts = sa.Table(
    "incident_alerts",
    metadata,
    sa.Column("incident_id", sa.String(40), primary_key=True),
    sa.Column("fingerprint", sa.String(16), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("severity_rank", sa.Integer, nullable=False, server_default="0"),
    sa.Column("summary", sa.Text, nullable=False, server_default=""),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("annotations", sa.JSON, nullable=False),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),
    sa.Column("generator_url", sa.Text, nullable=False),
    sa.Index(
        "incident_alerts_gravest_first",
        "incident_id",
        "status",
        sa.text("severity_rank DESC"),
        "starts_at",
        "fingerprint",
    ),
)
"""What each incident is made of, kept as it was while the incident lasted."""

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("incident_id", sa.String(40), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(40), nullable=False, unique=True),
    sa.Column("receiver", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("event", sa.String(16), nullable=False),
    sa.Column("incident_id", sa.String(40), nullable=False),
    sa.Column("message", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("next_attempt_at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", Moment),
    sa.Column("fencing_token", sa.Integer, nullable=False, server_default="0"),
    sa.Column("delivered_at", Moment),
    sa.Column("error", sa.Text),
    sa.Column("receipt", sa.Text, nullable=False, server_default=""),
    sa.Index("deliveries_to_make", "receiver", "state", "next_attempt_at"),
    sa.Index("deliveries_in_order", "receiver", "key", "seq"),
    sa.Index("deliveries_by_key", "key", "state"),
)
"""The outbox: one row a message and receiver, written with the transition it tells of."""

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("idempotency_key", sa.String(64), nullable=False, unique=True),
    sa.Column("incident_id", sa.String(40), nullable=False, index=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("alert_labels", sa.JSON, nullable=False),
    sa.Column("alert_annotations", sa.JSON, nullable=False),
    sa.Column("alert_started_at", Moment, nullable=False),
    sa.Column("body", sa.Text),
    sa.Column("fencing_token", sa.Integer),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("claimed_at", Moment),
    sa.Column("dispatched_at", Moment),
    sa.Column("expires_at", Moment),
    sa.Column("completed_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("next_step_at", Moment),
    sa.Column("lease_until", Moment),
    sa.Column("lease_token", sa.Integer, nullable=False, server_default="0"),
    sa.Column("denied_by", sa.JSON, nullable=False),
    sa.Column("compensates", sa.String(64), nullable=False, server_default=""),
    sa.Column("pool", sa.Text, nullable=False, server_default=""),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("summary", sa.Text, nullable=False, server_default=""),
    sa.Index("actions_due", "state", "next_step_at"),
    sa.Index("actions_by_target", "target", "claimed_at"),
)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)

switches = sa.Table(
    "switches",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("until", Moment),
)
"""What a person has stopped: everything, a rule or a target; the newest word on each."""

rule_modes = sa.Table(
    "rule_modes",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("configured_mode", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
"""Modes that a person set while the service ran, beside what the file said then."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

audit_anchors = sa.Table(
    "audit_anchors",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
"""The last entry that retention deleted, each time: what the oldest kept one follows."""


def _protect_audit(connection: Connection) -> None:
    """Let the database itself refuse to change the audit, or to delete above the newest anchor."""
    guard = _SQLITE_GUARD if connection.dialect.name == "sqlite" else _POSTGRES_GUARD
    for statement in guard:
        connection.exec_driver_sql(statement)


_SQLITE_GUARD = (
    "DROP TRIGGER IF EXISTS audit_keeps_update",
    "DROP TRIGGER IF EXISTS audit_keeps_delete",
    (
        "CREATE TRIGGER audit_keeps_update BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_keeps_delete BEFORE DELETE ON audit "
        "WHEN OLD.seq > (SELECT coalesce(max(seq), 0) FROM audit_anchors) "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    ),
)
_POSTGRES_GUARD = (
    (
        "CREATE OR REPLACE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'DELETE' AND OLD.seq <= (SELECT coalesce(max(seq), 0) FROM audit_anchors) "
        "THEN RETURN OLD; END IF; RAISE EXCEPTION 'the audit is append-only'; END $$"
    ),
    "DROP TRIGGER IF EXISTS audit_keeps ON audit",
    (
        "CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_keeps()"
    ),
)


def _add_missing(connection: Connection) -> None:
    """Make the tables and columns that stand above and not in the database.

    A new database gets everything at once from the first migration, so a later one that only adds
    finds nothing left to do there. Added columns therefore need a server default.
    """
    metadata.create_all(connection)
    inspector = sa.inspect(connection)
    preparer = connection.dialect.identifier_preparer
    for table in metadata.sorted_tables:
        present = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                kind = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {preparer.format_table(table)} ADD COLUMN {kind}"
                )
        for index in table.indexes:
            index.create(connection, checkfirst=True)


MIGRATIONS: Sequence[Migration] = (
    _add_missing,
    _add_missing,
    _add_missing,
    _add_missing,
    _protect_audit,
    _add_missing,
    _add_missing,
    _add_missing,
    _add_missing,
    _add_missing,
)
"""Applied in this order, only ever appended to."""
