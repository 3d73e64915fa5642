"""What the anomaly service's HTTP API takes and gives, told in OpenAPI 3.1."""

from __future__ import annotations

from functools import cache
from typing import Any

from anomaly.feedback import Kind
from anomaly.view import State
from watchkeeper import openapi
from watchkeeper.openapi import (
    ANYTHING,
    CONFIGURATION,
    COUNT,
    FLAG,
    LABELS,
    NUMBER,
    TEXT,
    TIME,
    Endpoint,
    Operation,
    Schema,
    asked,
    list_of,
    one_of,
    optional,
    ref,
    whole,
)

_NUMBER_OR_NULL = optional(NUMBER)
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 200}

_SERIES = {
    "id": TEXT, "query": TEXT, "labels": LABELS, "state": one_of(State), "score": _NUMBER_OR_NULL,
    "scores": {"type": "object", "additionalProperties": _NUMBER_OR_NULL},
    "actual": _NUMBER_OR_NULL, "expected": _NUMBER_OR_NULL, "lower": _NUMBER_OR_NULL,
    "upper": _NUMBER_OR_NULL, "alerting": FLAG, "detector": optional(TEXT),
    "since": optional(TIME),
}  # fmt: skip

_EPISODE = {
    "id": TEXT, "query": TEXT, "series": TEXT, "labels": LABELS, "alert_labels": LABELS,
    "started_at": TIME, "ended_at": optional(TIME), "ending": optional(TEXT), "habitual": FLAG,
    "peak_score": NUMBER, "furthest_below": NUMBER, "furthest_above": NUMBER,
}  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Query": whole(
        name=TEXT, expression=TEXT, detector=TEXT, pinned=FLAG, trial=optional(ANYTHING),
        challengers=list_of(TEXT), state=one_of(State), series=COUNT,
        series_by_state={"type": "object", "additionalProperties": COUNT},
        last_evaluated_at=optional(TIME), error=optional(TEXT),
    ),
    "Series": whole(**_SERIES),
    "SeriesWithPoints": whole(**_SERIES, points=optional(ANYTHING)),
    "Episode": whole(**_EPISODE),
    "ExplainedEpisode": whole(**_EPISODE, explanation=ANYTHING),
    "FeedbackRequest": {
        **asked(
            {"kind": one_of(Kind), "by": _NAME},
            reason={"type": "string", "maxLength": 2_000}, episode=optional(TEXT),
            series=optional(TEXT), query=optional(TEXT), labels=LABELS, starts_at=optional(TIME),
            ends_at=optional(TIME), **{"from": optional(TIME), "until": optional(TIME)},
        ),
        "additionalProperties": False,
    },
    "Feedback": whole(
        id=TEXT, kind=one_of(Kind), query=optional(TEXT), labels=LABELS, episode=optional(TEXT),
        starts_at=TIME, ends_at=optional(TIME), tolerated_below=NUMBER, tolerated_above=NUMBER,
        by=TEXT, reason=TEXT, created_at=TIME, holds=FLAG, undone_at=optional(TIME),
        undone_by=optional(TEXT),
    ),
    "Forecast": whole(
        name=TEXT, summary=TEXT, expression=TEXT, limit=NUMBER, comes=TEXT, horizon_seconds=NUMBER,
        made_at=TIME, left_out=COUNT,
        series=list_of(
            whole(
                labels=LABELS, now=NUMBER, warns=FLAG, text=TEXT, forecaster=TEXT,
                seconds_to_limit={"type": "object", "additionalProperties": _NUMBER_OR_NULL},
                mean_absolute_errors={"type": "object", "additionalProperties": _NUMBER_OR_NULL},
            )
        ),
    ),
}  # fmt: skip

OPERATIONS: dict[Endpoint, Operation] = {
    ("GET", "/api/openapi.json"): Operation("Return this description.", ANYTHING),
    **CONFIGURATION,
    ("GET", "/api/v1/queries"): Operation(
        "List the queries in force.", whole(queries=list_of(ref("Query")))
    ),
    ("GET", "/api/v1/series"): Operation(
        "List the series, the most anomalous first.",
        whole(series=list_of(ref("Series"))),
        parameters={"query": TEXT},
    ),
    ("GET", "/api/v1/series/<identity>"): Operation(
        "Return a series with its recent past.",
        ref("SeriesWithPoints"),
        parameters={"minutes": {"type": "number", "minimum": 0, "maximum": 1_000_000}},
        refusals=(404,),
    ),
    ("GET", "/api/v1/forecasts"): Operation(
        "Say what lies ahead of which series.", whole(forecasts=list_of(ref("Forecast")))
    ),
    ("POST", "/api/v1/feedback"): Operation(
        "Tell the detectors what was no problem, is normal now, or must not teach.",
        ref("Feedback"),
        takes=ref("FeedbackRequest"),
        refusals=(409,),
        status=201,
    ),
    ("GET", "/api/v1/feedback"): Operation(
        "List what was said, newest first.", whole(feedback=list_of(ref("Feedback")))
    ),
    ("POST", "/api/v1/feedback/<identity>/undo"): Operation(
        "Take back what was said.",
        ref("Feedback"),
        takes=asked({"by": _NAME}),
        refusals=(409,),
    ),
    ("GET", "/api/v1/episodes"): Operation(
        "List episodes, newest first.",
        whole(episodes=list_of(ref("Episode"))),
        parameters={
            "query": TEXT,
            "series": TEXT,
            "open": FLAG,
            "limit": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
        },
    ),
    ("GET", "/api/v1/episodes/<identity>"): Operation(
        "Return an episode and what can be said of it.", ref("ExplainedEpisode"), refusals=(404,)
    ),
}


@cache
def document() -> dict[str, Any]:
    """Return the description of the whole API."""
    return openapi.document(
        "Watchkeeper anomaly",
        "What is normal, what is not, what lies ahead, and what people say of it.",
        OPERATIONS,
        SCHEMAS,
    )
