"""Questions about replication: this server's lag, its standbys, its slots."""

from __future__ import annotations

from agent.postgres.question import Question, by_column
from watchkeeper.catalogue import postgres
from watchkeeper.catalogue import postgres_depth as depth


def _words(version: int) -> tuple[str, str]:
    """Return what the server calls its log and a position in it; PostgreSQL 10 renamed both."""
    return ("wal", "lsn") if version >= 100000 else ("xlog", "location")


def _lag(version: int) -> str:
    log, position = _words(version)
    # An idle primary sends nothing: a replica that has replayed all it received is not behind.
    return f"""
        SELECT pg_is_in_recovery()::int AS is_replica,
               CASE
                 WHEN NOT pg_is_in_recovery() THEN 0
                 WHEN pg_last_{log}_receive_{position}() = pg_last_{log}_replay_{position}() THEN 0
                 ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp()))
               END AS lag_seconds
    """  # noqa: S608  # fixed words


REPLICATION = Question("replication", _lag, by_column(depth.REPLICATION))


CONFLICTS = Question(
    "stat_database_conflicts",
    lambda _version: "SELECT * FROM pg_stat_database_conflicts",
    by_column(postgres.CONFLICTS, ("datid", "datname")),
    is_slow=True,
)


def _now_at(version: int) -> str:
    log, position = _words(version)
    return (
        f"CASE WHEN pg_is_in_recovery() THEN pg_last_{log}_replay_{position}() "
        f"ELSE pg_current_{log}_{position}() END"
    )


def _standbys(version: int) -> str:
    log, position = _words(version)
    return f"""
        SELECT application_name, host(client_addr) AS client_addr, state,
               max(pg_{log}_{position}_diff({_now_at(version)}, replay_{position})) AS bytes
        FROM pg_stat_replication GROUP BY 1, 2, 3
    """  # noqa: S608  # fixed words


STANDBYS = Question(
    "stat_replication",
    _standbys,
    by_column({"bytes": depth.STANDBY_LAG}, ("application_name", "client_addr", "state")),
)


def _slots(version: int) -> str:
    log, position = _words(version)
    safe = "safe_wal_size" if version >= 130000 else "NULL"
    return f"""
        SELECT slot_name, slot_type, active::int AS is_active, {safe} AS safe_bytes,
               pg_{log}_{position}_diff({_now_at(version)}, '0/0') AS current_lsn,
               pg_{log}_{position}_diff(coalesce(confirmed_flush_lsn, restart_lsn), '0/0')
                 AS confirmed_lsn
        FROM pg_replication_slots
    """  # noqa: S608  # fixed words


SLOTS = Question("replication_slot", _slots, by_column(depth.SLOTS, ("slot_name", "slot_type")))
