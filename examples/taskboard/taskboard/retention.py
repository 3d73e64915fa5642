"""Forgetting tasks that were done long ago, so that a board that runs for months stays small."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from taskboard.board import Board

KEEP_DONE = timedelta(minutes=30)
EVERY_SECONDS = 60.0


def forget_old_tasks(board: Board) -> Callable[[], int]:
    """Return a step that deletes what was done before the last half hour."""
    return lambda: board.forget_done(datetime.now(UTC) - KEEP_DONE)
