"""An alert storm with one receiver hung, and what alerting takes in the long run.

    python -m benchmarks.storm [--quick] [--json FILE]

The storm is 10,000 alerts of 200 services in ten seconds, to a Slack channel, a PagerDuty service
and a webhook, and to a fourth receiver that accepts connections and never answers. The same storm
without the fourth is what the latency of the others is compared with, three times in turn: the
ratio is of the middle ones. Latency is from the commit that acknowledged an alert to its message
being received. Afterwards, in the same run, alerts are posted for ten seconds as fast as they are
taken, to us (SQLite, then PostgreSQL) and to Debian's Alertmanager.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import truediv
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.figures import Results, add_json_argument
from benchmarks.losses import Alertmanager, alertmanager_binary
from benchmarks.receivers import Call, Point, Receiver, Reply
from tests.alerting import postgres
from tests.alerting.process import AlertingProcess
from watchkeeper.clock import parse_rfc3339
from watchkeeper.errors import UpstreamError, WatchkeeperError

ALERTS = 10_000
QUICK_ALERTS = 3_000
SECONDS = 10.0
SERVICES = 200
ROUNDS = 3
BATCH = 64
"""What Prometheus sends at once."""
CLIENTS = 4
DRAIN_SECONDS = 120.0

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_HEALTHY = """
  - {name: slack, kind: slack, webhook_url: {env: BENCHMARK_SLACK}}
  - {name: pagerduty, kind: pagerduty, routing_key: {env: BENCHMARK_KEY}, url: "PAGERDUTY"}
  - {name: hook, kind: webhook, url: "HOOK", signing_secret: {env: BENCHMARK_SECRET}}
"""
_HUNG = """
  - {name: hung, kind: webhook, url: "HUNG", signing_secret: {env: BENCHMARK_SECRET}}
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one storm did."""

    lost: int
    latencies_seconds: list[float]
    rss_megabytes: float
    pagerduty_max_per_minute: int
    accept_seconds: float


def alerts(count: int, *, name: str = "Storm") -> Iterator[list[dict[str, Any]]]:
    """Yield ``count`` different alerts in batches."""
    now = datetime.now(UTC)
    ends_at = (now + timedelta(hours=1)).isoformat()
    for start in range(0, count, BATCH):
        yield [
            {
                "labels": {
                    "alertname": name,
                    "service": f"service-{number % SERVICES}",
                    "instance": f"host-{number}:9100",
                    "severity": "warning",
                },
                "annotations": {
                    "summary": f"host-{number} is in trouble",
                    "description": "x" * 200,
                },
                "startsAt": now.isoformat(),
                "endsAt": ends_at,
            }
            for number in range(start, min(start + BATCH, count))
        ]


def storm(directory: Path, count: int, *, with_hung: bool) -> Outcome:
    """Run one storm and wait until the healthy receivers have everything."""
    release = threading.Event()

    def hang(point: Point) -> None:
        if point is Point.BODY_READ:
            release.wait(300)

    with ExitStack() as stack:
        slack, hook = (stack.enter_context(Receiver()) for _ in range(2))
        pagerduty = stack.enter_context(Receiver(lambda _call: Reply(202, b"{}")))
        hung = stack.enter_context(Receiver(at_point=hang))
        stack.callback(release.set)
        text = "egress: {allow: [127.0.0.0/8]}\nreceivers:" + _HEALTHY
        names = ["slack", "pagerduty", "hook"]
        if with_hung:
            text += _HUNG
            names.append("hung")
        text = text.replace("PAGERDUTY", pagerduty.url).replace("HOOK", hook.url)
        text = text.replace("HUNG", hung.url) + f"route: {{receivers: [{', '.join(names)}]}}\n"
        (directory / "alerting.yml").write_text(text)
        (directory / "remediation.yml").write_text("")
        environment = {"BENCHMARK_SECRET": SECRET, "BENCHMARK_KEY": "k" * 32}
        process = AlertingProcess(directory, {**environment, "BENCHMARK_SLACK": slack.url})
        process.start()
        stack.callback(process.kill)
        peak = PeakMemory(process)
        accept_seconds = post_evenly(process, list(alerts(count)), SECONDS)
        wait_for_all(hook, process)
        return Outcome(
            lost=missing(process, count) + SERVICES - len(services_told(hook.calls)),
            latencies_seconds=latencies(hook.calls),
            rss_megabytes=peak.stop(),
            pagerduty_max_per_minute=most_in_a_minute(pagerduty.calls),
            accept_seconds=accept_seconds,
        )


class PeakMemory:
    """Watches the resident memory of a process."""

    def __init__(self, process: AlertingProcess) -> None:
        self._process = psutil.Process(process.pid)
        self._peak_bytes = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Return the most it held, in megabytes."""
        self._stopping.set()
        self._thread.join()
        return self._peak_bytes / 1e6

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            self._peak_bytes = max(self._peak_bytes, self._process.memory_info().rss)


