"""Gathers what an explanation is made of from all queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from anomaly.episodes import Episode, series_id
from anomaly.explanation import (
    Explanation,
    Movement,
    contributors,
    last_change,
    moved_along,
    nearest,
)
from anomaly.feedback import Feedback
from anomaly.feedback_book import FeedbackBook
from anomaly.panel import SeriesKey
from anomaly.runner import QueryRunner
from watchkeeper.clock import format_rfc3339

BEFORE_SECONDS = 600.0
"""So long before an episode the movements are compared: what came first is part of the answer."""

RENEWED_SECONDS = 60.0
RENEWALS = 3
"""An explanation is made anew for the first minutes: what follows an episode is part of it, too."""

REMEMBERED_EPISODES = 1_000
MAXIMUM_SERIES = 500
"""Of a service: more are not compared."""


class Explainer:
    """Explains episodes; anew in their first minutes and when they are over, else from memory.

    Args:
        runners: the queries.
        book: what people said.
        alarms_a_week: of a query's newest backtest, None without one.
    """

    def __init__(
        self,
        runners: Callable[[], Sequence[QueryRunner]],
        book: FeedbackBook,
        alarms_a_week: Callable[[str], float | None] = lambda _query: None,
    ) -> None:
        self._runners = runners
        self._book = book
        self._alarms_a_week = alarms_a_week
        self._known: dict[tuple[str, bool, int], Explanation] = {}

    def explain(self, episode: Episode) -> Explanation:
        """Return what can be said of an episode."""
        at = (episode.id, episode.is_open, self._age(episode))
        known = self._known.get(at)
        if known is None:
            known = self._explained(episode)
            while len(self._known) >= REMEMBERED_EPISODES:
                del self._known[next(iter(self._known))]
            self._known[at] = known
        return known

    def _age(self, episode: Episode) -> int:
        runner = next((one for one in self._runners() if one.name == episode.query), None)
        judged = runner.evaluation.judged_until_seconds if runner is not None else None
        age = (judged or episode.started_seconds) - episode.started_seconds
        return min(RENEWALS, int(age / RENEWED_SECONDS))

    def _explained(self, episode: Episode) -> Explanation:
        runners = list(self._runners())
        own_runner = next((one for one in runners if one.name == episode.query), None)
        if own_runner is None:
            return Explanation()
        since = episode.started_seconds - BEFORE_SECONDS
        service = service_of(episode.key, own_runner)
        movements = [
            movement
            for runner in runners
            for movement in runner.evaluation.movements(since, _of_service(service, runner))
        ][:MAXIMUM_SERIES]
        own = next((m for m in movements if (m.query, m.key) == (episode.query, episode.key)), None)
        group_by = own_runner.settings.group_by
        members = [
            m for m in movements if m.query == episode.query and _same(m.key, episode.key, group_by)
        ]
        return Explanation(
            contributors=contributors(members) if group_by else (),
            moved_along=moved_along(own, movements) if own is not None else (),
            nearest=nearest(episode, own_runner.evaluation.episodes()),
            last_change=last_change(episode, self._book.of(episode.query)),
            alarms_a_week=self._alarms_a_week(episode.query),
        )


def service_of(key: SeriesKey, runner: QueryRunner) -> str | None:
    """Return the service a series belongs to, None when neither it nor its query says."""
    return runner.settings.labels.get("service", dict(key).get("service"))


def _of_service(service: str | None, runner: QueryRunner) -> Callable[[SeriesKey], bool]:
    return lambda key: service is not None and service_of(key, runner) == service


def _same(one: SeriesKey, other: SeriesKey, labels: Sequence[str]) -> bool:
    first, second = dict(one), dict(other)
    return all(first.get(name) == second.get(name) for name in labels)


def annotations_of(explanation: Explanation, episode: Episode) -> dict[str, str]:
    """Return an explanation as an alert's annotations; only what is known."""
    told: dict[str, str] = {}
    if explanation.contributors:
        parts = (f"{_name(m)} {share:.0%}" for m, share in explanation.contributors)
        told["contributors"] = "; ".join(parts)
    if explanation.moved_along:
        parts = (_moved(one.movement, one.later_seconds) for one in explanation.moved_along)
        told["moved_along"] = "; ".join(parts)
    if explanation.nearest is not None:
        told["similar"] = _similar(explanation.nearest)
    if explanation.last_change is not None:
        told["last_change"] = _changed(explanation.last_change, episode)
    if explanation.alarms_a_week is not None:
        told["backtest"] = f"{explanation.alarms_a_week:.2g} such alarms a week"
    return told


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as the API shows it."""
    change, like = explanation.last_change, explanation.nearest
    return {
        "contributors": [
            {**_series(movement), "share": share} for movement, share in explanation.contributors
        ],
        "moved_along": [
            {
                **_series(one.movement),
                "correlation": one.correlation,
                "later_seconds": one.later_seconds,
            }
            for one in explanation.moved_along
        ],
        "similar": None
        if like is None
        else {"id": like.id, "started_at": _text(like.started_seconds), "ending": like.ending},
        "last_change": None
        if change is None
        else {
            "kind": change.kind,
            "at": _text(change.starts_seconds),
            "by": change.by,
            "reason": change.reason,
        },
        "alarms_a_week": explanation.alarms_a_week,
    }


def _series(movement: Movement) -> dict[str, Any]:
    return {
        "series": series_id(movement.query, movement.key),
        "query": movement.query,
        "labels": dict(movement.key),
    }


def _name(movement: Movement) -> str:
    labels = ", ".join(f"{name} {value}" for name, value in movement.key if name != "service")
    return f"{movement.query} ({labels})" if labels else movement.query


def _moved(movement: Movement, later_seconds: float) -> str:
    when = "at the same time"
    if later_seconds:
        when = f"{abs(later_seconds):g} s {'later' if later_seconds > 0 else 'earlier'}"
    return f"{_name(movement)} {when}"


def _similar(like: Episode) -> str:
    how = like.ending.value if like.ending else "under way"
    return f"episode {like.id} of {_text(like.started_seconds)}, {how}"


def _changed(change: Feedback, episode: Episode) -> str:
    ago = episode.started_seconds - change.starts_seconds
    when = f"{ago:.0f} s before" if ago >= 0 else f"{-ago:.0f} s after it began"
    return f"{change.kind.value} by {change.by}, {when}" + (
        f": {change.reason}" if change.reason else ""
    )


def _text(seconds: float) -> str:
    return format_rfc3339(datetime.fromtimestamp(seconds, UTC))
