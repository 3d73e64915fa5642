"""SIGKILL at every boundary of a delivery and of an action, again and again.

    python -m benchmarks.kill [--runs 500] [--seed 1] [--store sqlite] [--quick] [--json FILE]

Each run fires one alert, kills the process at a boundary chosen by the seed, starts it again and
resolves the alert. The client sends until it is confirmed, as Prometheus does. With ``--store
postgresql`` the state is in a PostgreSQL as for several replicas: what the killed process had taken
is then free for the next only when its lease has run out. Over all runs:

* lost: confirmed transitions the receiver was never told of.
* duplicates_with_new_id: transitions told twice under two delivery ids.
* actions_run_twice: actions the endpoint, which does not deduplicate, was asked to do twice.
* incidents_doubled: episodes that became more than one incident.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.figures import Results, add_json_argument
from benchmarks.receivers import Call, Point, Receiver, Reply
from benchmarks.warm_process import WarmProcess
from tests.alerting import postgres
from watchkeeper.errors import UpstreamError, WatchkeeperError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE_SECONDS = 240.0
"""More than two leases after one another."""
STORES = ("sqlite", "postgresql")
QUICK_RUNS = 20

_ALERTING = """
egress: {allow: [127.0.0.0/8]}
receivers: [{name: hook, kind: webhook, url: "URL", signing_secret: {env: BENCHMARK_SECRET}}]
route: {receivers: [hook]}
"""

_RULES = """
endpoints:
  local: {url: "URL", signing_secret: {env: BENCHMARK_SECRET}, timeout: 5s, deduplicates: false}
budget: {actions: 100000, window: 1h}
rules:
  - name: restart
    match: ['alertname="Dead"']
    action: restart-service
    target: "{{ labels.service }}"
    endpoint: local
    mode: auto
    cooldown: 0s
    budget: {actions: 100000, window: 1h}
    verification:
      checks: [{query: up, fresh: up, above: 0}]
      settle: 0s
      samples: 1
      every: 1s
      deadline: 5s
"""

BOUNDARIES = (
    "before commit",
    "after commit",
    *(f"delivery {point}" for point in Point),
    *(f"action {point}" for point in Point),
)


class Trap:
    """Kills the process once, when a receiver reaches the armed boundary."""

    def __init__(self, process: WarmProcess) -> None:
        self._process = process
        self._armed = ""
        self._lock = threading.Lock()

    def arm(self, boundary: str) -> None:
        """Kill at the next ``boundary``."""
        with self._lock:
            self._armed = boundary

    @property
    def is_armed(self) -> bool:
        """Whether the boundary was not reached yet."""
        with self._lock:
            return bool(self._armed)

    def disarm(self) -> bool:
        """Stop waiting for it; return whether it was still armed."""
        with self._lock:
            was_armed, self._armed = bool(self._armed), ""
            return was_armed

    def reach(self, boundary: str) -> None:
        """Kill when this is the armed boundary."""
        with self._lock:
            if boundary == self._armed:
                self._armed = ""
                self._process.kill()


class Endpoint:
    """Does an action every time it is asked, so that a repeated call shows."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def answer(self, call: Call) -> Reply:
        """Answer a call or a question about one."""
        if call.method == "GET":
            key = call.path.rsplit("/", 1)[1]
            body = b'{"state": "succeeded", "summary": "done"}'
            return Reply(200, body) if self.asked[key] else Reply(404, b"{}")
        self.asked[call.json["data"]["idempotency_key"]] += 1
        return Reply(202, b'{"state": "accepted"}')


