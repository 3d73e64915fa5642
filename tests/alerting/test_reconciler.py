"""A push that was lost heals from Prometheus' own list of alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from alerting.alert import Alert
from alerting.reconciler import Reconciler, firing_alerts
from alerting.telemetry import Telemetry
from tests.alerting.desk import START, Desk, alert
from tests.alerting.loopback import LoopbackServer, Reply, Request, as_json
from watchkeeper.errors import UpstreamError
from watchkeeper.prometheus import PrometheusClient

DEAD = {
    "labels": {"alertname": "Dead", "service": "shop"},
    "annotations": {"summary": "x"},
    "state": "firing",
    "activeAt": "2026-01-05T08:59:00.5Z",
    "value": "1e+00",
}


class RulesServer(LoopbackServer):
    def __init__(self) -> None:
        super().__init__(self._answer)
        self.alerts = [DEAD]
        self.configuration = "global: {}"
        self.is_down = False

    def _answer(self, request: Request) -> Reply:
        if self.is_down:
            return Reply(503, json.dumps({"status": "error", "error": "starting"}).encode())
        data = {"yaml": self.configuration}
        if request.path.startswith("/api/v1/alerts"):
            data = {"alerts": self.alerts}
        return as_json({"status": "success", "data": data})


@pytest.fixture
def rules() -> Iterator[RulesServer]:
    with RulesServer() as server:
        yield server


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def reconciler(desk: Desk, rules: RulesServer, registry: CollectorRegistry) -> Reconciler:
    return Reconciler(
        engine=desk.store.engine,
        clock=desk.clock,
        prometheus=PrometheusClient(rules.url, timeout_seconds=2),
        accept=desk.router.accept,
        telemetry=Telemetry(registry),
    )


def test_an_alert_that_was_missed_twice_is_taken_in(reconciler, desk, registry):
    reconciler.run()
    assert desk.incidents() == []
    reconciler.run()
    assert desk.incident()["started_at"] == "2026-01-05T08:59:00.500Z"
    assert registry.get_sample_value("watchkeeper_alerts_healed_total") == 1


def test_an_alert_that_was_pushed_in_between_is_not_taken_in_again(reconciler, desk, registry):
    reconciler.run()
    desk.router.accept([Alert(DEAD["labels"], {}, START, START.replace(hour=10))])
    reconciler.run()
    assert len(desk.incident()["alerts"]) == 1
    assert registry.get_sample_value("watchkeeper_alerts_healed_total") == 0


def test_while_pushes_stay_away_what_fires_does_not_end(reconciler, desk):
    for _ in range(30):
        reconciler.run()
        desk.clock.advance(20)
        desk.router.expire()
    assert desk.incident()["status"] == "open"


def test_a_pending_alert_does_not_fire(reconciler, desk, rules):
    rules.alerts = [{**DEAD, "state": "pending"}]
    reconciler.run()
    reconciler.run()
    assert desk.incidents() == []


def test_without_an_answer_nothing_changes_and_it_is_counted(reconciler, desk, rules, registry):
    desk.router.accept([alert("Slow")])
    rules.is_down = True
    reconciler.run()
    assert desk.incident()["status"] == "open"
    labels = {"outcome": "http_status"}
    assert registry.get_sample_value("watchkeeper_reconciliations_total", labels) == 1


def test_external_labels_are_those_of_the_push():
    configuration = {"global": {"external_labels": {"region": "eu"}}}
    [found] = firing_alerts([DEAD], configuration, now=START)
    assert found.labels == {"alertname": "Dead", "service": "shop", "region": "eu"}


def test_lists_that_cannot_be_compared_are_not():
    configuration = {"alerting": {"alert_relabel_configs": [{"action": "labeldrop"}]}}
    with pytest.raises(UpstreamError, match="rewrites"):
        firing_alerts([DEAD], configuration, now=START)
