"""The loop turns: what is broken is found, mended and verified without a hand on it."""

import json
import subprocess

import pytest
import requests

from tests.stack.conftest import PORT_OFFSET, PROJECT, clean_environment

pytestmark = pytest.mark.live

FAULTS = ("slow-responses", "dead-worker", "memory-leak")
"""The others, and three full rounds, are ``python -m benchmarks.loop``'s."""
GAMEDAY_SECONDS = 600


@pytest.fixture(scope="module")
def outcomes(demo, tmp_path_factory):
    report = tmp_path_factory.mktemp("gameday") / "report.json"
    command = [
        "make", "gameday", f"FAULTS={','.join(FAULTS)}", f"JSON={report}",
        (f"ARGS=--data-dir {demo.data_dir} --port-offset {PORT_OFFSET}"
        " --first-quiet-seconds 10 --quiet-seconds 5"),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=PROJECT, env=clean_environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=GAMEDAY_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return {row["fault"]: row for row in json.loads(report.read_text())}


def test_only_the_detector_finds_slow_responses(outcomes):
    assert outcomes["slow-responses"]["detected_by"].startswith("detector ")
    assert outcomes["slow-responses"]["seconds_to_detect"] <= 60  # the promise, not a speed


@pytest.mark.parametrize("fault", ["dead-worker", "memory-leak"])
def test_a_restart_mends_it_and_the_recovery_is_verified(outcomes, fault):
    assert outcomes[fault]["action"] == "restart-service"
    assert outcomes[fault]["recovered"] is True


def test_nothing_was_alarmed_about_in_the_quiet_between(outcomes):
    assert [row for row in outcomes.values() if row["quiet_false_alarms"]] == []


def test_the_timeline_tells_the_whole_story(demo, outcomes):
    answer = requests.get(demo.url("alerting") + "/api/v1/incidents", timeout=10).json()
    kinds = {entry["kind"] for incident in answer["incidents"] for entry in incident["timeline"]}
    assert kinds >= {"detected", "action-dispatched", "action-completed", "verified", "resolved"}


def test_nothing_was_logged_as_an_error(demo, outcomes):
    ours = [
        (name, entry)
        for name, entry in demo.log_entries("error", "critical")
        if not name.startswith("taskboard")
    ]
    assert ours == []
