"""Who blocks whom: the sessions that wait for locks, and the one at the root of each chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family, LabelValues, Sample, single
from agent.sql.blocking import root_blockers, worst
from agent.sql.question import Question, Row, number
from agent.sql.text import TEXT_BYTES, shortened, without_literals
from watchkeeper.catalogue import postgres_depth as depth


def _families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    waiting = [row for row in rows if row["blockers"]]
    yield single(depth.BLOCKED, len(waiting), (server,))
    longest = max((number(row["waiting_seconds"]) for row in waiting), default=0.0)
    yield single(depth.BLOCKED_LONGEST, longest, (server,))
    roots = root_blockers({row["pid"]: row["blockers"] for row in waiting})
    by_pid = {row["pid"]: row for row in rows}
    counts: list[Sample] = []
    ages: list[Sample] = []
    for pid, count in worst(roots):
        labels = _labels(server, pid, by_pid.get(pid, {}))
        counts.append((labels, count))
        ages.append((labels, number(by_pid.get(pid, {}).get("transaction_seconds") or 0)))
    yield Family(depth.ROOT_BLOCKED, counts)
    yield Family(depth.ROOT_AGE, ages)


def _labels(server: str, pid: int, row: Row) -> LabelValues:
    text = shortened(without_literals(row.get("query") or ""), TEXT_BYTES)
    words = (row.get(name) or "" for name in ("datname", "usename", "application_name"))
    return (server, *words, str(pid), row.get("state") or "", text)


# Asking for blockers takes the lock tables for a moment, so only those that wait are asked.
_SQL = """
    SELECT pid, datname, usename, application_name, state, left(query, 4000) AS query,
           extract(epoch FROM now() - xact_start) AS transaction_seconds,
           CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) ELSE '{{}}' END
             AS blockers,
           CASE WHEN wait_event_type = 'Lock'
                THEN greatest(0, coalesce(
                       extract(epoch FROM clock_timestamp() - {lock_wait_start}), 0))
                ELSE 0 END AS waiting_seconds
    FROM pg_stat_activity a
    WHERE wait_event_type = 'Lock' OR xact_start IS NOT NULL
"""

BLOCKING = Question("blocking", _SQL, _families)
