"""How quickly the console answers, how much it sends, and what open pages cost it.

With 200 open incidents and 1,000 watched series behind it, against the real process:

* ``page_p95_ms``: 50 viewers at once, each asking for one page after another with a pause of a
  second (an open page asks less often than that); every page there is, each as often as the others.
  ``p95_ms_of_now`` and so on tell them apart;
* ``first_page_kb``, ``first_content_ms``: what the first page transfers with everything it loads,
  and when Chromium has painted its content (needs Chromium; left out without it);
* ``sse_core_percent``: 200 pages that listen for changes while nothing changes; of one core, beyond
  what the console uses with no page open.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
import requests

from benchmarks.console_neighbours import Neighbours
from benchmarks.figures import Results, json_option

INCIDENTS, SERIES, VIEWERS, LISTENERS = 200, 1000, 50, 200
PAGES = {
    "now": "/",
    "now_content": "/now",
    "incident": "/incidents/i7",
    "series": "/series/s0",
    "boards": "/dashboards",
    "board": "/dashboards/watchkeeper-system",
    "explore": "/explore",
    "exploration": "/explore?query=up&band=1",
    "report": "/report",
    "rules": "/rules",
    "rehearsal": "/rules/rehearsal",
    "deliveries": "/deliveries",
    "agents": "/agents",
    "settings": "/settings",
    "switch": "/actions-switch",
    "runbook": "/runbooks/TaskQueueStalled",
}
"""Every page of the console by a name for its figure, and what an open first page asks again."""

PARTS = ("agent", "anomaly", "alerting", "remediation", "prometheus")
CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@click.command()
@click.option("--quick", is_flag=True, help="Shorter runs; finishes within two minutes.")
@json_option
def main(*, quick: bool, json_path: Path | None) -> None:
    """Measure the console and print a table; exit 1 when a bar is missed."""
    seconds = 10.0 if quick else 30.0
    results = Results("console")
    neighbours = Neighbours(incidents=INCIDENTS, series=SERIES)
    with running(neighbours.url) as (process, url):
        by_page = view(url, seconds)
        durations = [each for found in by_page.values() for each in found]
        results.at_most("page_p95_ms", [quantile(durations, 0.95)], 200)
        for name, found in by_page.items():
            results.plain(f"p95_ms_of_{name}", [quantile(found, 0.95)])
        results.plain("page_p50_ms", [quantile(durations, 0.5)])
        results.plain("pages_viewed", [len(durations)])
        paint = first_page(url)
        if paint is not None:
            results.at_most("first_page_kb", [paint[0]], 200)
            results.at_most("first_content_ms", [paint[1]], 1000)
        idle = core_percent(process, seconds)
        with listening(url):
            told = core_percent(process, seconds)
        results.at_most("sse_core_percent", [max(told - idle, 0.0)], 10)
        results.plain("idle_core_percent", [idle])
        results.plain("resident_mib", [process.memory_info().rss / 2**20])
    neighbours.close()
    results.show()
    results.write(json_path)
    sys.exit(0 if results.met else 1)


@contextlib.contextmanager
def running(neighbours_url: str) -> Iterator[tuple[psutil.Process, str]]:
    """Yield a console process and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    addresses = {f"WATCHKEEPER_{part.upper()}_URL": neighbours_url for part in PARTS}
    command = [sys.executable, "-m", "watchkeeper", "console", "--listen", listen]
    with subprocess.Popen(command, env={**os.environ, **addresses}) as process:
        try:
            await_ready(f"http://{listen}/readyz")
            yield psutil.Process(process.pid), f"http://{listen}"
        finally:
            process.terminate()


def await_ready(url: str, *, timeout_seconds: float = 60.0) -> None:
    """Return once ``url`` answers 200; RuntimeError after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.2)
    raise RuntimeError(f"{url} was not ready within {timeout_seconds:g} s")


def view(url: str, seconds: float) -> dict[str, list[float]]:
    """Return how long each page took each time, in milliseconds."""
    durations: dict[str, list[float]] = {name: [] for name in PAGES}
    until = time.monotonic() + seconds

    def viewer(number: int) -> None:
        rng = random.Random(number)
        session = requests.Session()
        time.sleep(rng.random())
        while time.monotonic() < until:
            name = rng.choice(tuple(PAGES))
            began = time.perf_counter()
            session.get(url + PAGES[name], timeout=30).raise_for_status()
            durations[name].append((time.perf_counter() - began) * 1000)
            time.sleep(1.0)

    viewers = [threading.Thread(target=viewer, args=(number,)) for number in range(VIEWERS)]
    for one in viewers:
        one.start()
    for one in viewers:
        one.join()
    return durations


def first_page(url: str) -> tuple[float, float] | None:
    """Return the KB the first page transfers and the milliseconds to its content, in Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only with a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("h1")
        transferred: float = page.evaluate(
            "[...performance.getEntriesByType('navigation'),"
            " ...performance.getEntriesByType('resource')]"
            ".reduce((sum, entry) => sum + entry.transferSize, 0)"
        )
        painted: float = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        browser.close()
    return transferred / 1000, painted


@contextlib.contextmanager
def listening(url: str) -> Iterator[None]:
    """Hold as many streams open as there are listeners."""
    with contextlib.ExitStack() as streams:
        for _ in range(LISTENERS):
            stream = requests.get(f"{url}/events", stream=True, timeout=60)
            stream.raise_for_status()
            streams.callback(stream.close)
        time.sleep(2.0)  # their first words are not what is measured
        yield


def core_percent(process: psutil.Process, seconds: float) -> float:
    """Return the share of one core that ``process`` used."""
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, ended = process.cpu_times(), time.monotonic()
    used = after.user + after.system - before.user - before.system
    return 100 * used / (ended - began)


def quantile(values: list[float], ratio: float) -> float:
    """Return the ``ratio`` quantile of ``values``."""
    return statistics.quantiles(values, n=100)[round(ratio * 100) - 1]


if __name__ == "__main__":
    main()
