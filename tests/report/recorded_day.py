"""A day as Prometheus would have recorded it, with three troubles planted at known times."""

from __future__ import annotations

import json
import math
import socket
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.waiting import wait_until
from watchkeeper.clock import format_rfc3339
from watchkeeper.prometheus import PrometheusClient

START = datetime(2026, 3, 3, tzinfo=UTC)
END = START + timedelta(days=1)
STEP_SECONDS = 60
SLOW = (10 * 60, 10 * 60 + 30)
"""Minutes of the day in which route /search of the shop is slow."""
STALLED = (15 * 60, 15 * 60 + 20)
CULPRIT = '{http_route="/search", service="shop"}'


def minutes():
    return range(24 * 60 * 60 // STEP_SECONDS)


def is_in(minute, planted):
    return planted[0] <= minute < planted[1]


def lines():
    """Yield the day in OpenMetrics: families one after the other, each series in order of time."""
    yield from gauge("up", {"job": "shop", "instance": "a"}, lambda m: 0 if m == 900 else 1)
    yield from gauge("node_filesystem_size_bytes", VOLUME, lambda _: 1e11)
    yield from gauge("node_filesystem_avail_bytes", VOLUME, lambda m: 4e10 - m * 1e7)
    yield from gauge("task_queue_depth", {"queue": "work"}, depth)
    yield "# TYPE anomaly_score gauge"
    yield from samples("anomaly_score", {"query": "response-time", "series": CULPRIT}, score)
    other = {"query": "response-time", "series": CULPRIT.replace("search", "list")}
    yield from samples("anomaly_score", other, lambda m: 0.2 + 0.1 * math.sin(m))
    yield from forecasts()
    yield from requests()
    yield "# EOF"


FILLING = '{mountpoint="/data"}'
ROOMY = '{mountpoint="/"}'
HOURS_LEFT = {"0.1": 5, "0.5": 7, "0.9": math.inf}
"""When the volume is full: of the futures forecast as the day ends, by quantile."""


def forecasts():
    """Yield a volume forecast to be full within hours, and one with no limit in sight."""
    name = "anomaly_forecast_time_to_limit_seconds"
    yield f"# TYPE {name} gauge"
    for labels, hours in ((FILLING, HOURS_LEFT), (ROOMY, dict.fromkeys(HOURS_LEFT, math.inf))):
        for quantile, left in hours.items():
            where = {"forecast": "filesystem-full", "series": labels, "quantile": quantile}
            yield from samples(
                name, where, lambda _, left=left: "+Inf" if math.isinf(left) else left * 3600
            )
    yield "# TYPE anomaly_forecast_warning gauge"
    for labels, warns in ((FILLING, 1), (ROOMY, 0)):
        where = {"forecast": "filesystem-full", "series": labels}
        yield from samples("anomaly_forecast_warning", where, lambda _, warns=warns: warns)


VOLUME = {"mountpoint": "/data", "fstype": "ext4", "device": "/dev/vdb", "instance": "a"}


def depth(minute):
    return 40 * (minute - STALLED[0]) if is_in(minute, STALLED) else 2


def score(minute):
    return 6.5 if is_in(minute, SLOW) else 0.3


def requests():
    """Yield ten requests a second of 50 ms; in the slow half hour they take 3 s."""
    family = "http_server_request_duration_seconds"
    yield f"# TYPE {family} histogram"
    labels = {"service": "shop", "http_route": "/search", "http_response_status_code": "200"}
    count = fast = total = 0.0
    rows = {"0.1": [], "1.0": [], "5.0": [], "+Inf": [], "sum": [], "count": []}
    for minute in minutes():
        count += 600
        slow = is_in(minute, SLOW)
        fast += 0 if slow else 600
        total += 600 * (3.0 if slow else 0.05)
        for bound, value in (("0.1", fast), ("1.0", fast), ("5.0", count), ("+Inf", count)):
            rows[bound].append(value)
        rows["sum"].append(total)
        rows["count"].append(count)
    for bound in ("0.1", "1.0", "5.0", "+Inf"):
        yield from samples(f"{family}_bucket", {**labels, "le": bound}, rows[bound].__getitem__)
    yield from samples(f"{family}_count", labels, rows["count"].__getitem__)
    yield from samples(f"{family}_sum", labels, rows["sum"].__getitem__)


def gauge(name, labels, value_at):
    yield f"# TYPE {name} gauge"
    yield from samples(name, labels, value_at)


def samples(name, labels, value_at):
    written = ",".join(f"{k}={json.dumps(v)}" for k, v in labels.items())
    for minute in minutes():
        at = START.timestamp() + minute * STEP_SECONDS
        yield f"{name}{{{written}}} {value_at(minute)} {at:.0f}"


@contextmanager
def serving(directory):
    """Yield a client of a Prometheus that holds the day and scrapes nothing."""
    text, data = directory / "day.txt", directory / "data"
    text.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", text, data],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    config = directory / "prometheus.yml"
    config.write_text("{}", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}",
         f"--web.listen-address={address}", "--storage.tsdb.retention.time=100y",
         "--log.level=error"],
    )  # fmt: skip
    client = PrometheusClient(f"http://{address}", timeout_seconds=20.0)
    try:
        wait_until(client.is_ready, what="Prometheus to be ready")
        yield client
    finally:
        process.terminate()
        process.wait(20)


def incidents():
    """Return the day's incidents as alerting would tell them."""
    return [
        incident(
            "slow", "Response time of /search is unusual", SLOW,
            {"alertname": "Anomaly", "query": "response-time", "http_route": "/search"},
            [("noted", "ana: the index was missing")],
        ),
        incident(
            "stalled", "No worker takes tasks from queue work", STALLED,
            {"alertname": "TaskQueueStalled", "queue": "work"},
            [("action-completed", "restart-service worker"), ("verified", "tasks are finished")],
        ),
        incident(
            "stalled-again", "No worker takes tasks from queue work", (1200, 1210),
            {"alertname": "TaskQueueStalled", "queue": "work"},
            [("action-completed", "restart-service worker"), ("verified", "tasks are finished")],
        ),
        incident("before", "Long over", (-300, -200), {"alertname": "Old"}, []),
    ]  # fmt: skip


def incident(id_, title, planted, labels, story):
    start, end = (START + timedelta(minutes=minute) for minute in planted)
    told = start + timedelta(seconds=4)
    timeline = [("detected", "it fired", start), ("notified", "Slack was told", told)]
    timeline += [(kind, text, told + timedelta(minutes=1)) for kind, text in story]
    return {
        "id": id_, "status": "resolved", "severity": "warning", "title": title, "service": "shop",
        "started_at": format_rfc3339(start), "resolved_at": format_rfc3339(end),
        "timeline": [
            {"at": format_rfc3339(at), "kind": kind, "text": text} for kind, text, at in timeline
        ],
        "alerts": [{"fingerprint": id_, "labels": {**labels, "service": "shop"}}],
    }  # fmt: skip
