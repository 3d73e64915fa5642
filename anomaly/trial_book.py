"""Trials on disk: which detector was chosen for a query, when, and on what evidence."""

from __future__ import annotations

import json
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from anomaly.backtest.trial import Entry, Trial
from watchkeeper.storage import reading, writing


class TrialBook:
    """The trials table; the ledger makes it. Every trial is kept, the newest counts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, trial: Trial) -> None:
        """Keep a trial; raise StorageError when it was not kept."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO trials (query, decided_seconds, champion, entries)"
                    " VALUES (:query, :decided, :champion, :entries)"
                ),
                {
                    "query": trial.query,
                    "decided": trial.decided_seconds,
                    "champion": trial.champion,
                    "entries": json.dumps([asdict(entry) for entry in trial.entries]),
                },
            )

    def newest(self, query: str) -> Trial | None:
        """Return the newest trial of a query, None before the first."""
        with reading(self._engine) as connection:
            row = (
                connection.execute(
                    sa.text(
                        "SELECT * FROM trials WHERE query = :query"
                        " ORDER BY decided_seconds DESC LIMIT 1"
                    ),
                    {"query": query},
                )
                .mappings()
                .first()
            )
        if row is None:
            return None
        entries = tuple(Entry(**entry) for entry in json.loads(row["entries"]))
        return Trial(row["query"], row["decided_seconds"], row["champion"], entries)