def post_evenly(
    process: AlertingProcess, batches: Sequence[list[dict[str, Any]]], seconds: float
) -> float:
    """Post ``batches`` spread over ``seconds``, each until taken; return how long it all took."""
    began = time.monotonic()

    def post(number: int) -> None:
        due = began + seconds * number / len(batches)
        time.sleep(max(0.0, due - time.monotonic()))
        while True:
            try:
                process.peer.post("/api/v2/alerts", batches[number])
            except UpstreamError:
                time.sleep(0.2)
            else:
                return

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(post, range(len(batches))))
    return time.monotonic() - began


def services_told(calls: Sequence[Call]) -> set[str]:
    """Return the services whose incident was told."""
    return {call.json["data"]["incident"]["service"] for call in calls}


def wait_for_all(hook: Receiver, process: AlertingProcess) -> None:
    """Wait until the webhook has heard of every service and nothing is left for it."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        if len(services_told(list(hook.calls))) == SERVICES and not pending(process, "hook"):
            return
        time.sleep(1)
    raise WatchkeeperError("the healthy receiver did not hear everything in time")


def pending(process: AlertingProcess, receiver: str) -> int:
    """Return what /metrics says is left for a receiver."""
    text = requests.get(f"{process.peer.base_url}/metrics", timeout=10).text
    prefix = f'watchkeeper_outbox_pending{{receiver="{receiver}"}} '
    return next(
        int(float(line.split()[-1])) for line in text.splitlines() if line.startswith(prefix)
    )


def missing(process: AlertingProcess, count: int) -> int:
    """Return how many accepted alerts are in no incident."""
    found = process.peer.get("/api/v1/incidents", limit="1000")["incidents"]
    return count - sum(len(incident["alerts"]) for incident in found)


def latencies(calls: Sequence[Call]) -> list[float]:
    """Return the seconds from commit to reception of every opening."""
    return [
        (call.at - parse_rfc3339(call.json["timestamp"])).total_seconds()
        for call in calls
        if call.json["type"] == "incident.opened"
    ]


def most_in_a_minute(calls: Sequence[Call]) -> int:
    """Return the most calls in any sixty seconds."""
    times = sorted(call.at_monotonic_seconds for call in calls)
    return max((sum(start <= t < start + 60 for t in times) for start in times), default=0)


def sustained(url: str, seconds: float) -> float:
    """Post different alerts as fast as they are taken; return alerts a second."""
    counts: Counter[int] = Counter()
    began = time.monotonic()

    def post(client: int) -> None:
        session = requests.Session()
        for batch in alerts(1_000_000, name=f"Sustained{client}"):
            if time.monotonic() - began > seconds:
                return
            answer = session.post(f"{url}/api/v2/alerts", json=batch, timeout=30)
            counts[client] += len(batch) if answer.ok else 0

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(post, range(CLIENTS)))
    return counts.total() / (time.monotonic() - began)


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def our_rate(directory: Path, hook: Receiver, seconds: float, *, database_url: str = "") -> float:
    """Return what one process takes a second in the long run, on SQLite or on a PostgreSQL."""
    directory.mkdir()
    (directory / "alerting.yml").write_text(
        ("database: {env: BENCHMARK_DATABASE}\n" if database_url else "")
        + 'egress: {allow: [127.0.0.0/8]}\nreceivers: [{name: hook, kind: webhook, url: "URL", '
        "signing_secret: {env: BENCHMARK_SECRET}}]\nroute: {receivers: [hook]}\n".replace(
            "URL", hook.url
        )
    )
    (directory / "remediation.yml").write_text("")
    environment = {"BENCHMARK_SECRET": SECRET, "BENCHMARK_DATABASE": database_url}
    process = AlertingProcess(directory, environment)
    process.start()
    try:
        return sustained(process.peer.base_url, seconds)
    finally:
        process.kill()
        process.wait_for_death()


def measure_sustained(directory: Path, results: Results, seconds: float) -> None:
    """Measure what we and Alertmanager take in the long run, with a healthy webhook."""
    with Receiver() as hook:
        rate = our_rate(directory / "sqlite", hook, seconds)
        results.at_least("sustained_alerts_per_second", [rate], 500)
        with postgres.running(directory / "server") as port:
            url = postgres.new_database(port)
            rate = our_rate(directory / "postgresql", hook, seconds, database_url=url)
        results.at_least("sustained_alerts_per_second_postgresql", [rate], 500)
        if alertmanager_binary() is not None:
            theirs = Alertmanager(directory, hook.url)
            theirs.start()
            results.plain("alertmanager_alerts_per_second", [sustained(theirs.url, seconds)])
            theirs.kill()


def measure_storms(results: Results, count: int, *, rounds: int) -> None:
    """Measure storms without and with the hung receiver in turn."""
    healthy: list[Outcome] = []
    hung: list[Outcome] = []
    for number in range(2 * rounds):
        outcomes = hung if number % 2 else healthy
        with tempfile.TemporaryDirectory() as directory:
            outcomes.append(storm(Path(directory), count, with_hung=outcomes is hung))
    p99_healthy = [p99(one.latencies_seconds) for one in healthy]
    p99_hung = [p99(one.latencies_seconds) for one in hung]
    middle = [statistics.median(one.latencies_seconds) for one in healthy]
    results.exactly("lost", [one.lost for one in (*healthy, *hung)], 0)
    # Of one pair it says more of the machine than of us: each is the worst half second of a run.
    ratio = statistics.median(p99_hung) / statistics.median(p99_healthy)
    results.at_most("healthy_p99_ratio", [ratio], 2)
    results.plain("healthy_p99_ratio_each_round", list(map(truediv, p99_hung, p99_healthy)))
    results.at_most("rss_mb", [one.rss_megabytes for one in hung], 300)
    calls = [one.pagerduty_max_per_minute for one in hung]
    results.at_most("pagerduty_max_per_minute", calls, 120)
    results.at_most("accept_to_send_p99_ms", [value * 1e3 for value in p99_healthy], 1000)
    results.plain("accept_to_send_p50_ms", [value * 1e3 for value in middle])
    results.plain("storm_accepted_seconds", [one.accept_seconds for one in hung])


def main() -> int:
    """Measure, print and write; 0 when every bar is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ALERTS} alerts")
    add_json_argument(parser)
    options = parser.parse_args()
    count = QUICK_ALERTS if options.quick else ALERTS
    results = Results(f"A storm of {count} alerts in {SECONDS:g} s")
    measure_storms(results, count, rounds=1 if options.quick else ROUNDS)
    with tempfile.TemporaryDirectory() as directory:
        measure_sustained(Path(directory), results, 5.0 if options.quick else SECONDS)
    results.show()
    results.write(options.json)
    return 0 if results.met else 1


if __name__ == "__main__":
    sys.exit(main())
