"""Questions about the server as a whole: its counters and its settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.family import Family, Sample, single
from agent.mysql.values import as_number
from agent.sql.question import Question, Row
from watchkeeper.catalogue import Metric, mysql

GROUPS: tuple[tuple[str, Metric], ...] = (
    ("com_", mysql.COMMANDS),
    ("handler_", mysql.HANDLERS),
    ("connection_errors_", mysql.CONNECTION_ERRORS),
    ("innodb_rows_", mysql.ROW_OPERATIONS),
    ("performance_schema_", mysql.INSTRUMENTS_LOST),
)
"""Beginning of the names that are one metric, the rest of the name being its label."""

_PAGES = "innodb_buffer_pool_pages_"
PAGE_STATES = frozenset({"data", "free", "misc", "old"})
"""States of pages of the buffer pool; the other variables of that name count changes."""


def _pages(name: str) -> tuple[Metric, tuple[str, ...]] | None:
    if name == "total":
        return None  # the sum of the others
    if name == "dirty":
        return mysql.POOL_DIRTY, ()
    return (mysql.POOL_PAGES if name in PAGE_STATES else mysql.POOL_CHANGES), (name,)


def _place(name: str) -> tuple[Metric, tuple[str, ...]] | None:
    """Return the metric of a status variable, and its labels after ``server``."""
    if name.startswith(_PAGES):
        return _pages(name.removeprefix(_PAGES))
    for beginning, metric in GROUPS:
        if name.startswith(beginning):
            return metric, (name.removeprefix(beginning),)
    return mysql.status(name), ()


def _status_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    found: dict[Metric, list[Sample]] = {}
    for name, text in _pairs(rows):
        value = as_number(text)
        place = _place(name)
        if value is not None and place is not None:
            metric, labels = place
            found.setdefault(metric, []).append(((server, *labels), value))
    yield from (Family(metric, samples) for metric, samples in found.items())
    texts = dict(_pairs(rows))
    if texts.get("wsrep_local_state_uuid"):
        names = ("wsrep_local_state_uuid", "wsrep_cluster_state_uuid", "wsrep_provider_version")
        labels = (server, *(texts.get(name, "") for name in names))
        yield single(mysql.GALERA_STATUS, 1, labels)


STATUS = Question("collect.global_status", "SHOW GLOBAL STATUS", _status_families)


def _variable_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    texts = dict(_pairs(rows))
    for name, text in texts.items():
        value = as_number(text)
        if value is not None:
            yield single(mysql.variable(name), value, (server,))
    names = ("innodb_version", "version", "version_comment")
    yield single(mysql.VERSION_INFO, 1, (server, *(texts.get(name, "") for name in names)))
    for metric, name in (
        (mysql.ISOLATION, "transaction_isolation"),
        (mysql.ISOLATION, "tx_isolation"),
        (mysql.GALERA_VARIABLES, "wsrep_cluster_name"),
    ):
        if texts.get(name):
            yield single(metric, 1, (server, texts[name]))


VARIABLES = Question("collect.global_variables", "SHOW GLOBAL VARIABLES", _variable_families)


def _pairs(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    return ((row["Variable_name"].lower(), row["Value"]) for row in rows)
