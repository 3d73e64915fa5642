"""A service killed in the middle of a fault loses nothing, and the loop still completes.

Every service in turn is killed by ``python -m benchmarks.loop``; here the one that holds the
incidents, which has the most to lose.
"""

import pytest
import requests

from tests.waiting import wait_until
from watchkeeper.supervisor.client import SupervisorClient

pytestmark = pytest.mark.live


@pytest.fixture
def incidents(demo):
    def read():
        answer = requests.get(demo.url("alerting") + "/api/v1/incidents?limit=500", timeout=10)
        return {incident["id"]: incident for incident in answer.json()["incidents"]}

    return read


def test_alerting_killed_after_it_heard_of_a_fault_forgets_nothing_and_mends_it(demo, incidents):
    supervisor = SupervisorClient(demo.data_dir)
    before = incidents()
    supervisor.kill("taskboard-worker")

    def new_incident():
        return next((i for key, i in incidents().items() if key not in before), None)

    found = wait_until(new_incident, timeout_seconds=60, what="the dead worker noticed")
    supervisor.kill("alerting")

    def is_over():
        with_found = _or_empty(incidents)
        return with_found.get(found["id"], {}).get("status") == "resolved" and with_found

    after = wait_until(is_over, timeout_seconds=120, what="the incident mended and resolved")
    assert before.keys() <= after.keys()
    kinds = [entry["kind"] for entry in after[found["id"]]["timeline"]]
    assert kinds.count("action-dispatched") == 1
    assert "action-completed" in kinds


def _or_empty(read):
    try:
        return read()
    except requests.RequestException:
        return {}
