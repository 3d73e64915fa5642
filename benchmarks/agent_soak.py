"""The agent and an instrumented application under floods of names, for half an hour.

10,000 short-lived workers, 100,000 random URLs and 5,000 tables: what is exposed stays bounded, and
memory flat. Both are scraped every second.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from agent.celery.tally import MOST_WORKERS
from benchmarks.agent import Servers, percentile, servers, start_agent
from benchmarks.figures import Results, json_option
from benchmarks.scraped import Scraped, pause
from benchmarks.short_lived_workers import ShortLivedWorkers
from tests.ports import free_port

TABLES = 5_000
WORKERS = 10_000
URLS = 100_000
TOLD_TABLES = 20
"""The default of ``postgres.tables``."""

CONFIG = """\
interval: 1s
slow_interval: 3s
postgres: [{{port: {postgres}, database: taskboard, user: postgres}}]
redis: [{{port: {valkey}}}]
celery: [{{broker: {{port: {valkey}}}, queues: [celery]}}]
"""

SETTLED_RATIO = 0.2
"""Share of the time after which memory should no longer grow: caches are full by then."""


@dataclass(slots=True)
class Watch:
    """What a process looked like, second by second."""

    process: Scraped
    rss_megabytes: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Scrape it and note what it takes."""
        seconds, page = self.process.scrape()
        self.latencies.append(seconds)
        self.series.append(sum(1 for line in page.splitlines() if not line.startswith(b"#")))
        self.rss_megabytes.append(self.process.rss_megabytes())
        self.threads.append(self.process.threads())
        self.descriptors.append(self.process.descriptors())

    def growth_ratio(self) -> float:
        """Return the memory of the last tenth over that of the tenth after it settled."""
        tenth = max(1, len(self.rss_megabytes) // 10)
        start = int(len(self.rss_megabytes) * SETTLED_RATIO)
        settled = statistics.median(self.rss_megabytes[start : start + tenth])
        return statistics.median(self.rss_megabytes[-tenth:]) / settled

    def grown(self, counts: Sequence[int]) -> float:
        """Return by how much a count of the last tenth exceeds that of the tenth after it settled.

        Medians: files are open for a moment whenever one is read.
        """
        tenth = max(1, len(counts) // 10)
        start = int(len(counts) * SETTLED_RATIO)
        return statistics.median(counts[-tenth:]) - statistics.median(counts[start : start + tenth])


def make_tables(port: int) -> None:
    """Make the tables in the database that is watched."""
    with psycopg.connect(
        host="127.0.0.1", port=port, dbname="taskboard", user="postgres", autocommit=True
    ) as database:
        for first in range(0, TABLES, 250):
            names = range(first, first + 250)
            database.execute("".join(f"CREATE TABLE soak_{n} (id int);" for n in names).encode())


def start_application(visits_per_second: float) -> Scraped:
    """Start the instrumented application and its visitors."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.random_urls", str(port), str(visits_per_second)]
    return Scraped("application", command, port)


def watch_for(seconds: float, watches: Sequence[Watch], tell: Callable[[float], None]) -> None:
    """Look at each once a second for so long."""
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        for watch in watches:
            watch.look()
        tell(elapsed)
        pause(1 - (time.monotonic() - started - elapsed))


def samples_of(process: Scraped) -> list[Sample]:
    """Return what it exposes, read as Prometheus does."""
    headers = {"Accept": "text/plain"}
    page = process.scrape(headers)[1].decode()
    return [one for family in text_string_to_metric_families(page) for one in family.samples]


def distinct(samples: Sequence[Sample], prefix: str, label: str) -> int:
    """Return how many values a label has in the series whose name begins with ``prefix``."""
    found = {one.labels.get(label) for one in samples if one.name.startswith(prefix)}
    return len(found - {None})


def soak(results: Results, ports: Servers, directory: Path, minutes: float) -> None:
    """Run it all and add the figures."""
    config = directory / "soak.yml"
    config.write_text(CONFIG.format(postgres=ports.postgres, valkey=ports.valkey))
    seconds = minutes * 60
    workers = ShortLivedWorkers(ports.valkey, WORKERS / seconds)
    agent = start_agent("agent", config)
    application = start_application(URLS / seconds)
    try:
        for process in (agent, application):
            process.wait_until_it_answers()
        workers.start()
        watches = [Watch(agent), Watch(application)]
        watch_for(seconds, watches, _teller(seconds))
        _add(results, minutes, watches, workers.sent)
    finally:
        workers.stop()
        application.stop()
        agent.stop()


def _teller(seconds: float) -> Callable[[float], None]:
    told = [-1]

    def tell(elapsed: float) -> None:
        percent = int(elapsed * 100 / seconds)
        if percent // 10 > told[0] // 10:
            told[0] = percent
            click.echo(f"{percent} %", err=True)

    return tell


def _add(results: Results, minutes: float, watches: Sequence[Watch], workers: int) -> None:
    agent, application = watches
    told, counted = samples_of(agent.process), samples_of(application.process)
    visits = sum(
        one.value for one in counted if one.name == "http_server_request_duration_seconds_count"
    )
    results.plain("soak_minutes", [minutes])
    results.plain("soak_workers", [workers])
    results.plain("soak_urls", [visits])
    results.at_most("agent_rss_growth_ratio", [agent.growth_ratio()], 1.1)
    results.at_most("application_rss_growth_ratio", [application.growth_ratio()], 1.1)
    results.at_most("agent_rss_mb", [max(agent.rss_megabytes)], 45)
    results.plain("agent_series_most", [max(agent.series)])
    results.at_most("worker_labels", [distinct(told, "celery_worker_", "hostname")], MOST_WORKERS)
    results.at_most("table_labels", [distinct(told, "pg_stat_user_tables", "relname")], TOLD_TABLES)
    results.exactly("route_labels", [distinct(counted, "http_server_", "http_route")], 1)
    results.plain("application_series", [application.series[-1]])
    results.at_most("agent_threads_grown", [agent.grown(agent.threads)], 1)
    results.at_most("agent_descriptors_grown", [agent.grown(agent.descriptors)], 3)
    successes = [one.value for one in told if one.name == "watchkeeper_collector_success"]
    results.exactly("collectors_failing", [successes.count(0.0)], 0)
    results.plain("agent_scrape_p99_ms", [percentile(agent.latencies, 0.99) * 1e3])


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long; the floods adapt.")
@click.option("--quick", is_flag=True, help="The same floods within a minute and a half.")
@json_option
def main(*, minutes: float, quick: bool, json_path: Path | None) -> None:
    """Flood the agent with names and see what grows."""
    results = Results(f"agent under floods, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        with servers(directory) as ports:
            make_tables(ports.postgres)
            soak(results, ports, directory, 1.5 if quick else minutes)
    results.show()
    results.write(json_path)
    sys.exit(0 if results.met else 1)


if __name__ == "__main__":
    main()
