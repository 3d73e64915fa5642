"""What people said, on disk: added and marked as undone, never deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import inf, isinf
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from anomaly.feedback import Feedback, Kind
from watchkeeper.errors import Refused
from watchkeeper.storage import reading, writing

_ADD = sa.text(
    "INSERT INTO feedback (id, kind, query, labels, exact, episode, starts_seconds, ends_seconds,"
    " below, above, reported_by, reason, created_seconds)"
    " VALUES (:id, :kind, :query, :labels, :exact, :episode, :starts, :ends,"
    " :below, :above, :by, :reason, :created)"
)


class FeedbackBook:
    """The feedback table; the ledger makes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, word: Feedback) -> None:
        """Keep what was said; raise StorageError when it was not kept."""
        with writing(self._engine) as connection:
            connection.execute(_ADD, _row_of(word))

    def undo(self, identity: str, *, by: str, at_seconds: float) -> Feedback:
        """Mark it as taken back and return it.

        Raises:
            Refused: there is none of that id, or it was taken back before.
        """
        with writing(self._engine) as connection:
            changed = connection.execute(
                sa.text(
                    "UPDATE feedback SET undone_seconds = :at, undone_by = :by"
                    " WHERE id = :id AND undone_seconds IS NULL"
                ),
                {"id": identity, "at": at_seconds, "by": by},
            )
            if changed.rowcount != 1:
                raise Refused(f"no feedback {identity} that still holds")
        return next(word for word in self.all() if word.id == identity)

    def all(self) -> list[Feedback]:
        """Return everything that was ever said, oldest first."""
        with reading(self._engine) as connection:
            rows = (
                connection.execute(sa.text("SELECT * FROM feedback ORDER BY created_seconds, id"))
                .mappings()
                .all()
            )
        return [_feedback_of(row) for row in rows]

    def of(self, query: str) -> tuple[Feedback, ...]:
        """Return everything that was ever said of a query, oldest first."""
        return tuple(word for word in self.all() if word.query in (None, query))


def _row_of(word: Feedback) -> dict[str, object]:
    return {
        "id": word.id,
        "kind": str(word.kind),
        "query": word.query,
        "labels": json.dumps(dict(word.labels), sort_keys=True),
        "exact": int(word.exact),
        "episode": word.episode,
        "starts": word.starts_seconds,
        "ends": None if isinf(word.ends_seconds) else word.ends_seconds,
        "below": word.below,
        "above": word.above,
        "by": word.by,
        "reason": word.reason,
        "created": word.created_seconds,
    }


def _feedback_of(row: Mapping[Any, Any]) -> Feedback:
    return Feedback(
        id=row["id"],
        kind=Kind(row["kind"]),
        query=row["query"],
        labels=tuple(sorted(json.loads(row["labels"]).items())),
        exact=bool(row["exact"]),
        starts_seconds=row["starts_seconds"],
        by=row["reported_by"],
        reason=row["reason"],
        created_seconds=row["created_seconds"],
        ends_seconds=inf if row["ends_seconds"] is None else row["ends_seconds"],
        episode=row["episode"],
        below=row["below"],
        above=row["above"],
        undone_seconds=row["undone_seconds"],
        undone_by=row["undone_by"],
    )
