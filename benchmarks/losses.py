"""Transitions lost by Alertmanager and by Watchkeeper in three ordinary mishaps.

    python -m benchmarks.losses [--quick] [--json FILE]

Both get the same alerts, sent again every five seconds as Prometheus does, and the same receiver:

* receiver_down: it answers 500 for 20 s; an alert fires at 0 s and is resolved at 5 s.
* rate_limited: it answers one 429 with ``Retry-After: 1``; the alert is resolved 2 s later.
* killed: a silence is made and an alert delivered; 4 s later the process gets SIGKILL.

Lost counts, of firing and resolved, what the receiver was never told; for ``killed``, the silence.
Alertmanager is Debian's (prometheus-alertmanager), with a group interval of 5 s.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import requests

from benchmarks.figures import Results, add_json_argument
from benchmarks.receivers import Call, Receiver, Reply
from tests.alerting.process import AlertingProcess
from tests.ports import free_port
from tests.waiting import wait_until

OUTAGE_SECONDS = 20.0
OBSERVED_SECONDS = 40.0
RESEND_SECONDS = 5.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_ALERTMANAGER = """
route:
  {receiver: hook, group_by: [service], group_wait: 0s, group_interval: 5s, repeat_interval: 4h}
receivers:
  - name: hook
    webhook_configs: [{url: "URL", send_resolved: true}]
"""

_WATCHKEEPER = """
egress: {allow: [127.0.0.0/8]}
receivers: [{name: hook, kind: webhook, url: "URL", signing_secret: {env: BENCHMARK_SECRET}}]
route: {receivers: [hook]}
"""


class Router(Protocol):
    """What is compared."""

    url: str

    def start(self) -> None:
        """Start and wait until ready."""

    def kill(self) -> None:
        """End it with SIGKILL and wait until it is gone."""


class Alertmanager:
    """Debian's Alertmanager on a directory of its own."""

    def __init__(self, directory: Path, receiver_url: str) -> None:
        self._directory = directory
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        (directory / "alertmanager.yml").write_text(_ALERTMANAGER.replace("URL", receiver_url))
        binary = alertmanager_binary()
        assert binary is not None
        self._command = [
            binary,
            f"--config.file={directory / 'alertmanager.yml'}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until ready."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        wait_until(lambda: _answers(f"{self.url}/-/ready"), what="Alertmanager is ready")

    def kill(self) -> None:
        """End it with SIGKILL and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


class Watchkeeper:
    """Our alerting service on a directory of its own."""

    def __init__(self, directory: Path, receiver_url: str) -> None:
        (directory / "alerting.yml").write_text(_WATCHKEEPER.replace("URL", receiver_url))
        (directory / "remediation.yml").write_text("")
        self._process = AlertingProcess(directory, {"BENCHMARK_SECRET": SECRET})
        self.url = self._process.peer.base_url

    def start(self) -> None:
        """Start and wait until ready."""
        self._process.start()

    def kill(self) -> None:
        """End it with SIGKILL and wait until it is gone."""
        self._process.kill()
        self._process.wait_for_death()


def alertmanager_binary() -> str | None:
    """Return where Alertmanager is, or None."""
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


class Client:
    """Sends the state of one alert every five seconds, as Prometheus does."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._started_at = datetime.now(UTC)
        self._ended_at: datetime | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._resend, daemon=True)

    def fire(self) -> None:
        """Begin."""
        self._send()
        self._thread.start()

    def resolve(self) -> None:
        """Say that it ended, from now on."""
        self._ended_at = datetime.now(UTC)
        self._send()

    def stop(self) -> None:
        """Say nothing any more."""
        self._stopping.set()
        self._thread.join()

    def _resend(self) -> None:
        while not self._stopping.wait(RESEND_SECONDS):
            self._send()

    def _send(self) -> None:
        ends_at = self._ended_at or datetime.now(UTC) + timedelta(minutes=4)
        alert = {
            "labels": {"alertname": "Dead", "service": "shop"},
            "annotations": {"summary": "shop is dead"},
            "startsAt": self._started_at.isoformat(),
            "endsAt": ends_at.isoformat(),
        }
        try:
            requests.post(f"{self._url}/api/v2/alerts", json=[alert], timeout=5)
        except requests.ConnectionError:
            return  # the process is being killed; the next sending tries again


