"""What must survive a restart: episodes, and up to which sample each query has been judged.

Samples themselves are read from Prometheus again; what was an incident, and therefore was not
learned, cannot be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from anomaly.episodes import Ending, Episode
from anomaly.feedback_book import FeedbackBook
from anomaly.model_book import ModelBook
from anomaly.season_book import SeasonBook
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


def _with_leases(connection: Connection) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE leases (shard INTEGER PRIMARY KEY, holder TEXT,"
        " expires_seconds DOUBLE PRECISION NOT NULL)"
    )
    connection.exec_driver_sql(
        "CREATE TABLE replicas (name TEXT PRIMARY KEY, expires_seconds DOUBLE PRECISION NOT NULL)"
    )
    connection.exec_driver_sql("ALTER TABLE judged RENAME TO judged_by_query")
    connection.exec_driver_sql(
        "CREATE TABLE judged (query TEXT NOT NULL, shard INTEGER NOT NULL,"
        " until_seconds DOUBLE PRECISION NOT NULL, PRIMARY KEY (query, shard))"
    )
    connection.exec_driver_sql(
        "INSERT INTO judged (query, shard, until_seconds)"
        " SELECT query, 0, until_seconds FROM judged_by_query"
    )
    connection.exec_driver_sql("DROP TABLE judged_by_query")


def _with_seasons(connection: Connection) -> None:
    binary = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
    connection.exec_driver_sql(
        "CREATE TABLE seasons (query TEXT NOT NULL, shard INTEGER NOT NULL,"
        f" content {binary} NOT NULL, PRIMARY KEY (query, shard))"
    )


def _with_models(connection: Connection) -> None:
    binary = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
    connection.exec_driver_sql(
        "CREATE TABLE models (query TEXT NOT NULL, detector TEXT NOT NULL,"
        " expression TEXT NOT NULL, step_seconds DOUBLE PRECISION NOT NULL,"
        f" until_seconds DOUBLE PRECISION NOT NULL, content {binary} NOT NULL,"
        " PRIMARY KEY (query, detector))"
    )


MIGRATIONS = (
    _first_schema, _with_feedback, _with_habits, _with_trials, _with_leases, _with_seasons,
    _with_models,
)  # fmt: skip
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
    "INSERT INTO judged (query, shard, until_seconds) VALUES (:query, :shard, :until)"
    " ON CONFLICT (query, shard) DO UPDATE SET until_seconds = :until"
)


class Ledger:
    """Episodes on disk, and beside them what people said (``feedback``) and what was learned.

    That is ``trials``, ``seasons`` and ``models``.
    """

    def __init__(self, engine: Engine) -> None:
        migrate(engine, MIGRATIONS)
        self._engine = engine
        self.feedback = FeedbackBook(engine)
        self.trials = TrialBook(engine)
        self.seasons = SeasonBook(engine)
        self.models = ModelBook(engine)

    def save(
        self,
        query: str,
        episodes: Sequence[Episode],
        judged_until_seconds: float,
        *,
        shards: Iterable[int] = (0,),
    ) -> None:
        """Keep changed episodes and how far the query has been judged, both or neither.

        Args:
            shards: those of its series that have been judged.

        Raises:
            StorageError: nothing was kept.
        """
        with writing(self._engine) as connection:
            for episode in episodes:
                connection.execute(_SAVE_EPISODE, _row_of(episode))
            for shard in shards:
                row = {"query": query, "shard": shard, "until": judged_until_seconds}
                connection.execute(_SAVE_JUDGED, row)

    def judged_until_seconds(self, query: str) -> dict[int, float]:
        """Return by shard the Unix time of the newest sample judged before; none for a new one."""
        with reading(self._engine) as connection:
            found = connection.execute(
                sa.text("SELECT shard, until_seconds FROM judged WHERE query = :query"),
                {"query": query},
            )
            return {int(shard): float(until) for shard, until in found}

    def forget_before(self, at_seconds: float) -> int:
        """Delete what ended before that time and return how many rows; what people said stays."""
        ended = sa.text("DELETE FROM episodes WHERE ended_seconds < :at")
        decided = sa.text(
            "DELETE FROM trials WHERE decided_seconds < :at AND decided_seconds <"
            " (SELECT max(newer.decided_seconds) FROM trials newer"
            "  WHERE newer.query = trials.query)"
        )
        with writing(self._engine) as connection:
            gone = [connection.execute(one, {"at": at_seconds}) for one in (ended, decided)]
        return sum(one.rowcount for one in gone)

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
