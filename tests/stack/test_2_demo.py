"""The demo shows real data everywhere before anything is broken."""

from contextlib import suppress

import pytest
import requests

from dashboards import live, silences
from tests.waiting import wait_until
from watchkeeper.prometheus import PrometheusClient

pytestmark = pytest.mark.live


def test_every_panel_of_every_dashboard_has_data(demo):
    client = PrometheusClient(demo.url("prometheus"))

    def may_be_empty(silence):
        return silence is not None and silence.filled_by != silences.DEMO

    def empty():
        return [one for one in live.check(client) if not may_be_empty(one.silence)]

    # Scores exist only once the detectors are ready, which game days wait for too.
    with suppress(AssertionError):
        wait_until(lambda: not empty(), timeout_seconds=300, what="data in every panel")
    assert empty() == []


def test_the_first_page_shows_the_services(demo):
    page = requests.get(demo.url("console") + "/", timeout=10)
    assert page.status_code == 200
    assert "taskboard" in page.text


def test_faults_can_be_listed_by_command(demo):
    listed = requests.get(demo.url("taskboard") + "/faults", timeout=10).json()
    assert "slow-responses" in str(listed)
