"""What must survive a restart: episodes, and up to which sample each query has been judged.

Samples themselves are read from Prometheus again; what was an incident, and therefore was not
learned, cannot be.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from anomaly.episodes import Ending, Episode
from watchkeeper.storage import migrate, reading, writing


def _first_schema(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE episodes (id TEXT PRIMARY KEY, query TEXT NOT NULL, labels TEXT NOT NULL,"
        " started_seconds DOUBLE PRECISION NOT NULL, ended_seconds DOUBLE PRECISION, ending TEXT)"
    )
    connection.exec_driver_sql("CREATE INDEX episodes_by_query ON episodes (query, ended_seconds)")
    connection.exec_driver_sql(
        "CREATE TABLE judged (query TEXT PRIMARY KEY, until_seconds DOUBLE PRECISION NOT NULL)"
    )


MIGRATIONS = (_first_schema,)
"""Only ever appended to."""

_SAVE_EPISODE = sa.text(
    "INSERT INTO episodes (id, query, labels, started_seconds, ended_seconds, ending)"
    " VALUES (:id, :query, :labels, :started, :ended, :ending)"
    " ON CONFLICT (id) DO UPDATE SET ended_seconds = :ended, ending = :ending"
)
_SAVE_JUDGED = sa.text(
    "INSERT INTO judged (query, until_seconds) VALUES (:query, :until)"
    " ON CONFLICT (query) DO UPDATE SET until_seconds = :until"
)


class Ledger:
    """Episodes on disk."""

    def __init__(self, engine: Engine) -> None:
        migrate(engine, MIGRATIONS)
        self._engine = engine

    def save(self, query: str, episodes: Sequence[Episode], judged_until_seconds: float) -> None:
        """Keep changed episodes and how far the query has been judged, both or neither.

        Raises:
            StorageError: nothing was kept.
        """
        with writing(self._engine) as connection:
            for episode in episodes:
                connection.execute(_SAVE_EPISODE, _row_of(episode))
            connection.execute(_SAVE_JUDGED, {"query": query, "until": judged_until_seconds})

    def judged_until_seconds(self, query: str) -> float | None:
        """Return the Unix time of the newest sample judged before, None for a new query."""
        with reading(self._engine) as connection:
            found = connection.execute(
                sa.text("SELECT until_seconds FROM judged WHERE query = :query"), {"query": query}
            ).scalar()
        return None if found is None else float(found)

    def episodes(self, query: str, *, since_seconds: float) -> list[Episode]:
        """Return the query's episodes that are under way or ended since that time."""
        with reading(self._engine) as connection:
            found = connection.execute(
                sa.text(
                    "SELECT * FROM episodes"
                    " WHERE query = :query AND (ended_seconds IS NULL OR ended_seconds >= :since)"
                    " ORDER BY started_seconds"
                ),
                {"query": query, "since": since_seconds},
            )
            rows = found.mappings().all()
        return [_episode_of(row) for row in rows]


def _row_of(episode: Episode) -> dict[str, object]:
    return {
        "id": episode.id,
        "query": episode.query,
        "labels": json.dumps(dict(episode.key), sort_keys=True),
        "started": episode.started_seconds,
        "ended": episode.ended_seconds,
        "ending": str(episode.ending) if episode.ending else None,
    }


def _episode_of(row: sa.RowMapping) -> Episode:
    return Episode(
        row["query"],
        tuple(sorted(json.loads(row["labels"]).items())),
        row["started_seconds"],
        row["ended_seconds"],
        Ending(row["ending"]) if row["ending"] else None,
    )
