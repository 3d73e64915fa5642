"""The HTTP API: what lies ahead of which series, by which forecaster, and how well it did."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from anomaly.forecast.capacity import MEDIAN, Capacity, sentence
from anomaly.forecast.job import Forecast
from anomaly.forecast.settings import ForecastSettings
from watchkeeper.clock import format_rfc3339


def blueprint(newest: Callable[[], Sequence[Forecast]]) -> Blueprint:
    """Return the route under ``/api/v1``, answering from the forecasts that hold."""
    routes = Blueprint("forecasts", __name__, url_prefix="/api/v1")

    @routes.get("/forecasts")
    def forecasts() -> Response:
        return jsonify(forecasts=[forecast_document(one) for one in newest()])

    return routes


def forecast_document(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as the API shows it, the series nearest to its limit first."""
    settings = forecast.settings
    nearest = sorted(forecast.capacities, key=lambda one: one.seconds_to_limit[MEDIAN])
    return {
        "name": forecast.name,
        "summary": settings.summary,
        "expression": settings.expression,
        "limit": settings.limit,
        "comes": settings.comes,
        "horizon_seconds": settings.horizon,
        "made_at": format_rfc3339(datetime.fromtimestamp(forecast.made_seconds, UTC)),
        "left_out": forecast.left_out,
        "series": [series_document(one, settings) for one in nearest],
    }


def series_document(capacity: Capacity, settings: ForecastSettings) -> dict[str, Any]:
    """Return one series as the API shows it; null for a time beyond the horizon."""
    return {
        "labels": dict(capacity.key),
        "now": capacity.now,
        "seconds_to_limit": {
            f"{quantile:g}": None if math.isinf(seconds) else seconds
            for quantile, seconds in capacity.seconds_to_limit.items()
        },
        "warns": capacity.warns,
        "text": sentence(capacity, settings),
        "forecaster": capacity.forecaster,
        "mean_absolute_errors": dict(capacity.errors),
    }
