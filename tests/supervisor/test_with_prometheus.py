"""The real Prometheus follows what the supervisor knows."""

import pytest
import requests
import yaml

from tests.ports import free_ports
from tests.supervisor.stacks import UpCommand, server
from tests.waiting import wait_until
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.supervisor.stack import PROJECT

pytestmark = pytest.mark.live


def shipped_prometheus(port):
    """Return the shipped declaration on another port."""
    text = (PROJECT / "watchkeeper" / "supervisor" / "stack.yml").read_text()
    return {**yaml.safe_load(text)["processes"]["prometheus"], "port": port}


@pytest.fixture
def stack(tmp_path):
    web = server(maximum_instances=3, scrape={"job": "web", "service": "shop"})
    prometheus = shipped_prometheus(free_ports(1))
    with UpCommand(tmp_path, prometheus=prometheus, web=web) as running:
        yield running.wait_ready()


def targets(client, job):
    active = client.get("/api/v1/targets")["activeTargets"]
    return {one["labels"]["instance"] for one in active if one["labels"]["job"] == job}


def test_it_runs_our_configuration_and_scrapes_the_instances_there_are(stack):
    (url,) = {one.url for one in stack.client.processes() if one.name == "prometheus"}
    client = PrometheusClient(url)
    assert client.get("/api/v1/rules")["groups"]
    wait_until(lambda: len(targets(client, "web")) == 1, what="one target")
    expected = {f"127.0.0.1:{one.port}" for one in stack.client.scale("web", 3)}
    wait_until(lambda: targets(client, "web") == expected, what=f"targets {expected}")


def test_no_page_in_a_browser_can_stop_it(stack):
    (before,) = [one for one in stack.client.processes() if one.name == "prometheus"]
    for path in ("/-/quit", "/-/reload"):
        assert requests.post(before.url + path, timeout=5).status_code == 403
    (after,) = [one for one in stack.client.processes() if one.name == "prometheus"]
    assert (after.pid, after.state) == (before.pid, before.state)
