"""Questions about sessions: what they do, and who blocks whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agent.family import Family, LabelValues, Sample, single
from agent.sql.blocking import root_blockers, worst
from agent.sql.question import Question, Row, number
from agent.sql.text import MYSQL, TEXT_BYTES, shortened, without_literals
from watchkeeper.catalogue import Metric, mysql

MAX_VALUES = 50
"""Users, hosts and states told of, those with the most sessions; the rest is one, ``other``."""


def _families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    counts: Counter[tuple[str, ...]] = Counter()
    seconds: Counter[tuple[str, ...]] = Counter()
    users: Counter[tuple[str, ...]] = Counter()
    hosts: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        doing = (_word(row["command"]), _word(row["state"]) or "unknown")
        sessions = int(row["sessions"])
        counts[doing] += sessions
        seconds[doing] += max(0, int(row["seconds"] or 0))
        users[row["user"] or "unknown",] += sessions
        hosts[row["host"] or "unknown",] += sessions
    kept = dict(counts.most_common(MAX_VALUES))
    yield from _counted(mysql.THREADS, counts, kept, server)
    yield from _counted(mysql.THREAD_SECONDS, seconds, kept, server)
    yield from _counted(mysql.THREADS_BY_USER, users, dict(users.most_common(MAX_VALUES)), server)
    yield from _counted(mysql.THREADS_BY_HOST, hosts, dict(hosts.most_common(MAX_VALUES)), server)


def _counted(
    metric: Metric, values: Counter[tuple[str, ...]], kept: dict[tuple[str, ...], int], server: str
) -> Iterator[Family]:
    told: Counter[tuple[str, ...]] = Counter()
    for labels, value in values.items():
        told[labels if labels in kept else ("other",) * len(labels)] += value
    yield Family(metric, [((server, *labels), value) for labels, value in told.items()])


def _word(text: str | None) -> str:
    """Return a command or state as mysqld_exporter spells it."""
    plain = (text or "").lower().replace(":", " ").replace("/", " ").replace("-", " ")
    return "_".join(plain.split())


SESSIONS = Question(
    "collect.info_schema.processlist",
    "SELECT user AS user, substring_index(host, ':', 1) AS host, command AS command, "
    "state AS state, count(*) AS sessions, sum(time) AS seconds "
    "FROM information_schema.processlist WHERE id <> connection_id() GROUP BY 1, 2, 3, 4",
    _families,
)


def _blocking_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    blockers: dict[int, list[int]] = {}
    for row in rows:
        blockers.setdefault(row["waiting"], []).append(row["blocking"])
    yield single(mysql.BLOCKED, len(blockers), (server,))
    longest = max((number(row["waiting_seconds"] or 0) for row in rows), default=0.0)
    yield single(mysql.BLOCKED_LONGEST, longest, (server,))
    by_thread = {row["blocking"]: row for row in rows}
    counts: list[Sample] = []
    ages: list[Sample] = []
    for thread, count in worst(root_blockers(blockers)):
        labels = _labels(server, by_thread[thread])
        counts.append((labels, count))
        ages.append((labels, number(by_thread[thread]["transaction_seconds"] or 0)))
    yield Family(mysql.ROOT_BLOCKED, counts)
    yield Family(mysql.ROOT_AGE, ages)


def _labels(server: str, row: Row) -> LabelValues:
    text = shortened(without_literals(row["query"] or "", MYSQL), TEXT_BYTES)
    words = (row["user"] or "", row["db"] or "", str(row["blocking"]), _word(row["command"]))
    return (server, *words, text)


BLOCKING = Question(
    "blocking",
    """
    SELECT r.trx_mysql_thread_id AS waiting, b.trx_mysql_thread_id AS blocking,
           timestampdiff(SECOND, r.trx_wait_started, now()) AS waiting_seconds,
           timestampdiff(SECOND, b.trx_started, now()) AS transaction_seconds,
           p.user AS user, p.db AS db, p.command AS command,
           left(coalesce(b.trx_query, p.info), 4000) AS query
    FROM {lock_waits} w
    JOIN information_schema.innodb_trx r ON r.trx_id = w.waiting
    JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking
    LEFT JOIN information_schema.processlist p ON p.id = b.trx_mysql_thread_id
    """,
    _blocking_families,
)

SATURATION = Question(
    "connection_saturation",
    "SELECT @@global.max_connections AS allowed, count(*) AS used "
    "FROM information_schema.processlist WHERE user <> 'system user'",
    lambda rows, server: iter(
        [single(mysql.SATURATION, number(rows[0]["used"]) / rows[0]["allowed"], (server,))]
    ),
)
