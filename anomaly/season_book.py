"""The profiles of longer seasons on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from anomaly.season import Season
from anomaly.seasons import Seasons, decoded, encoded
from watchkeeper.storage import reading, writing

_SAVE = sa.text(
    "INSERT INTO seasons (query, shard, content) VALUES (:query, :shard, :content)"
    " ON CONFLICT (query, shard) DO UPDATE SET content = :content"
)


class SeasonBook:
    """The seasons table; the ledger makes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, query: str, by_shard: Mapping[int, Seasons]) -> None:
        """Keep the profiles of a query's series; raise StorageError when they were not kept."""
        rows = [
            {"query": query, "shard": shard, "content": encoded(seasons)}
            for shard, seasons in by_shard.items()
        ]
        if rows:
            with writing(self._engine) as connection:
                connection.execute(_SAVE, rows)

    def of(self, query: str, season: Season, shards: Iterable[int]) -> list[Seasons]:
        """Return what is known of that season of a query, of the given shards."""
        wanted = set(shards)
        with reading(self._engine) as connection:
            found = connection.execute(
                sa.text("SELECT shard, content FROM seasons WHERE query = :query"),
                {"query": query},
            ).all()
        known = [decoded(bytes(content), season) for shard, content in found if shard in wanted]
        return [one for one in known if one is not None]
