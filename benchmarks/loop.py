"""The whole loop on a live demo: start, quiet, game days, and every service killed once.

    python -m benchmarks.loop [--quick] [--runs 3] [--quiet-minutes 10] [--json FILE]

Bars are the product's promises: ready within 60 s, no false alarm and no error line in the quiet,
every fault found and mended in every run, a remediation webhook within 2 s of its alert, a Slack
message within 30 s of a fault, nothing lost when a service is killed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Results, add_json_argument
from benchmarks.slack_receiver import SlackReceiver
from watchkeeper.clock import parse_rfc3339
from watchkeeper.errors import WatchkeeperError
from watchkeeper.gameday.running import processes_on
from watchkeeper.peers import Peer
from watchkeeper.supervisor.client import SupervisorClient, part_urls
from watchkeeper.supervisor.status import State

PORT_OFFSET = 15_000
SERVICES = ("agent", "prometheus", "anomaly", "alerting", "remediation", "console")
FOR_ZERO_FAULTS = ("error-burst", "poisoned-cache")
"""Faults found by a threshold rule with ``for: 0s``."""


class DemoUnderTest:
    """A demo in a directory of its own, with a Slack that is ours."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.slack = SlackReceiver()
        began = time.monotonic()
        self._log = data_dir.parent / "demo.log"
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "watchkeeper", "up", "--demo", *self._place()],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "WATCHKEEPER_SLACK_WEBHOOK_URL": self.slack.webhook_url},
            )  # fmt: skip
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() - began > 240:
                raise WatchkeeperError(f"the demo did not start:\n{self._log.read_text()}")
            time.sleep(0.2)
        self.start_seconds = time.monotonic() - began
        self.client = SupervisorClient(data_dir)
        urls = part_urls(self.client.processes())
        self.alerting = Peer("alerting", base_url=urls["WATCHKEEPER_ALERTING_URL"])

    def _place(self) -> list[str]:
        return ["--data-dir", str(self.data_dir), "--port-offset", str(PORT_OFFSET)]

    def _is_ready(self) -> bool:
        found = processes_on(self.data_dir)
        return bool(found) and all(process.state is State.READY for process in found)

    def gameday(
        self, faults: Sequence[str] = (), *, first_quiet_seconds: float, kill: str | None = None
    ) -> list[dict[str, Any]]:
        """Run a game day as a user would; kill a service once the first fault is injected."""
        report = self.data_dir.parent / "gameday.json"
        report.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "watchkeeper", "gameday", *self._place(),
             "--faults", ",".join(faults), "--json", str(report),
             "--first-quiet-seconds", str(first_quiet_seconds)],
            stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        assert process.stdout is not None  # asked for above
        for line in process.stdout:
            print("   ", line, end="")
            if kill is not None and ": injected." in line:
                self.client.kill(kill, signal="KILL")
                kill = None
        process.wait()
        rows: list[dict[str, Any]] = json.loads(report.read_text()) if report.exists() else []
        return rows

    def incidents(self) -> list[dict[str, Any]]:
        """Return every incident so far."""
        found: list[dict[str, Any]] = self.alerting.get("/api/v1/incidents", limit="1000")[
            "incidents"
        ]
        return found

    def undelivered(self) -> int:
        """Return how many deliveries are neither made nor on their way to be."""
        rows = self.alerting.get("/api/v1/deliveries", limit="1000")["deliveries"]
        return sum(row["state"] == "dead" for row in rows)

    def error_lines(self) -> list[str]:
        """Return every line our own services logged at error or above."""
        found = []
        for service in SERVICES:
            path = self.data_dir / "logs" / f"{service}.log"
            lines = path.read_text(errors="replace").splitlines()
            found += [f"{service}: {line}" for line in lines if '"level": "error"' in line]
        return found

    def close(self) -> None:
        """Stop everything."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        self.slack.close()


def webhook_seconds(demo: DemoUnderTest) -> list[float]:
    """Return, for every action, the time from its alert's commit to the endpoint's acceptance."""
    actions = demo.alerting.get("/api/v1/actions", limit="1000")["actions"]
    return [
        (parse_rfc3339(row["dispatched_at"]) - parse_rfc3339(row["created_at"])).total_seconds()
        for row in actions
        if row["dispatched_at"]
    ]


def slack_seconds(demo: DemoUnderTest, rows: Sequence[dict[str, Any]]) -> list[float]:
    """Return, for faults of ``for: 0s`` rules, the time from injection to the first message."""
    found = []
    for row in rows:
        injected_at = parse_rfc3339(row["injected_at"])
        later = [m.received_at for m in demo.slack.messages if m.received_at >= injected_at]
        if row["fault"] in FOR_ZERO_FAULTS and later:
            found.append((min(later) - injected_at).total_seconds())
    return found


def measure_gamedays(
    demo: DemoUnderTest, results: Results, runs: int, quiet_seconds: float
) -> None:
    """Run the full game day ``runs`` times, the first after the long quiet."""
    rows: list[dict[str, Any]] = []
    for run in range(runs):
        print(f"game day {run + 1} of {runs}")
        quiet = quiet_seconds if run == 0 else 20.0
        found = demo.gameday(first_quiet_seconds=quiet)
        if run == 0:
            results.exactly("quiet_false_alarms", [found[0]["quiet_false_alarms"]], 0)
            results.plain("quiet_seconds", [quiet_seconds])
        rows += found
    results.exactly("gameday_passed_ratio", [float(row["passed"]) for row in rows], 1)
    for fault in dict.fromkeys(row["fault"] for row in rows):
        name = fault.replace("-", "_")
        of_fault = [row for row in rows if row["fault"] == fault]
        detect = [r["seconds_to_detect"] for r in of_fault if r["seconds_to_detect"] is not None]
        recover = [r["seconds_to_recover"] for r in of_fault if r["seconds_to_recover"] is not None]
        if fault == "slow-responses":
            results.at_most(f"{name}_detect_seconds", detect, 60)
        else:
            results.plain(f"{name}_detect_seconds", detect)
        if recover:
            results.plain(f"{name}_recover_seconds", recover)
    results.at_most("webhook_seconds", webhook_seconds(demo), 2)
    results.at_most("slack_seconds", slack_seconds(demo, rows), 30)
    refused = [m.answer for m in demo.slack.messages if m.status != 200]
    results.exactly("slack_refused_messages", [len(refused)], 0)


def measure_kills(demo: DemoUnderTest, results: Results, services: Sequence[str]) -> None:
    """Kill each service right after a fault was injected; the loop must still complete."""
    for service in services:
        print(f"killing {service} during a game day")
        before = len(demo.incidents())
        rows = demo.gameday(["dead-worker"], first_quiet_seconds=5, kill=service)
        completed = bool(rows) and rows[0]["passed"]
        results.exactly(f"killed_{service}_loop_completed", [float(completed)], 1)
        results.exactly(
            f"killed_{service}_incident_lost", [float(len(demo.incidents()) <= before)], 0
        )
    results.exactly("deliveries_lost", [demo.undelivered()], 0)


def main() -> None:
    """Measure and print; exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="start and two faults only")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quiet-minutes", type=float, default=10.0)
    add_json_argument(parser)
    options = parser.parse_args()
    results = Results("The loop")
    with tempfile.TemporaryDirectory(prefix="watchkeeper-loop-") as directory:
        demo = DemoUnderTest(Path(directory) / "var")
        try:
            results.at_most("start_seconds", [demo.start_seconds], 60)
            if options.quick:
                rows = demo.gameday(["error-burst", "dead-worker"], first_quiet_seconds=5)
                results.exactly("gameday_passed_ratio", [float(r["passed"]) for r in rows], 1)
                results.at_most("slack_seconds", slack_seconds(demo, rows), 30)
                results.at_most("webhook_seconds", webhook_seconds(demo), 2)
            else:
                measure_gamedays(demo, results, options.runs, options.quiet_minutes * 60)
            errors = demo.error_lines()
            print(*errors, sep="\n")
            results.exactly("error_lines", [len(errors)], 0)
            if not options.quick:
                measure_kills(demo, results, SERVICES)
        finally:
            demo.close()
    results.show()
    results.write(options.json)
    sys.exit(0 if results.met else 1)


if __name__ == "__main__":
    main()
