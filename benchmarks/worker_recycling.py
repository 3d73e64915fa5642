"""A thousand worker processes report to one aggregator, a few at a time: what is lost or grows."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.agent import percentile
from benchmarks.figures import Results
from benchmarks.scraped import Scraped, free_port
from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.multiprocess import Reporter

AT_ONCE = 8
"""Workers that live at a time, as of a server with so many."""

REQUESTS = 10
"""That each worker serves in its life."""

KILLED_EVERY = 10
"""Of so many workers one dies without a goodbye, after it has reported."""


def live(socket_path: Path, *, is_killed: bool) -> None:
    """Be a worker: serve some requests, report, and go or die."""
    registry = CollectorRegistry()
    instrumentation = Instrumentation("recycled", registry=registry)
    served = Counter("recycled_requests_total", "Requests served.", registry=registry)
    reporter = Reporter(registry, socket_path, interval_seconds=0.05)
    reporter.start()
    for _ in range(REQUESTS):
        served.inc()
        instrumentation.http.begin("GET")
        instrumentation.http.end("GET", "/orders/<id>", "200", 0.01)
    reporter.stop()
    if is_killed:
        os.kill(os.getpid(), signal.SIGKILL)


def fork_worker(socket_path: Path, number: int) -> int:
    """Start a worker; return its process id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            live(socket_path, is_killed=number % KILLED_EVERY == 0)
            code = 0
        finally:
            os._exit(code)
    return pid


@dataclass(slots=True)
class Seen:
    """What scrapes of the aggregator showed."""

    totals: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    rss_megabytes: list[float] = field(default_factory=list)

    def look(self, aggregator: Scraped) -> None:
        """Scrape once."""
        seconds, page = aggregator.scrape({"Accept": "text/plain"})
        self.latencies.append(seconds)
        samples = [
            sample
            for family in text_string_to_metric_families(page.decode())
            for sample in family.samples
        ]
        self.series.append(len(samples))
        self.totals.append(sum(s.value for s in samples if s.name == "recycled_requests_total"))
        self.rss_megabytes.append(aggregator.rss_megabytes())

    def steps_back(self) -> int:
        """Return how often the total fell."""
        pairs = zip(self.totals, self.totals[1:], strict=False)
        return sum(1 for before, after in pairs if after < before)


def recycle(aggregator: Scraped, socket_path: Path, workers: int) -> Seen:
    """Let so many workers live, a few at a time, and look after each few."""
    seen = Seen()
    for first in range(0, workers, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, workers))
        pids = [fork_worker(socket_path, number) for number in numbers]
        for pid in pids:
            os.waitpid(pid, 0)
        seen.look(aggregator)
    seen.look(aggregator)
    return seen


def bytes_in(directory: Path) -> int:
    """Return what all files under a directory take."""
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def add_figures(results: Results, seen: Seen, workers: int, disk_bytes: Sequence[int]) -> None:
    """Add what was seen."""
    fifth = len(seen.rss_megabytes) // 5
    results.plain("recycled_workers", [workers])
    results.exactly("counter_steps_back", [seen.steps_back()], 0)
    results.exactly("requests_missing", [workers * REQUESTS - seen.totals[-1]], 0)
    results.exactly("disk_grown_bytes", [disk_bytes[1] - disk_bytes[0]], 0)
    results.at_most("aggregator_scrape_p99_ms", [percentile(seen.latencies, 0.99) * 1e3], 100)
    results.plain("aggregator_scrape_p50_ms", [percentile(seen.latencies, 0.5) * 1e3])
    results.plain("aggregator_series", [seen.series[-1]])
    results.at_most(
        "aggregator_rss_growth_ratio", [seen.rss_megabytes[-1] / seen.rss_megabytes[fifth]], 1.1
    )


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of the workers.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures.")
def main(*, quick: bool, json_path: Path | None) -> None:
    """Recycle worker processes and see what is lost, and what grows."""
    results = Results(f"recycled workers, {os.cpu_count()} CPUs")
    workers = 100 if quick else 1000
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        socket_path, port = directory / "metrics.sock", free_port()
        module = "watchkeeper.instrument.multiprocess"
        command = [sys.executable, "-m", module, str(socket_path), f"127.0.0.1:{port}"]
        aggregator = Scraped("aggregator", command, port)
        try:
            aggregator.wait_until_it_answers()
            before = bytes_in(directory)
            seen = recycle(aggregator, socket_path, workers)
            add_figures(results, seen, workers, (before, bytes_in(directory)))
        finally:
            aggregator.stop()
    results.show()
    results.write(json_path)
    sys.exit(0 if results.met else 1)


if __name__ == "__main__":
    main()
