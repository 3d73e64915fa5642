"""Questions about databases, connections, and locks: cheap, asked every time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family, Sample, single
from agent.sql.question import Question, Row, by_column, number
from watchkeeper.catalogue import postgres

CONNECTION_STATES = (
    "active", "idle", "idle in transaction", "idle in transaction (aborted)",
    "fastpath function call", "disabled",
)  # fmt: skip
"""All that pg_stat_activity knows; each is told of, also at 0."""

LOCK_MODES = (
    "accessexclusivelock", "accesssharelock", "exclusivelock", "rowexclusivelock",
    "rowsharelock", "sharelock", "sharerowexclusivelock", "shareupdateexclusivelock",
    "sireadlock",
)  # fmt: skip
"""All that pg_locks knows, as postgres_exporter spells them."""


def _server_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    row = rows[0]
    yield single(postgres.STATIC, 1, (server, _short_version(row["number"]), row["version"]))
    yield single(postgres.START_TIME, float(row["started"]), (server,))


def _short_version(number: int) -> str:
    """Return ``18.6.0`` for 180006 and ``9.6.24`` for 90624, as postgres_exporter does."""
    if number >= 100000:
        return f"{number // 10000}.{number % 10000}.0"
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


SERVER = Question(
    "static",
    "SELECT version() AS version, current_setting('server_version_num')::int AS number, "
    "extract(epoch FROM pg_postmaster_start_time()) AS started",
    _server_families,
)


DATABASES = Question(
    "stat_database",
    "SELECT * FROM pg_stat_database",
    by_column(postgres.STAT_DATABASE, ("datid", "datname")),
)


def _activity_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    counts: list[Sample] = []
    longest: list[Sample] = []
    found = {(row["datname"], row["state"]): row for row in rows}
    for datname in sorted({row["datname"] for row in rows}):
        for state in CONNECTION_STATES:
            row = found.get((datname, state))
            labels = (server, datname, state)
            counts.append((labels, row["count"] if row else 0))
            longest.append((labels, number(row["longest"]) if row else 0))
    yield Family(postgres.ACTIVITY, counts)
    yield Family(postgres.ACTIVITY_MAX_TX, longest)


ACTIVITY = Question(
    "stat_activity",
    "SELECT d.datname, a.state, count(a.datid)::int AS count, "
    "coalesce(max(extract(epoch FROM now() - a.xact_start)), 0) AS longest "
    "FROM pg_database d LEFT JOIN pg_stat_activity a ON a.datid = d.oid GROUP BY 1, 2",
    _activity_families,
)


def _lock_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    counts = {(row["datname"], row["mode"]): row["count"] for row in rows}
    databases = sorted({row["datname"] for row in rows})
    yield Family(
        postgres.LOCKS,
        [
            ((server, datname, mode), counts.get((datname, mode), 0))
            for datname in databases
            for mode in LOCK_MODES
        ],
    )


LOCKS = Question(
    "locks",
    "SELECT d.datname, lower(l.mode) AS mode, count(l.database)::int AS count "
    "FROM pg_database d LEFT JOIN pg_locks l ON l.database = d.oid GROUP BY 1, 2",
    _lock_families,
)

SATURATION = Question(
    "connection_saturation",
    "SELECT count(*)::float / greatest(1, current_setting('max_connections')::int "
    "- current_setting('superuser_reserved_connections')::int - {kept_for_others}) AS ratio "
    "FROM pg_stat_activity WHERE {is_client}",
    by_column({"ratio": postgres.SATURATION}),
)
