"""The disk space of databases. It walks their directories, so it is asked less often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family
from agent.sql.question import Question, Row
from watchkeeper.catalogue import postgres


def _families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    yield Family(postgres.DATABASE_SIZE, [((server, row["datname"]), row["bytes"]) for row in rows])


SIZES = Question(
    "database",
    "SELECT datname, pg_database_size(oid) AS bytes FROM pg_database "
    "WHERE has_database_privilege(oid, 'CONNECT')",
    _families,
)
