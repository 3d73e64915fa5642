"""`make up`: everything starts, says where it is, and stops without a trace."""

import psutil
import pytest
import requests

from tests.stack.conftest import RunningStack
from tests.waiting import wait_until

pytestmark = pytest.mark.live

SERVICES = ("agent", "anomaly", "alerting", "remediation", "console")
UP_OFFSET = 20_000


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    stack = RunningStack("up", tmp_path_factory.mktemp("up") / "var", UP_OFFSET)
    try:
        yield stack.wait_ready()
    finally:
        stack.stop()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_every_service_answers(up, service, path):
    assert requests.get(up.url(service) + path, timeout=10).status_code == 200


def test_prometheus_scrapes_every_service(up):
    def all_up():
        answer = requests.get(
            up.url("prometheus") + "/api/v1/query", params={"query": "up"}, timeout=10
        ).json()
        found = {s["metric"]["job"]: s["value"][1] for s in answer["data"]["result"]}
        return set(found) >= {*SERVICES, "prometheus"} and set(found.values()) == {"1"}

    wait_until(all_up, timeout_seconds=60, what="every target up")


def test_prometheus_knows_where_alerts_go(up):
    answer = requests.get(up.url("prometheus") + "/api/v1/alertmanagers", timeout=10).json()
    (active,) = answer["data"]["activeAlertmanagers"]
    assert active["url"] == f"{up.url('alerting')}/api/v2/alerts"


def test_the_table_names_every_address(up):
    text = up.log.read_text()
    for part in (*SERVICES, "prometheus"):
        assert up.url(part).removeprefix("http://") in text
    assert "all ready" in text


def test_every_line_our_services_log_is_json(up):
    for path in (up.data_dir / "logs").glob("*.log"):
        for line in path.read_text().splitlines():
            assert line.startswith("{"), f"{path.name}: {line}"


def test_ctrl_c_leaves_no_process_and_the_next_start_carries_on(tmp_path):
    first = RunningStack("up", tmp_path / "var", UP_OFFSET + 100).wait_ready()
    pids = [process.pid for process in first.processes()]
    secret = (first.data_dir / "secrets" / "remediation-webhook").read_text()
    first.stop()
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    second = RunningStack("up", tmp_path / "var", UP_OFFSET + 100).wait_ready()
    try:
        assert (second.data_dir / "secrets" / "remediation-webhook").read_text() == secret
    finally:
        second.stop()
