"""What MySQL and MariaDB call things by version: all the differences our questions know of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_OWN_WAITS = """(SELECT requesting_trx_id AS waiting, blocking_trx_id AS blocking
    FROM information_schema.innodb_lock_waits)"""
_SCHEMA_WAITS = """(SELECT DISTINCT requesting_engine_transaction_id AS waiting,
    blocking_engine_transaction_id AS blocking FROM performance_schema.data_lock_waits)"""

MYSQL_WORDS: Mapping[str, tuple[tuple[int, str], ...]] = {
    # 8.4 knows replicas only; the columns of its answer are put back to their names of before.
    "replica_status": ((0, "SHOW SLAVE STATUS"), (80400, "SHOW REPLICA STATUS")),
    "is_enabled": ((0, "status = 'enabled'"),),
    # 8.0 moved the waits of InnoDB to the performance schema.
    "lock_waits": ((0, _OWN_WAITS), (80000, _SCHEMA_WAITS)),
    "isolation": ((0, "tx_isolation"), (50720, "transaction_isolation")),
    # 5.7.8 and later limit reading statements only, in milliseconds; that is all we send.
    "time_limit": ((0, ""), (50708, "SET SESSION max_execution_time = {milliseconds}")),
}
MARIADB_WORDS: Mapping[str, tuple[tuple[int, str], ...]] = {
    "replica_status": ((0, "SHOW ALL SLAVES STATUS"),),
    # 10.5 renamed the column.
    "is_enabled": ((0, "status = 'enabled'"), (100500, "enabled")),
    "lock_waits": ((0, _OWN_WAITS),),
    "isolation": ((0, "tx_isolation"), (110100, "transaction_isolation")),
    "time_limit": ((0, ""), (100101, "SET SESSION max_statement_time = {seconds}")),
}
"""By word of our questions: from which version on (80036 for 8.0.36) it stands for what."""


class Release(NamedTuple):
    """A version as a number, 80036 for 8.0.36, and whose it is."""

    number: int
    is_mariadb: bool

    def words(self) -> dict[str, str]:
        """Return what each word of our questions stands for on this server."""
        table = MARIADB_WORDS if self.is_mariadb else MYSQL_WORDS
        return {
            word: [text for since, text in choices if since <= self.number][-1]
            for word, choices in table.items()
        }


def parse_version(text: str) -> Release:
    """Return what a server says of its version: ``8.0.36``, ``5.5.5-10.11.6-MariaDB-log``."""
    # MariaDB 10 puts 5.5.5- before its version, for replicas that know nothing newer.
    is_mariadb = "mariadb" in text.lower()
    plain = text.removeprefix("5.5.5-") if is_mariadb else text
    major, minor, patch = (int(part) for part in re.findall(r"\d+", f"{plain}.0.0")[:3])
    return Release(major * 10000 + minor * 100 + patch, is_mariadb)
