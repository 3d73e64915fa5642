"""The HTTP API for people's word: say, list, undo; and the episodes it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import isinf
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import ValidationError

from anomaly.alerts import labels_of
from anomaly.episodes import Episode, series_id
from anomaly.explainer import explanation_document
from anomaly.explanation import Explanation
from anomaly.feedback import Feedback
from anomaly.feedback_book import FeedbackBook
from anomaly.feedback_request import LONGEST_NAME, FeedbackRequest, feedback_of
from anomaly.query_text import count_of, flag_of
from anomaly.runner import QueryRunner
from watchkeeper.clock import Clock, format_rfc3339

LIMIT = 200


def feedback_blueprint(
    runners: Callable[[], Sequence[QueryRunner]],
    book: FeedbackBook,
    clock: Clock,
    explain: Callable[[Episode], Explanation],
) -> Blueprint:
    """Return the routes under ``/api/v1``; ``explain`` is asked of a single episode."""
    routes = Blueprint("feedback", __name__, url_prefix="/api/v1")

    @routes.post("/feedback")
    def say() -> tuple[Response, int]:
        word = feedback_of(_asked(), runners(), now_seconds=clock.now().timestamp())
        book.add(word)
        return jsonify(feedback_document(word)), 201

    @routes.get("/feedback")
    def listed() -> Response:
        return jsonify(feedback=[feedback_document(one) for one in book.all()[::-1][:LIMIT]])

    @routes.post("/feedback/<identity>/undo")
    def undo(identity: str) -> Response:
        body = request.get_json(silent=True)
        by = body.get("by") if isinstance(body, dict) else None
        if not isinstance(by, str) or not 0 < len(by) <= LONGEST_NAME:
            abort(400, description="by: expected the name of who takes it back")
        word = book.undo(identity, by=by, at_seconds=clock.now().timestamp())
        return jsonify(feedback_document(word))

    @routes.get("/episodes")
    def episodes() -> Response:
        query, series = request.args.get("query"), request.args.get("series")
        only_open, limit = flag_of("open"), count_of("limit", default=LIMIT)
        shown = [
            episode_document(one, runner)
            for runner in runners()
            for one in runner.evaluation.episodes()
            if query in (None, one.query) and (one.is_open or not only_open)
        ]
        shown = [one for one in shown if series in (None, one["series"])]
        shown.sort(key=lambda one: one["started_at"], reverse=True)
        return jsonify(episodes=shown[:limit])

    @routes.get("/episodes/<identity>")
    def one_episode(identity: str) -> Response:
        known = ((one, runner) for runner in runners() for one in runner.evaluation.episodes())
        found = next((pair for pair in known if pair[0].id == identity), None)
        if found is None:
            abort(404, description=f"no episode {identity!r}; GET /api/v1/episodes lists them")
        explanation = explanation_document(explain(found[0]))
        return jsonify(**episode_document(*found), explanation=explanation)

    return routes


def _asked() -> FeedbackRequest:
    try:
        return FeedbackRequest.model_validate(request.get_json(silent=True))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        abort(400, description=f"{where}: {first['msg']}")


def feedback_document(word: Feedback) -> dict[str, Any]:
    """Return what was said as the API shows it."""
    return {
        "id": word.id,
        "kind": word.kind,
        "query": word.query,
        "labels": dict(word.labels),
        "episode": word.episode,
        "starts_at": _text(word.starts_seconds),
        "ends_at": None if isinf(word.ends_seconds) else _text(word.ends_seconds),
        "tolerated_below": word.below,
        "tolerated_above": word.above,
        "by": word.by,
        "reason": word.reason,
        "created_at": _text(word.created_seconds),
        "holds": word.holds,
        "undone_at": None if word.undone_seconds is None else _text(word.undone_seconds),
        "undone_by": word.undone_by,
    }


def episode_document(episode: Episode, runner: QueryRunner) -> dict[str, Any]:
    """Return an episode of a runner's query as the API shows it."""
    return {
        "id": episode.id,
        "query": episode.query,
        "series": series_id(episode.query, episode.key),
        "labels": dict(episode.key),
        "alert_labels": labels_of(episode, runner.settings),
        "started_at": _text(episode.started_seconds),
        "ended_at": None if episode.ended_seconds is None else _text(episode.ended_seconds),
        "ending": episode.ending,
        "habitual": episode.habitual,
        "peak_score": episode.peak_score,
        "furthest_below": episode.below,
        "furthest_above": episode.above,
    }


def _text(seconds: float) -> str:
    return format_rfc3339(datetime.fromtimestamp(seconds, UTC))
