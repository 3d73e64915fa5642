"""A thousand worker processes that come and go behind one /metrics: what stays, what it costs."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.figures import Results, json_option
from benchmarks.scraped import pause
from tests.ports import free_port
from watchkeeper.instrument import Instrumentation
from watchkeeper.instrument.multiprocess import Reporter, spawn_aggregator

ALIVE = 4
"""Workers at the same time, as a server has them."""

REQUESTS = 5
"""What each serves before it is recycled."""

LIFE_SECONDS = 0.2
"""How long each works: twenty are recycled a second, far more than any server does."""

ROUTES = 20


@dataclass(slots=True)
class Observed:
    """What scrapes saw while workers came and went."""

    seconds: list[float] = field(default_factory=list)
    fallen: int = 0
    series: list[int] = field(default_factory=list)
    totals: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    def note(self, text: str, seconds: float) -> None:
        """Note one scrape: which counters fell since the one before, and how many series are."""
        self.seconds.append(seconds)
        samples = [
            (family.type, sample)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
        self.series.append(len(samples))
        for kind, sample in samples:
            if kind in ("counter", "histogram"):
                key = sample.name, tuple(sorted(sample.labels.items()))
                self.fallen += sample.value < self.totals.get(key, 0.0)
                self.totals[key] = sample.value

    def requests(self) -> float:
        """Return how many requests were counted in all."""
        name = "http_server_request_duration_seconds_count"
        return sum(value for (of, _), value in self.totals.items() if of == name)


def work(instrumentation: Instrumentation, socket_path: Path) -> None:
    """Serve as a worker does, report, and end."""
    reporter = Reporter(instrumentation.registry, socket_path)
    reporter.start()
    for number in range(REQUESTS):
        instrumentation.http.begin("GET")
        route = f"/route/{(os.getpid() + number) % ROUTES}/<int:item>"
        instrumentation.http.end("GET", route, "200", 0.01, None)
        pause(LIFE_SECONDS / REQUESTS)
    reporter.stop()


def recycle(instrumentation: Instrumentation, socket_path: Path, count: int) -> None:
    """Fork ``count`` workers, ``ALIVE`` at a time, each in place of one that ended."""
    alive: set[int] = set()
    for _ in range(count):
        if len(alive) >= ALIVE:
            alive.discard(os.wait()[0])
        pid = os.fork()
        if pid == 0:
            work(instrumentation, socket_path)
            os._exit(0)
        alive.add(pid)
    for pid in alive:
        os.waitpid(pid, 0)


def scrape(url: str) -> tuple[str, float]:
    """Return the page and how long it took to serve."""
    began = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        text = answer.read().decode()
    return text, time.perf_counter() - began


def watch(url: str, observed: Observed, ended: threading.Event) -> None:
    """Scrape ten times a second until ``ended``."""
    while not ended.wait(0.1):
        observed.note(*scrape(url))


def disk_bytes(directory: Path) -> int:
    """Return what lies in the directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def resident_megabytes(pid: int) -> float:
    """Return the memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far."""
    columns = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(columns[11]) + int(columns[12])) / os.sysconf("SC_CLK_TCK")


def quiet_scrape_cpu_ms(pid: int, url: str, scrapes: int = 100) -> float:
    """Return the CPU time of serving one scrape while nobody reports, however busy the machine."""
    before = cpu_seconds(pid)
    for _ in range(scrapes):
        scrape(url)
    return (cpu_seconds(pid) - before) / scrapes * 1e3


def wait_for(url: str) -> None:
    """Return when the aggregator answers."""
    for _ in range(200):
        try:
            scrape(url)
        except (urllib.error.URLError, ConnectionError):
            pause(0.1)
        else:
            return
    raise TimeoutError("the aggregator does not answer")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of ``values`` do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(results: Results, directory: Path, count: int) -> None:
    """Add what ``count`` recycled workers left."""
    socket_path, port = directory / "metrics.sock", free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    aggregator = spawn_aggregator(socket_path, f"127.0.0.1:{port}")
    observed, ended = Observed(), threading.Event()
    try:
        wait_for(url)
        instrumentation = Instrumentation("bench")
        recycle(instrumentation, socket_path, ALIVE)
        observed.note(*scrape(url))
        before, disk_before = resident_megabytes(aggregator.pid), disk_bytes(directory)
        scraping = threading.Thread(target=watch, args=(url, observed, ended))
        scraping.start()
        recycle(instrumentation, socket_path, count)
        ended.set()
        scraping.join()
        observed.note(*scrape(url))
        expected = (count + ALIVE) * REQUESTS
        results.exactly("requests_lost", [expected - observed.requests()], 0)
        results.exactly("counters_fallen", [observed.fallen], 0)
        results.exactly("disk_grown_bytes", [disk_bytes(directory) - disk_before], 0)
        results.at_most("scrape_p99_ms", [percentile(observed.seconds, 0.99) * 1e3], 100)
        results.plain("scrape_p50_ms", [percentile(observed.seconds, 0.5) * 1e3])
        results.plain("scrape_cpu_ms", [quiet_scrape_cpu_ms(aggregator.pid, url)])
        results.plain("scrapes", [len(observed.seconds)])
        results.plain("series", [observed.series[-1]])
        grown = resident_megabytes(aggregator.pid) - before
        results.plain("aggregator_rss_mb", [before + grown])
        results.plain("aggregator_rss_grown_mb", [grown])
    finally:
        ended.set()
        aggregator.terminate()
        aggregator.wait()


@click.command()
@click.option("--quick", is_flag=True, help="A hundred workers: done within seconds.")
@json_option
def main(*, quick: bool, json_path: Path | None) -> None:
    """Measure what recycled worker processes leave behind."""
    count = 100 if quick else 1000
    results = Results(f"{count} recycled workers, {ALIVE} at a time, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as directory:
        measure(results, Path(directory), count)
    results.show()
    results.write(json_path)
    sys.exit(0 if results.met else 1)


if __name__ == "__main__":
    main()
