"""An hour of a real Prometheus sending its alerts to us, without a failed send.

    python -m benchmarks.hour [--minutes 60] [--quick] [--json FILE]

Prometheus evaluates forty rules every five seconds: twenty that fire all the time, which it sends
again every minute, and twenty that come and go with periods of one to ten minutes. What its own
counters say of the sending is the result: alerts sent, failed, dropped. At the end what we hold as
firing is compared with what it does.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from benchmarks.figures import Results, add_json_argument
from benchmarks.receivers import Receiver
from tests.alerting.process import AlertingProcess
from tests.ports import free_port
from tests.waiting import wait_until
from watchkeeper.errors import WatchkeeperError
from watchkeeper.prometheus import PrometheusClient
from watchkeeper.supervisor import prometheus_binary

MINUTES = 60.0
QUICK_MINUTES = 1.5
STEADY = 20
PERIODS_SECONDS = [30 * number for number in range(2, 21)] + [45]
QUIET_SECONDS = 30.0
SETTLE_SECONDS = 60.0
"""How long the two may take to agree at the end: an alert of theirs may just be on its way."""

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_PROMETHEUS = """
global: {evaluation_interval: 5s}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{api_version: v2, timeout: 5s, static_configs: [{targets: ["TARGET"]}]}]
"""
_ALERTING = """
egress: {allow: [127.0.0.0/8]}
receivers: [{name: hook, kind: webhook, url: "URL", signing_secret: {env: BENCHMARK_SECRET}}]
route: {receivers: [hook]}
"""
_COUNTER = re.compile(r"(prometheus_notifications_\w+?)(?:\{[^}]*\})? (\S+)")


def rules(*, not_before: float) -> str:
    """Return Prometheus' rule file: what always fires, and what comes and goes.

    Args:
        not_before: Unix seconds until which nothing fires.
    """
    begun = f"vector(time()) > {not_before:.0f}"
    steady = [(f"steady-{number}", begun) for number in range(STEADY)]
    changing = [
        (f"every-{period}", f"{begun} and vector(time()) % {period} < {period // 2}")
        for period in PERIODS_SECONDS
    ]
    lines = ["groups:", "  - name: hour", "    rules:"]
    for service, expression in steady + changing:
        labels = f"{{service: {service}, severity: warning}}"
        lines.append(f'      - {{alert: Hour, expr: "{expression}", labels: {labels}}}')
    return "\n".join(lines) + "\n"


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[str]:
    """Run Prometheus with its alerts going to ``target`` and give its URL.

    Nothing fires in its first seconds: it drops what does before it has found where to send to.
    """
    binary = prometheus_binary.find(prometheus_binary.PROJECT_CACHE)
    if binary is None:
        raise WatchkeeperError("there is no Prometheus: make setup installs it")
    (directory / "prometheus.yml").write_text(_PROMETHEUS.replace("TARGET", target))
    (directory / "rules.yml").write_text(rules(not_before=time.time() + QUIET_SECONDS))
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        str(binary), f"--config.file={directory / 'prometheus.yml'}", "--log.level=error",
        f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={url[7:]}",
    ]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        wait_until(PrometheusClient(url, timeout_seconds=5).is_ready, what="Prometheus is ready")
        wait_until(lambda: knows_us(url), what="Prometheus knows where to send")
        yield url
    finally:
        process.kill()
        process.wait()


def knows_us(url: str) -> bool:
    """Return whether Prometheus has found the service it is to send to."""
    answer = requests.get(f"{url}/api/v1/alertmanagers", timeout=10).json()
    return bool(answer["data"]["activeAlertmanagers"])


def sending(url: str) -> dict[str, float]:
    """Return what Prometheus counts of its notifications, summed by family."""
    found: dict[str, float] = {}
    for line in requests.get(f"{url}/metrics", timeout=10).text.splitlines():
        match = _COUNTER.fullmatch(line)
        if match:
            found[match[1]] = found.get(match[1], 0.0) + float(match[2])
    return found


def firing_there(url: str) -> set[str]:
    """Return the services whose alert fires in Prometheus."""
    alerts = requests.get(f"{url}/api/v1/alerts", timeout=10).json()["data"]["alerts"]
    return {alert["labels"]["service"] for alert in alerts if alert["state"] == "firing"}


def firing_here(process: AlertingProcess) -> set[str]:
    """Return the services whose alert fires with us."""
    alerts: Sequence[dict[str, dict[str, str]]] = process.peer.get("/api/v2/alerts")
    return {alert["labels"]["service"] for alert in alerts}


def unknown_here(url: str, process: AlertingProcess) -> set[str]:
    """Return the services that fire there and not here, within a minute.

    Not the other way round: an end of what comes and goes is believed here once it stays away.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        missing = firing_there(url) - firing_here(process)
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(1)


def report_progress(url: str, minutes: float) -> None:
    """Wait, and say every five minutes how it stands."""
    began = time.monotonic()
    told = 0
    while (passed := (time.monotonic() - began) / 60) < minutes:
        time.sleep(min(5.0, (minutes - passed) * 60))
        if passed >= told + 5:
            told = int(passed)
            counts = sending(url)
            sent = counts["prometheus_notifications_sent_total"]
            failed = counts["prometheus_notifications_errors_total"]
            print(f"{passed:.0f} min: {sent:.0f} sent, {failed:.0f} failed", file=sys.stderr)


def main() -> int:
    """Measure, print and write; 0 when no send failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_MINUTES:g} minutes")
    add_json_argument(parser)
    options = parser.parse_args()
    minutes = QUICK_MINUTES if options.quick else options.minutes
    results = Results(f"Prometheus sending to us for {minutes:g} minutes")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hook = stack.enter_context(Receiver())
        (directory / "alerting.yml").write_text(_ALERTING.replace("URL", hook.url))
        (directory / "remediation.yml").write_text("")
        process = AlertingProcess(directory, {"BENCHMARK_SECRET": SECRET})
        process.start()
        stack.callback(process.kill)
        url = stack.enter_context(prometheus(directory, process.peer.base_url[7:]))
        report_progress(url, minutes)
        counts = sending(url)
        prefix = "prometheus_notifications"
        results.at_least("sent", [counts[f"{prefix}_sent_total"]], 1)
        results.exactly("failed", [counts[f"{prefix}_errors_total"]], 0)
        results.exactly("dropped", [counts[f"{prefix}_dropped_total"]], 0)
        results.exactly("firing_there_but_not_here", [len(unknown_here(url, process))], 0)
        results.plain("messages", [len(hook.calls)])
        results.plain("minutes", [minutes])
    results.show()
    results.write(options.json)
    return 0 if results.met else 1


if __name__ == "__main__":
    sys.exit(main())
