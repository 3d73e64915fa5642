"""The HTTP API: queries, series, and one series with its recent past."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from anomaly.backtest.trial import Trial
from anomaly.query_text import number_of
from anomaly.runner import QueryRunner
from anomaly.settings import PublishSettings
from anomaly.trail import LENGTH_SECONDS
from anomaly.view import SeriesView, State
from watchkeeper.clock import Clock, format_rfc3339

Runners = Callable[[], Sequence[QueryRunner]]

NOTHING_SHOWN = PublishSettings(all_up_to=0)


def blueprint(
    runners: Runners, clock: Clock, trial_of: Callable[[str], Trial | None] = lambda _query: None
) -> Blueprint:
    """Return the routes under ``/api/v1``, answering from the runners in force.

    Args:
        trial_of: the newest trial of a query.
    """
    routes = Blueprint("anomaly", __name__, url_prefix="/api/v1")

    @routes.get("/queries")
    def queries() -> Response:
        return jsonify(queries=[query_document(one, trial_of(one.name)) for one in runners()])

    @routes.get("/series")
    def series() -> Response:
        wanted = request.args.get("query")
        views = [view for one in runners() if wanted in (None, one.name) for view in one.views()]
        views.sort(key=most_anomalous_first)
        return jsonify(series=[series_document(view) for view in views])

    @routes.get("/series/<identity>")
    def one_series(identity: str) -> Response:
        minutes = number_of("minutes", default=LENGTH_SECONDS / 60)
        pairs = ((runner, view) for runner in runners() for view in runner.views())
        found = next((pair for pair in pairs if pair[1].id == identity), None)
        if found is None:
            abort(404, description=f"no series {identity!r}; GET /api/v1/series lists them")
        runner, view = found
        since = clock.now().timestamp() - minutes * 60
        return jsonify(**series_document(view), points=runner.evaluation.points(identity, since))

    return routes


def most_anomalous_first(view: SeriesView) -> tuple[bool, float, str]:
    """Return the sort key: those alerting, then by score, then by name."""
    return (not view.alerting, -(view.score or 0.0), view.text)


def trial_document(trial: Trial) -> dict[str, Any]:
    """Return the evidence on which a detector was chosen."""
    return {
        "champion": trial.champion,
        "decided_at": _moment(trial.decided_seconds),
        "entries": [asdict(entry) for entry in trial.entries],
    }


def query_document(runner: QueryRunner, trial: Trial | None) -> dict[str, Any]:
    """Return a query as the API shows it."""
    states = Counter(runner.overview(NOTHING_SHOWN).states)
    outcome = runner.outcome
    return {
        "name": runner.name,
        "expression": runner.settings.expression,
        "detector": runner.settings.detector,
        "pinned": not runner.settings.contenders,
        "trial": trial_document(trial) if trial else None,
        "challengers": list(runner.settings.challengers),
        "state": query_state(states),
        "series": states.total(),
        "series_by_state": {state: states[state] for state in State},
        "last_evaluated_at": format_rfc3339(outcome.at) if outcome else None,
        "error": outcome.error if outcome else None,
    }


def query_state(states: Counter[State]) -> State:
    """Return the state of a query: ready once most of the series that have samples are.

    A series that appeared a moment ago must not make a query look as if it could judge nothing.
    """
    ready, warming = states[State.READY], states[State.WARMING]
    if ready + warming:
        return State.READY if ready >= warming else State.WARMING
    return State.STALE if states[State.STALE] else State.ABSENT


def series_document(view: SeriesView) -> dict[str, Any]:
    """Return a series as the API shows it; null where nothing is known."""
    return {
        "id": view.id,
        "query": view.query,
        "labels": view.labels,
        "state": view.state,
        "score": view.score,
        "scores": dict(view.scores),
        "actual": view.actual,
        "expected": view.expected,
        "lower": view.lower,
        "upper": view.upper,
        "alerting": view.alerting,
        "detector": view.detector,
        "since": _moment(view.episode.started_seconds) if view.episode else None,
    }


def _moment(seconds: float) -> str:
    return format_rfc3339(datetime.fromtimestamp(seconds, UTC))
