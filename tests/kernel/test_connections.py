"""A service takes up no more connections than it has descriptors for."""

import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import wait_until
from watchkeeper.connections import MAX_CONNECTIONS, connection_limit

SERVE = """
import logging, resource, sys
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), most))
from watchkeeper.serving import Service
logging.basicConfig()
Service("example", import_name="example").run("127.0.0.1:" + sys.argv[1])
"""
DESCRIPTORS = 64


@given(st.integers(2, 1 << 30))
def test_some_descriptors_are_always_left_for_other_things(descriptors):
    assert 1 <= connection_limit(descriptors) <= min(MAX_CONNECTIONS, descriptors - 1)


def test_where_there_are_plenty_the_usual_limit_holds():
    assert connection_limit(1_024) == MAX_CONNECTIONS
    assert connection_limit(256) == 128


@pytest.mark.live
def test_more_clients_than_descriptors_leave_the_log_quiet_and_the_service_able(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("WATCHKEEPER_API_TOKEN_FILE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        command = [sys.executable, "-c", SERVE, str(port), str(DESCRIPTORS)]
        process = subprocess.Popen(command, stderr=stderr)

    def answers():
        try:
            return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    try:
        wait_until(answers, what="the service answers")
        with ExitStack() as clients:
            for _ in range(2 * DESCRIPTORS):
                clients.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            wait_until(lambda: "connection limit" in log.read_text(), what="the limit is told of")
        wait_until(answers, what="the service answers once they have left")
    finally:
        process.terminate()
        process.wait(60)
    assert "accept() threw" not in log.read_text()
