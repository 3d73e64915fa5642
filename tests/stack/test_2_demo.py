"""The demo shows real data everywhere before anything is broken."""

import re
import time
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


def test_a_slow_request_can_be_told_by_its_trace(demo):
    asked = {
        "query": 'http_server_request_duration_seconds_bucket{service="taskboard"}',
        "start": time.time() - 3600,
    }

    def traces():
        url = demo.url("prometheus") + "/api/v1/query_exemplars"
        found = requests.get(url, params={**asked, "end": time.time()}, timeout=10).json()["data"]
        return [one["labels"]["trace_id"] for series in found for one in series["exemplars"]]

    wait_until(lambda: len(set(traces())) > 1, timeout_seconds=120, what="traces of two requests")
    assert all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces())
