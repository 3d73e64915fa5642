"""Questions about replication: the sources of this server, and its own binary logs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent.family import Family, Sample, single
from agent.mysql.values import as_number
from agent.sql.question import Question, Row, number
from watchkeeper.catalogue import Metric, mysql

_RENAMED = (("Source", "Master"), ("Replica", "Slave"))
"""What MySQL 8.0.22 renamed in the columns; dashboards ask for the older names."""


def _older(column: str) -> str:
    for new, old in _RENAMED:
        column = re.sub(rf"(?<![A-Za-z]){new}(?![a-z])", old, column)
    return column


def _families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    found: dict[Metric, list[Sample]] = {}
    for row in rows:
        columns = {_older(column): value for column, value in row.items()}
        names = ("Master_Host", "Master_UUID", "Channel_Name", "Connection_name")
        labels = (server, *(str(columns.get(name) or "") for name in names))
        for column, text in columns.items():
            value = as_number(text)
            if value is not None:
                found.setdefault(mysql.replica(column), []).append((labels, value))
    yield from (Family(metric, samples) for metric, samples in found.items())


REPLICA = Question("collect.slave_status", "{replica_status}", _families)


def _log_families(rows: Sequence[Row], server: str) -> Iterator[Family]:
    yield single(mysql.BINLOG_FILES, len(rows), (server,))
    yield single(mysql.BINLOG_SIZE, sum(number(row["File_size"]) for row in rows), (server,))
    newest = rows[-1]["Log_name"].rpartition(".")[2] if rows else ""
    if newest.isdecimal():
        yield single(mysql.BINLOG_NUMBER, int(newest), (server,))


BINARY_LOGS = Question("collect.binlog_size", "SHOW BINARY LOGS", _log_families)