def told(calls: Sequence[Call]) -> set[str]:
    """Return which of firing and resolved the confirmed calls spoke of."""
    found: set[str] = set()
    for call in calls:
        body = call.json
        if "alerts" in body:  # Alertmanager's webhook, version 4
            found |= {alert["status"] for alert in body["alerts"]}
        else:
            found |= {"resolved" if body["type"] == "incident.resolved" else "firing"}
    return found


def receiver_down(make: Callable[[str], Router]) -> int:
    """Return how many of two transitions are lost when the receiver is down across both."""
    began = time.monotonic()
    taken: list[Call] = []

    def answer(call: Call) -> Reply:
        if time.monotonic() - began < OUTAGE_SECONDS:
            return Reply(500, b"down")
        taken.append(call)
        return Reply()

    with Receiver(answer) as receiver:
        router = make(receiver.url)
        router.start()
        began = time.monotonic()
        client = Client(router.url)
        client.fire()
        time.sleep(5)
        client.resolve()
        lost = _wait_for_both(taken, began + OUTAGE_SECONDS + OBSERVED_SECONDS)
        client.stop()
        router.kill()
    return lost


def rate_limited(make: Callable[[str], Router]) -> int:
    """Return how many of two transitions are lost after a single 429."""
    refused = threading.Event()
    taken: list[Call] = []

    def answer(call: Call) -> Reply:
        if not refused.is_set():
            refused.set()
            return Reply(429, b"slow down", {"Retry-After": "1"})
        taken.append(call)
        return Reply()

    with Receiver(answer) as receiver:
        router = make(receiver.url)
        router.start()
        client = Client(router.url)
        client.fire()
        refused.wait(10)
        time.sleep(2)
        client.resolve()
        lost = _wait_for_both(taken, time.monotonic() + OBSERVED_SECONDS)
        client.stop()
        router.kill()
    return lost


def _wait_for_both(taken: Sequence[Call], until_monotonic: float) -> int:
    while time.monotonic() < until_monotonic and len(told(taken)) < 2:
        time.sleep(0.2)
    return 2 - len(told(taken))


def killed(make: Callable[[str], Router]) -> int:
    """Return 1 when a silence of four seconds is gone after SIGKILL, else 0."""
    with Receiver() as receiver:
        router = make(receiver.url)
        router.start()
        client = Client(router.url)
        client.fire()
        wait_until(lambda: receiver.calls, what="the first message")
        now = datetime.now(UTC)
        silence: dict[str, Any] = {
            "matchers": [{"name": "alertname", "value": "x", "isRegex": False}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "benchmark",
            "comment": "must survive",
        }
        requests.post(f"{router.url}/api/v2/silences", json=silence, timeout=5).raise_for_status()
        time.sleep(4)
        router.kill()
        router.start()
        kept = requests.get(f"{router.url}/api/v2/silences", timeout=5).json()
        client.stop()
        router.kill()
    return 0 if kept else 1


CASES = {"receiver_down": receiver_down, "rate_limited": rate_limited, "killed": killed}
ROUTERS: dict[str, Callable[[Path, str], Router]] = {
    "alertmanager": Alertmanager,
    "watchkeeper": Watchkeeper,
}


def measure(directory: Path) -> dict[str, int]:
    """Return the losses by router and case; all cases run at the same time, each on its own."""

    def one(router: str, case: str) -> int:
        place = directory / f"{router}-{case}"
        place.mkdir()
        return CASES[case](lambda url: ROUTERS[router](place, url))

    names = [(router, case) for router in ROUTERS for case in CASES]
    with ThreadPoolExecutor(len(names)) as pool:
        losses = pool.map(lambda name: one(*name), names)
    return {f"{router}_{case}": lost for (router, case), lost in zip(names, losses, strict=True)}


def main() -> int:
    """Measure, print and write; 0 when we lose nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same: it takes about a minute")
    add_json_argument(parser)
    arguments = parser.parse_args()
    if alertmanager_binary() is None:
        print("install Debian's prometheus-alertmanager to compare with", file=sys.stderr)
        return 2
    results = Results("Transitions lost (of 2; for killed, of 1 silence)")
    with tempfile.TemporaryDirectory() as directory:
        for name, lost in measure(Path(directory)).items():
            if name.startswith("watchkeeper"):
                results.exactly(name, [lost], 0)
            else:
                results.plain(name, [lost])
    results.show()
    results.write(arguments.json)
    return 0 if results.met else 1


if __name__ == "__main__":
    sys.exit(main())
