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
from anomaly.feedback_book import FeedbackBook
from anomaly.trial_book import TrialBook
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


def _with_feedback(connection: Connection) -> None:
    for column in ("peak_score", "below", "above"):
        connection.exec_driver_sql(
            f"ALTER TABLE episodes ADD COLUMN {column} DOUBLE PRECISION NOT NULL DEFAULT 0"
        )
    connection.exec_driver_sql(
        "CREATE TABLE feedback (id TEXT PRIMARY KEY, kind TEXT NOT NULL, query TEXT,"
        " labels TEXT NOT NULL, exact INTEGER NOT NULL, episode TEXT,"
        " starts_seconds DOUBLE PRECISION NOT NULL, ends_seconds DOUBLE PRECISION,"
        " below DOUBLE PRECISION NOT NULL, above DOUBLE PRECISION NOT NULL,"
        " reported_by TEXT NOT NULL, reason TEXT NOT NULL,"
        " created_seconds DOUBLE PRECISION NOT NULL,"
        " undone_seconds DOUBLE PRECISION, undone_by TEXT)"
    )


def _with_habits(connection: Connection) -> None:
    connection.exec_driver_sql(
        "ALTER TABLE episodes ADD COLUMN habitual INTEGER NOT NULL DEFAULT 0"
    )


def _with_trials(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE trials (query TEXT NOT NULL, decided_seconds DOUBLE PRECISION NOT NULL,"
        " champion TEXT NOT NULL, entries TEXT NOT NULL)"
    )
    connection.exec_driver_sql("CREATE INDEX trials_by_query ON trials (query, decided_seconds)")


MIGRATIONS = (_first_schema, _with_feedback, _with_habits, _with_trials)
"""Only ever appended to."""

_SAVE_EPISODE = sa.text(
    "INSERT INTO episodes (id, query, labels, started_seconds, ended_seconds, ending,"
    " peak_score, below, above, habitual)"
    " VALUES (:id, :query, :labels, :started, :ended, :ending, :peak_score, :below, :above,"
    " :habitual)"
    " ON CONFLICT (id) DO UPDATE SET ended_seconds = :ended, ending = :ending,"
    " peak_score = :peak_score, below = :below, above = :above, habitual = :habitual"
)
_SAVE_JUDGED = sa.text(
    "INSERT INTO judged (query, until_seconds) VALUES (:query, :until)"
    " ON CONFLICT (query) DO UPDATE SET until_seconds = :until"
)


class Ledger:
    """Episodes on disk, and what people said of them (``feedback``), and ``trials``."""

    def __init__(self, engine: Engine) -> None:
        migrate(engine, MIGRATIONS)
        self._engine = engine
        self.feedback = FeedbackBook(engine)
        self.trials = TrialBook(engine)

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
        "peak_score": episode.peak_score,
        "below": episode.below,
        "above": episode.above,
        "habitual": int(episode.habitual),
    }


def _episode_of(row: sa.RowMapping) -> Episode:
    return Episode(
        row["query"],
        tuple(sorted(json.loads(row["labels"]).items())),
        row["started_seconds"],
        row["ended_seconds"],
        Ending(row["ending"]) if row["ending"] else None,
        peak_score=row["peak_score"],
        below=row["below"],
        above=row["above"],
        habitual=bool(row["habitual"]),
    )