class Run:
    """The service, its receivers and the client that drives them."""

    def __init__(self, directory: Path, seed: int, database_url: str = "") -> None:
        self.rng = random.Random(seed)
        self.endpoint = Endpoint()
        self.hook = Receiver(at_point=lambda point: self.trap.reach(f"delivery {point}"))
        self.actuator = Receiver(
            self.endpoint.answer, at_point=lambda point: self.trap.reach(f"action {point}")
        )
        shared = "database: {env: BENCHMARK_DATABASE}\n" if database_url else ""
        (directory / "alerting.yml").write_text(shared + _ALERTING.replace("URL", self.hook.url))
        (directory / "remediation.yml").write_text(_RULES.replace("URL", self.actuator.url))
        environment = {"BENCHMARK_SECRET": SECRET, "BENCHMARK_DATABASE": database_url}
        self.process = WarmProcess(directory, environment)
        self.trap = Trap(self.process)
        self.kills: Counter[str] = Counter()

    def go(self, runs: int) -> None:
        """Make ``runs`` runs, with progress on standard error."""
        self.process.start()
        for number in range(runs):
            self._one(f"run{number}", BOUNDARIES[number % len(BOUNDARIES)])
            if number % 20 == 19:
                print(f"{number + 1} of {runs} runs", file=sys.stderr)
        self._drain()

    def _one(self, service: str, boundary: str) -> None:
        if boundary == "before commit":
            delay_seconds = self.rng.uniform(0, 0.02)
            killer = threading.Timer(delay_seconds, self.process.kill)
            killer.start()
            self._post_until_taken(service)
            killer.join()
            self.kills[boundary] += 1
        else:
            self.trap.arm(boundary)
            self._post_until_taken(service)
            if boundary == "after commit":
                self.trap.disarm()
                self.process.kill()
                self.kills[boundary] += 1
            else:
                self._wait_for_the_trap(boundary)
        self._post_until_taken(service, ended=True)

    def _wait_for_the_trap(self, boundary: str) -> None:
        deadline = time.monotonic() + 10
        # Not for the process to be dead: the client may have started it again already.
        while self.trap.is_armed and time.monotonic() < deadline:
            time.sleep(0.01)
        if not self.trap.disarm():
            self.kills[boundary] += 1

    def _post_until_taken(self, service: str, *, ended: bool = False) -> None:
        now = datetime.now(UTC)
        alert = {
            "labels": {"alertname": "Dead", "service": service, "severity": "critical"},
            "annotations": {"summary": f"{service} is dead"},
            "startsAt": (now - timedelta(hours=1)).isoformat(),
            "endsAt": (now if ended else now + timedelta(hours=1)).isoformat(),
        }
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.process.is_dead():
                self.process.launch()
            try:
                self.process.peer.post("/api/v2/alerts", [alert])
            except UpstreamError:
                time.sleep(0.05)
            else:
                return
        raise WatchkeeperError(f"{service} was not taken within {PATIENCE_SECONDS:g} s")

    def _drain(self) -> None:
        """Wait until nothing is left to deliver."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            text = self.process.peer.get("/api/v1/deliveries", limit="1000")["deliveries"]
            if not [found for found in text if found["state"] in ("pending", "claimed")]:
                return
            time.sleep(0.5)

    def incidents(self) -> list[dict[str, Any]]:
        """Return the newest incidents, as many as the API gives."""
        found: list[dict[str, Any]] = self.process.peer.get("/api/v1/incidents", limit="1000")[
            "incidents"
        ]
        return found


@contextmanager
def database(store: str, directory: Path) -> Iterator[str]:
    """Give the URL of an empty database of a server of our own; empty for a file."""
    if store == "sqlite":
        yield ""
        return
    with postgres.running(directory / "server") as port:
        yield postgres.new_database(port)


def lost(calls: Sequence[Call], services: Sequence[str]) -> int:
    """Return how many of opened and resolved were never told, over all services."""
    told = {(call.json["data"]["incident"]["service"], call.json["type"]) for call in calls}
    wanted = {(s, f"incident.{event}") for s in services for event in ("opened", "resolved")}
    return len(wanted - told)


def duplicates_with_new_id(calls: Sequence[Call]) -> int:
    """Return how many openings and endings were told under more than one delivery id."""
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for call in calls:
        if call.json["type"] in ("incident.opened", "incident.resolved"):
            key = (call.json["data"]["incident"]["id"], call.json["type"])
            ids[key].add(call.headers["webhook-id"])
    return sum(len(found) - 1 for found in ids.values())


def main() -> int:
    """Measure, print and write; 0 when nothing was lost or done twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs")
    add_json_argument(parser)
    options = parser.parse_args()
    runs = QUICK_RUNS if options.quick else options.runs
    results = Results(f"SIGKILL at every boundary, on {options.store}, seed {options.seed}")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database(options.store, directory))
        run = Run(directory, options.seed, url)
        with run.hook, run.actuator:
            run.go(runs)
            services = [f"run{number}" for number in range(runs)]
            episodes = Counter(found["service"] for found in run.incidents())
            run.process.stop()
        calls = run.hook.calls
        twice = sum(count - 1 for count in run.endpoint.asked.values() if count > 1)
        results.exactly("lost", [lost(calls, services)], 0)
        results.exactly("actions_run_twice", [twice], 0)
        results.exactly("duplicates_with_new_id", [duplicates_with_new_id(calls)], 0)
        results.exactly("incidents_doubled", [sum(n - 1 for n in episodes.values())], 0)
        results.plain("runs", [runs])
        results.plain("kills", [run.kills.total()])
        results.plain("actions_asked_for", [len(run.endpoint.asked)])
    for boundary, count in sorted(run.kills.items()):
        print(f"{count:4d} killed: {boundary}", file=sys.stderr)
    results.show()
    results.write(options.json)
    return 0 if results.met else 1


if __name__ == "__main__":
    sys.exit(main())
