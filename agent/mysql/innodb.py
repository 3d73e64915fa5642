"""Questions about InnoDB: its own counters, and compressed pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family, Sample
from agent.sql.question import Question, Row, by_column, number
from watchkeeper.catalogue import Metric, mysql

COUNTERS = frozenset({"counter", "status_counter"})
"""Types of rows that only grow."""

_POOL_PAGES = "buffer_pool_pages_"
_PAGE_KINDS = {
    "buffer_page_read_": mysql.INNODB_PAGES_READ,
    "buffer_page_written_": mysql.INNODB_PAGES_WRITTEN,
}


def _place(row: Row) -> tuple[Metric, tuple[str, ...]] | None:
    """Return the metric of a row, and its labels after ``server``."""
    name, subsystem = row["name"], row["subsystem"]
    if subsystem == "buffer_page_io":
        for beginning, metric in _PAGE_KINDS.items():
            if name.startswith(beginning):
                return metric, (name.removeprefix(beginning),)
        return None
    if subsystem == "buffer" and name.startswith(_POOL_PAGES):
        state = name.removeprefix(_POOL_PAGES)
        if state == "total":
            return None  # the sum of the others
        return (mysql.INNODB_POOL_DIRTY, ()) if state == "dirty" else (
            mysql.INNODB_POOL_PAGES, (state,)
        )  # fmt: skip
    # A counter may be below 0 for a moment (MySQL bug 75966); no Prometheus counter may.
    counts = row["type"] in COUNTERS and row["count"] >= 0
    return mysql.innodb(subsystem, name, counts=counts), ()


def _families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    found: dict[Metric, list[Sample]] = {}
    for row in rows:
        place = _place(row)
        if place is not None:
            metric, labels = place
            found.setdefault(metric, []).append(((server, *labels), number(row["count"])))
    yield from (Family(metric, samples) for metric, samples in found.items())


METRICS = Question(
    "collect.info_schema.innodb_metrics",
    "SELECT name AS name, subsystem AS subsystem, type AS type, count AS count "
    "FROM information_schema.innodb_metrics WHERE {is_enabled}",
    _families,
)


COMPRESSION = Question(
    "collect.info_schema.innodb_cmp",
    "SELECT page_size AS page_size, compress_ops AS compress_ops, "
    "compress_ops_ok AS compress_ops_ok, compress_time AS compress_time, "
    "uncompress_ops AS uncompress_ops, uncompress_time AS uncompress_time "
    "FROM information_schema.innodb_cmp",
    by_column(mysql.COMPRESSION, ("page_size",)),
)

# relocation_time is in microseconds, the other times in seconds.
COMPRESSED_MEMORY = Question(
    "collect.info_schema.innodb_cmpmem",
    "SELECT page_size AS page_size, buffer_pool_instance AS buffer_pool, "
    "pages_used AS pages_used, pages_free AS pages_free, "
    "relocation_ops AS relocation_ops, relocation_time / 1000000 AS relocation_time "
    "FROM information_schema.innodb_cmpmem",
    by_column(mysql.COMPRESSED_MEMORY, ("page_size", "buffer_pool")),
)
