"""The console as it runs: a process that streams, follows its file, and stops when told."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests

from dashboards.console.pages.events import STREAMS
from tests.console.incident_data import incident
from tests.waiting import wait_until

pytestmark = pytest.mark.live

PARTS = ("agent", "anomaly", "alerting", "remediation", "prometheus")


@pytest.fixture
def process(neighbourhood, tmp_path):
    """A console process among the neighbours, with a file that a test may change."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "console.yml"
    config.write_text("refresh: 1s\n", encoding="utf-8")
    addresses = {f"WATCHKEEPER_{p.upper()}_URL": getattr(neighbourhood, p).url for p in PARTS}
    process = subprocess.Popen(
        [sys.executable, "-m", "watchkeeper", "console", "--config", str(config),
         "--listen", listen],
        env={**os.environ, **addresses}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.url, process.config, process.lines = f"http://{listen}", config, []
    reader = threading.Thread(target=lambda: process.lines.extend(process.stderr), daemon=True)
    reader.start()
    wait_until(lambda: answers(f"{process.url}/readyz"), what="the console to be ready")
    yield process
    process.kill()
    process.wait(20)
    reader.join(20)


def answers(url):
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(url, timeout=10).ok
    return False


def test_open_pages_are_told_of_a_change(process, neighbourhood):
    with requests.get(f"{process.url}/events", stream=True, timeout=20) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        assert next(line for line in lines if line.startswith("event:")) == "event: changed"
        neighbourhood.incidents.append(incident())
        wait_until(
            lambda: "1 critical incident open" in requests.get(process.url, timeout=10).text,
            what="the incident on the page",
        )
        assert next(line for line in lines if line.startswith("event:")) == "event: changed"


def test_a_bad_edit_keeps_the_settings_and_a_good_one_is_taken_up(process):
    process.config.write_text("refresh: 1s\ncharts: none\n", encoding="utf-8")
    wait_until(
        lambda: 'successful{file="console.yml"} 0.0' in metrics(process), what="the gauge to be 0"
    )
    wait_until(lambda: any("charts" in line for line in process.lines), what="the log line")
    assert requests.get(process.url, timeout=10).ok
    process.config.write_text("recent: 7m\n", encoding="utf-8")
    wait_until(
        lambda: "last 7 min" in requests.get(process.url, timeout=10).text,
        what="the new setting on the page",
    )


def metrics(process):
    return requests.get(f"{process.url}/metrics", timeout=10).text


def test_a_page_that_was_left_gives_its_place_to_another(process):
    for _ in range(STREAMS):
        requests.get(f"{process.url}/events", stream=True, timeout=20).close()
    wait_until(lambda: answers_stream(process), what="a free place for one more page")


def answers_stream(process):
    with requests.get(f"{process.url}/events", stream=True, timeout=20) as stream:
        return stream.ok


def test_it_stops_at_once_when_told_even_while_a_page_listens(process):
    with requests.get(f"{process.url}/events", stream=True, timeout=20) as stream:
        assert stream.ok
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert [line for line in process.lines if '"level": "info"' not in line] == []
