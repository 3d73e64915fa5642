"""The real process, killed while it acts."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests

from tests.ports import free_ports
from tests.remediation.calls import body, headers
from tests.supervisor.stacks import environment
from tests.waiting import wait_until


@contextmanager
def running(config, data_dir):
    port = free_ports(1)
    command = [
        "-m",
        "watchkeeper",
        "remediation",
        "--config",
        config,
        "--listen",
        f"127.0.0.1:{port}",
    ]
    with (data_dir / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)], stderr=log,
            env={**environment(), "WATCHKEEPER_DATA_DIR": str(data_dir)},
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url), what=f"{url} answers")
        yield process, url
    finally:
        process.terminate()
        process.wait(60)


def answers(url):
    try:
        return requests.get(f"{url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def state(url, key):
    return requests.get(f"{url}/api/v1/actions/{key}", timeout=60).json()["state"]


@pytest.fixture
def endless(tmp_path):
    """A command that does not end before the test does, also when nobody waits for it any more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    yield ["/bin/cat", str(pipe)]
    os.close(os.open(pipe, os.O_RDWR))  # whoever waits for a writer reads an end now


def test_an_action_it_was_killed_in_is_interrupted_and_what_waited_is_done(
    data_dir, write_config, endless
):
    config = write_config(run_command={"job": {"command": endless, "time_limit": "600s"}})
    with running(config, data_dir) as (process, url):
        for key in ("first", "second"):
            text = body(action="run-command", target="job", idempotency_key=key)
            answer = requests.post(f"{url}/api/v1/actions", text, headers=headers(text), timeout=60)
            assert answer.status_code == 202
        wait_until(lambda: state(url, "first") == "running", what="the first call runs")
        assert state(url, "second") == "accepted"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
    with running(config, data_dir) as (_, url):
        assert state(url, "first") == "interrupted"
        wait_until(lambda: state(url, "second") == "running", what="the second call runs")


def test_it_ends_cleanly_when_asked(data_dir, write_config):
    with running(write_config(), data_dir) as (process, _):
        process.terminate()
        assert process.wait(60) == 0


def test_a_configuration_that_cannot_be_used_ends_it_with_the_reason(data_dir):
    config = data_dir / "endpoint.yml"
    config.write_text("signing_secret: {file: nowhere}\n")
    command = [sys.executable, "-m", "watchkeeper", "remediation", "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "endpoint.yml:1: signing_secret: secret file nowhere does not exist" in ended.stderr
