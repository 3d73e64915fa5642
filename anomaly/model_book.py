"""The trained models on disk."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from anomaly.models import Model
from anomaly.settings import QuerySettings
from watchkeeper.storage import reading, writing

_SAVE = sa.text(
    "INSERT INTO models (query, detector, expression, step_seconds, until_seconds, content)"
    " VALUES (:query, :detector, :expression, :step, :until, :content)"
    " ON CONFLICT (query, detector) DO UPDATE SET expression = :expression,"
    " step_seconds = :step, until_seconds = :until, content = :content"
)


class ModelBook:
    """The models table; the ledger makes it. Of several replicas the one trained last is kept."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, query: str, settings: QuerySettings, by_detector: Mapping[str, Model]) -> None:
        """Keep the models of a query; raise StorageError when they were not kept."""
        rows = [
            {
                "query": query,
                "detector": detector,
                "expression": settings.expression,
                "step": settings.step,
                "until": model.until_seconds,
                "content": model.content,
            }
            for detector, model in by_detector.items()
        ]
        if rows:
            with writing(self._engine) as connection:
                connection.execute(_SAVE, rows)

    def of(self, query: str, settings: QuerySettings) -> dict[str, Model]:
        """Return by detector the models trained on what this query asks for, at its step."""
        with reading(self._engine) as connection:
            found = connection.execute(
                sa.text(
                    "SELECT detector, content, until_seconds FROM models WHERE query = :query"
                    " AND expression = :expression AND step_seconds = :step"
                ),
                {"query": query, "expression": settings.expression, "step": settings.step},
            ).all()
        return {name: Model(bytes(content), float(until)) for name, content, until in found}
