from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from alerting.app import Alerting
from tests.alerting.desk import ALERTING, RULES, START, Desk
from tests.alerting.loopback import SECRET, EndpointServer, PrometheusServer, SlackServer
from watchkeeper.clock import ManualClock


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", SECRET)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    with SlackServer() as server:
        monkeypatch.setenv("TEST_SLACK_URL", f"{server.url}/services/T0/B0/x")
        yield server


@pytest.fixture
def endpoint() -> Iterator[EndpointServer]:
    with EndpointServer() as server:
        yield server


@pytest.fixture
def prometheus(clock: ManualClock) -> Iterator[PrometheusServer]:
    with PrometheusServer(clock.now) as server:
        yield server


@pytest.fixture
def make_desk(
    tmp_path,
    clock: ManualClock,
    slack: SlackServer,
    endpoint: EndpointServer,
    prometheus: PrometheusServer,
) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(**options) -> Desk:
        directory = tmp_path / f"desk-{len(desks)}"
        directory.mkdir()
        desk = Desk(
            directory,
            endpoint_url=endpoint.url,
            prometheus_url=prometheus.url,
            clock=clock,
            **options,
        )
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


@pytest.fixture
def alerting(tmp_path, clock, slack, monkeypatch):
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path / "var"))
    (tmp_path / "alerting.yml").write_text(ALERTING)
    (tmp_path / "remediation.yml").write_text(RULES.replace("DEDUPLICATES", "true"))
    service = Alerting(
        tmp_path / "alerting.yml", tmp_path / "remediation.yml", data_dir=tmp_path, clock=clock
    )
    yield service
    service.stop()


@pytest.fixture
def client(alerting):
    return alerting.service.app.test_client()
