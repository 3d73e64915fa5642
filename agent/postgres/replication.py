"""Questions about replication: this server's lag, its standbys, its slots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family
from agent.sql.question import Question, Row, by_column
from watchkeeper.catalogue import postgres
from watchkeeper.catalogue import postgres_depth as depth

# An idle primary sends nothing: a replica that has replayed all it received is not behind. One that
# is, and has replayed no transaction since its start, cannot tell by how much.
REPLICATION = Question(
    "replication",
    """
    SELECT pg_is_in_recovery()::int AS is_replica,
           CASE
             WHEN NOT pg_is_in_recovery() THEN 0
             WHEN pg_last_{log}_receive_{position}() = pg_last_{log}_replay_{position}() THEN 0
             WHEN pg_last_xact_replay_timestamp() IS NOT NULL
               THEN greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp()))
           END AS lag_seconds,
           extract(epoch FROM now() - pg_last_xact_replay_timestamp()) AS last_replay_seconds
    """,
    by_column(depth.REPLICATION),
)


CONFLICTS = Question(
    "stat_database_conflicts",
    "SELECT * FROM pg_stat_database_conflicts",
    by_column(postgres.CONFLICTS, ("datid", "datname")),
)

_NOW_AT = (
    "CASE WHEN pg_is_in_recovery() THEN pg_last_{log}_replay_{position}() "
    "ELSE pg_current_{log}_{position}() END"
)

STANDBYS = Question(
    "stat_replication",
    f"""
    SELECT application_name, host(client_addr) AS client_addr, state,
           max(pg_{{log}}_{{position}}_diff({_NOW_AT}, replay_{{position}})) AS bytes
    FROM pg_stat_replication GROUP BY 1, 2, 3
    """,  # noqa: S608  # fixed words
    by_column({"bytes": depth.STANDBY_LAG}, ("application_name", "client_addr", "state")),
)


def _slot_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    yield from _SLOT_NUMBERS(rows, server)
    states = ((row["slot_name"], row["slot_type"], row["wal_status"]) for row in rows)
    yield Family(depth.SLOT_STATUS, [((server, *state), 1) for state in states if state[2]])


_SLOT_NUMBERS = by_column(depth.SLOTS, ("slot_name", "slot_type"))

SLOTS = Question(
    "replication_slot",
    f"""
    SELECT slot_name, slot_type, active::int AS is_active, {{safe_wal_bytes}} AS safe_bytes,
           {{wal_status}} AS wal_status,
           pg_{{log}}_{{position}}_diff({_NOW_AT}, '0/0') AS current_lsn,
           pg_{{log}}_{{position}}_diff(coalesce(confirmed_flush_lsn, restart_lsn), '0/0')
             AS confirmed_lsn
    FROM pg_replication_slots
    """,  # noqa: S608  # fixed words
    _slot_families,
)
