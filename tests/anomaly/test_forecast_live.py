"""Forecasts of a real Prometheus' history, as the service shows them."""

import math
import time

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from anomaly.answers import RangeClient
from anomaly.forecast.api import blueprint
from anomaly.forecast.job import Forecasts
from anomaly.forecast.metrics import ForecastCollector
from anomaly.forecast.settings import ForecastSettings
from anomaly.metrics import ServiceMetrics
from tests.anomaly.servers import prometheus_holding
from watchkeeper.catalogue import anomaly as catalogue
from watchkeeper.clock import SystemClock
from watchkeeper.prometheus import PrometheusClient

pytestmark = pytest.mark.live

SETTINGS = ForecastSettings(
    expression="used", limit=1.0, step=10.0, history=3_600.0, horizon=1_200.0, warn_within=900.0,
    every=600.0, season="none",
)  # fmt: skip


class Made:
    """Forecasts with what they show, and the outcomes they told."""

    def __init__(self, url: str) -> None:
        self.outcomes: list[tuple[str, str]] = []
        self.clock = SystemClock()
        self.registry = CollectorRegistry()
        counted = ServiceMetrics(self.registry)

        def made(name: str, outcome: str) -> None:
            self.outcomes.append((name, outcome))
            counted.forecast(name, outcome)

        self.forecasts = Forecasts(
            lambda timeout: RangeClient(PrometheusClient(url, timeout_seconds=timeout)),
            self.clock,
            made,
        )
        self.registry.register(ForecastCollector(self.forecasts.newest, self.clock.now))

    def metric(self, name: object) -> dict[tuple[str, ...], float]:
        text = generate_latest(self.registry).decode()
        return {
            tuple(label for _, label in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == str(name)
        }

    def documents(self) -> list[dict]:
        app = Flask(__name__)
        app.register_blueprint(blueprint(self.forecasts.newest))
        return app.test_client().get("/api/v1/forecasts").get_json()["forecasts"]


def test_what_fills_and_what_does_not_are_told_apart(tmp_path):
    now = time.time() // 10 * 10
    times = [now - 10.0 * age for age in range(360, -30, -1)]
    history = {
        'used{disk="filling"}': [(at, 0.9 + 0.1 * (at - now) / 600) for at in times],
        'used{disk="calm"}': [(at, 0.4 + 0.001 * (at % 70)) for at in times],
    }
    with prometheus_holding(tmp_path, history) as client:
        made = Made(client.base_url)
        made.forecasts.make("disk", SETTINGS)
    assert made.outcomes == [("disk", "ok")]
    filling, calm = ("disk", '{disk="filling"}'), ("disk", '{disk="calm"}')
    assert made.metric(catalogue.FORECAST_WARNING) == {filling: 1.0, calm: 0.0}
    to_limit = made.metric(catalogue.FORECAST_TIME_TO_LIMIT)
    assert 300 <= to_limit["disk", "0.5", '{disk="filling"}'] <= 900
    assert math.isinf(to_limit["disk", "0.5", '{disk="calm"}'])
    (document,) = made.documents()
    first, second = document["series"]
    assert first["text"].startswith("reaches 1 in ")
    assert second["seconds_to_limit"]["0.5"] is None
    assert second["text"] == "does not reach 1 within 20 min"


def test_a_server_that_is_gone_is_an_outcome_and_leaves_no_forecast():
    made = Made("http://127.0.0.1:1")
    made.forecasts.make("disk", SETTINGS)
    assert made.outcomes == [("disk", "connection")]
    assert made.documents() == []
    assert made.metric(catalogue.FORECAST_TIME_TO_LIMIT) == {}


def test_a_forecast_that_may_take_no_time_is_out_of_it(tmp_path):
    now = time.time()
    with prometheus_holding(tmp_path, {"used": [(now - 60, 0.5), (now, 0.5)]}) as client:
        made = Made(client.base_url)
        made.forecasts.make("disk", SETTINGS.model_copy(update={"budget": 1e-9}))
    assert [outcome for _, outcome in made.outcomes] in (["out-of-time"], ["timeout"])
