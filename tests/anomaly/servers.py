"""Real servers for the tests of this room: a Prometheus with history, and an Alertmanager's API."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.clock import parse_rfc3339
from watchkeeper.prometheus import PrometheusClient


def blocks_holding(directory: Path, samples: dict[str, list[tuple[float, float]]]) -> Path:
    """Return a data directory of Prometheus with these samples: selector to (Unix time, value)."""
    text = ["# TYPE latency gauge"]
    for selector, points in samples.items():
        text += [f"{selector} {value!r} {at:.3f}" for at, value in points]
    source = directory / "samples.om"
    source.write_text("\n".join([*text, "# EOF", ""]))
    data = directory / "data"
    create = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(data)]
    subprocess.run(create, check=True, capture_output=True)
    return data


@contextmanager
def prometheus_holding(
    directory: Path,
    samples: dict[str, list[tuple[float, float]]],
    *,
    scraping: str | None = None,
    receiving: bool = False,
) -> Iterator[PrometheusClient]:
    """Run a real Prometheus whose storage holds these samples: selector to (Unix time, value).

    Args:
        scraping: HOST:PORT it asks every second for what comes after them.
        receiving: whether it takes remote writes.
    """
    data = blocks_holding(directory, samples)
    jobs = [{"job_name": "live", "static_configs": [{"targets": [scraping]}]}] if scraping else []
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
    (directory / "prometheus.yml").write_text(json.dumps(config))  # YAML, too
    options = ["--web.enable-remote-write-receiver"] if receiving else []
    with _prometheus(directory, data, options) as client:
        yield client


@contextmanager
def _prometheus(directory: Path, data: Path, options: list[str]) -> Iterator[PrometheusClient]:
    binary = shutil.which("prometheus")
    assert binary is not None, "the tests need prometheus on the PATH"
    port = free_port()
    with (directory / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                "--storage.tsdb.retention.time=10y",
                "--query.lookback-delta=2s",
                f"--web.listen-address=127.0.0.1:{port}",
                *options,
            ],
            stdout=log,
            stderr=log,
        )
    try:
        client = PrometheusClient(f"http://127.0.0.1:{port}", timeout_seconds=5)
        wait_until(client.is_ready, what="Prometheus being ready")
        yield client
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Alertmanager:
    """What an Alertmanager would have made of the alerts it was sent.

    ``failures`` requests are answered with 503 before it works.
    """

    url: str = ""
    failures: int = 0
    posts: list[list[dict[str, Any]]] = field(default_factory=list)

    def take(self, body: bytes, content_type: str) -> tuple[int, str]:
        """Check a post as Alertmanager's v2 API does and remember it."""
        if self.failures:
            self.failures -= 1
            return 503, "not ready"
        if content_type != "application/json":
            return 415, "expected application/json"
        alerts = json.loads(body)
        for alert in alerts:
            problem = problem_of(alert)
            if problem:
                return 400, problem
        self.posts.append(alerts)
        return 200, ""

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """Return every alert that was sent, oldest first."""
        return [alert for post in list(self.posts) for alert in post]


def problem_of(alert: dict[str, Any]) -> str | None:
    """Return why Alertmanager would refuse an alert, None when it would not."""
    known = {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
    if set(alert) - known:
        return f"unknown fields {set(alert) - known}"
    labels = alert.get("labels")
    if not labels or "alertname" not in labels:
        return "an alert needs labels"
    texts = [*labels.values(), *alert.get("annotations", {}).values()]
    if not all(isinstance(text, str) for text in texts):
        return "label and annotation values are strings"
    if parse_rfc3339(alert["startsAt"]) > parse_rfc3339(alert["endsAt"]):
        return "start time must be before end time"
    return None


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve every request of a local server with ``answer`` and give its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def alertmanager() -> Iterator[Alertmanager]:
    """Run a local server that takes alerts as an Alertmanager does."""
    state = Alertmanager()

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        status, text = 404, "no such path"
        if request.path == "/api/v2/alerts":
            status, text = state.take(body, request.headers["Content-Type"])
        request.send_response(status)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text.encode())

    with serving(answer) as url:
        state.url = url
        yield state
