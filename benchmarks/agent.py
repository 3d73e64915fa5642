"""The agent beside Debian's exporters: CPU, memory and latency on the same machine and servers."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
import redis

from agent.cli import LIGHT_ENVIRONMENT
from benchmarks import exporters
from benchmarks.figures import Results, json_option
from benchmarks.hung_mount import hung_mount
from benchmarks.scraped import Scraped, pause
from tests.ports import free_port
from watchkeeper.catalogue import watchkeeper as own

EXPORTERS = exporters.PACKAGES
EXPORTERS_CACHE = Path.home() / ".cache" / "watchkeeper" / "exporters"
SETTLE_SECONDS = 4.0

LOCKED_SECONDS = 60.0
"""How long the database is locked, in a whole run."""

HANG_INTERVAL_SECONDS = 1
FRESH_SECONDS = 18.0
"""Every collector ran at its own interval, the slow one's 15 s among them, and did not wait."""

HUNG_MOUNTS = 6
"""More than the filesystem collector could wait for one after the other."""

HANGING = frozenset({"sleeper"})
"""Collectors that hang."""

_AGE = re.compile(rf'^{own.COLLECTOR_LAST_SUCCESS}\{{collector="([^"]+)"\}} (\S+)$', re.MULTILINE)

Look = Callable[[bytes], object]

HOST_ONLY = "interval: {interval}s\ndiscover: false\n"
EVERYTHING = """\
interval: {interval}s
postgres: [{{port: {postgres}, database: taskboard, user: postgres}}]
redis: [{{port: {valkey}}}]
"""


@dataclass(frozen=True, slots=True)
class Servers:
    """Ports of the servers that are watched."""

    postgres: int
    valkey: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process paid over one round."""

    cpu_seconds_per_scrape: float
    core_ratio: float
    latencies: list[float]


@contextlib.contextmanager
def servers(directory: Path) -> Iterator[Servers]:
    """Run the demo's PostgreSQL and Valkey."""
    ports = Servers(free_port(), free_port())
    with contextlib.ExitStack() as stack:
        for name, port in (("postgres", ports.postgres), ("valkey", ports.valkey)):
            command = [sys.executable, "-m", "taskboard", name, "--port", str(port)]
            process = Scraped(name, [*command, "--data-dir", str(directory / name)], port)
            stack.callback(process.stop)
        _wait_for(ports)
        yield ports


def _wait_for(ports: Servers) -> None:
    for _ in range(200):
        with contextlib.suppress(psycopg.OperationalError, redis.ConnectionError):
            psycopg.connect(
                host="127.0.0.1", port=ports.postgres, dbname="taskboard", user="postgres"
            ).close()
            redis.Redis(port=ports.valkey).ping()
            return
        pause(0.1)
    raise TimeoutError("the servers do not answer")


def start_agent(name: str, config: Path, *, module: str = "agent.process") -> Scraped:
    """Start the agent as its command does after replacing itself."""
    port = free_port()
    command = [sys.executable, "-m", module, str(config), f"127.0.0.1:{port}"]
    return Scraped(name, command, port, LIGHT_ENVIRONMENT)


def start_exporters(programs: Path, ports: Servers) -> list[Scraped]:
    """Start the three exporters on the same servers, with their defaults."""
    found = exporters.find(programs)
    node, postgres, valkey = (free_port() for _ in range(3))
    dsn = f"postgresql://postgres@127.0.0.1:{ports.postgres}/taskboard?sslmode=disable"
    commands: tuple[tuple[int, list[str], dict[str, str]], ...] = (
        (node, [f"--web.listen-address=127.0.0.1:{node}"], {}),
        (postgres, [f"--web.listen-address=127.0.0.1:{postgres}"], {"DATA_SOURCE_NAME": dsn}),
        (
            valkey,
            [
                f"-web.listen-address=127.0.0.1:{valkey}",
                f"-redis.addr=redis://127.0.0.1:{ports.valkey}",
            ],
            {},
        ),
    )
    return [
        Scraped(name, [str(found[name]), *options], port, environment)
        for name, (port, options, environment) in zip(EXPORTERS, commands, strict=True)
    ]


def measure(processes: Sequence[Scraped], scrapes: int, interval_seconds: float) -> list[Cost]:
    """Scrape all of them side by side at an interval; return what each paid."""
    before = [process.cpu_seconds() for process in processes]
    latencies: list[list[float]] = [[] for _ in processes]
    for _ in range(scrapes):
        spent = 0.0
        for process, mine in zip(processes, latencies, strict=True):
            seconds, _ = process.scrape()
            mine.append(seconds)
            spent += seconds
        pause(interval_seconds - spent)
    after = [process.cpu_seconds() for process in processes]
    elapsed = scrapes * interval_seconds
    return [
        Cost((now - then) / scrapes, (now - then) / elapsed, mine)
        for then, now, mine in zip(before, after, latencies, strict=True)
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of ``values`` do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def compare(
    results: Results, ports: Servers, directory: Path, *, interval: float, scrapes: int, rounds: int
) -> None:
    """Add the ratios at one interval; the figures at 5 s carry no suffix."""
    suffix = "" if interval == 5 else f"_at_{interval:g}s"
    host_config, config = directory / f"host{interval}.yml", directory / f"all{interval}.yml"
    host_config.write_text(HOST_ONLY.format(interval=interval))
    values = {"interval": interval, "postgres": ports.postgres, "valkey": ports.valkey}
    config.write_text(EVERYTHING.format(**values))
    ours = [start_agent("host", host_config), start_agent("everything", config)]
    theirs = start_exporters(EXPORTERS_CACHE, ports)
    processes = [*ours, *theirs]
    try:
        for process in processes:
            process.wait_until_it_answers()
        pause(SETTLE_SECONDS)
        runs = [measure(processes, scrapes, interval) for _ in range(rounds)]
        _add_costs(results, runs, suffix)
        _add_costs_a_series(results, runs, suffix, [process.series() for process in processes])
        if not suffix:
            _add_sizes(results, ours[1], theirs)
    finally:
        for process in processes:
            process.stop()


def _add_costs(results: Results, runs: Sequence[Sequence[Cost]], suffix: str) -> None:
    cpu = [[cost.cpu_seconds_per_scrape for cost in run] for run in runs]
    results.at_most(f"host_cpu_ratio{suffix}", [run[0] / run[2] for run in cpu], 1.0)
    results.at_most(f"all_cpu_ratio{suffix}", [run[1] / sum(run[2:]) for run in cpu], 0.8)
    results.plain(f"host_cpu_ms_per_scrape{suffix}", [run[0] * 1e3 for run in cpu])
    results.plain(f"all_cpu_ms_per_scrape{suffix}", [run[1] * 1e3 for run in cpu])
    results.plain(f"node_exporter_cpu_ms_per_scrape{suffix}", [run[2] * 1e3 for run in cpu])
    results.plain(f"exporters_cpu_ms_per_scrape{suffix}", [sum(run[2:]) * 1e3 for run in cpu])
    if not suffix:
        results.at_most("core_percent_at_5s", [run[1].core_ratio * 100 for run in runs], 0.5)
    theirs = [[max(latency) for latency in zip(*(c.latencies for c in run[2:]), strict=True)]
              for run in runs]  # fmt: skip
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        slowest = [percentile(latencies, share) for latencies in theirs]
        mine = [percentile(run[1].latencies, share) for run in runs]
        results.plain(f"exporters_slowest_scrape_{name}_ms{suffix}", [s * 1e3 for s in slowest])
        ratios = [one / other for one, other in zip(mine, slowest, strict=True)]
        results.plain(f"scrape_{name}_ratio{suffix}", ratios)


def _add_costs_a_series(
    results: Results, runs: Sequence[Sequence[Cost]], suffix: str, series: Sequence[int]
) -> None:
    ours = [run[1].cpu_seconds_per_scrape / series[1] for run in runs]
    theirs = [
        sum(cost.cpu_seconds_per_scrape for cost in run[2:]) / sum(series[2:]) for run in runs
    ]
    results.plain(f"all_cpu_us_per_series{suffix}", [seconds * 1e6 for seconds in ours])
    results.plain(f"exporters_cpu_us_per_series{suffix}", [seconds * 1e6 for seconds in theirs])
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    results.plain(f"cpu_per_series_ratio{suffix}", ratios)


def _add_sizes(results: Results, ours: Scraped, theirs: Sequence[Scraped]) -> None:
    rss = ours.rss_megabytes()
    their_rss = sum(process.rss_megabytes() for process in theirs)
    results.at_most("rss_mb", [rss], 45)
    results.at_most("all_rss_ratio", [rss / their_rss], 0.8)
    results.plain("exporters_rss_mb", [their_rss])
    results.plain("series", [ours.series()])
    results.plain("exporters_series", [sum(process.series() for process in theirs)])


def latency(results: Results, ports: Servers, directory: Path, *, scrapes: int) -> None:
    """Add the latency of serving, with everything on, at a hundred scrapes a second."""
    config = directory / "latency.yml"
    values = {"interval": 5, "postgres": ports.postgres, "valkey": ports.valkey}
    config.write_text(EVERYTHING.format(**values))
    agent = start_agent("everything", config)
    port = free_port()
    yardstick = Scraped(
        "yardstick", [sys.executable, "-m", "benchmarks.constant_page", str(port)], port
    )
    machine: list[float] = []
    try:
        for process in (agent, yardstick):
            process.wait_until_it_answers()
        pause(SETTLE_SECONDS)
        seconds = _scrape_often(
            agent, scrapes, look=lambda _: machine.append(yardstick.scrape()[0])
        )
    finally:
        agent.stop()
        yardstick.stop()
    results.plain("constant_page_p50_ms", [percentile(machine, 0.5) * 1e3])
    results.plain("constant_page_p99_ms", [percentile(machine, 0.99) * 1e3])
    results.plain("scrape_p50_ms", [percentile(seconds, 0.5) * 1e3])
    results.at_most("scrape_p99_ms", [percentile(seconds, 0.99) * 1e3], 3.0)


def _scrape_often(
    agent: Scraped, scrapes: int, *, pause_seconds: float = 0.01, look: Look = bytes
) -> list[float]:
    seconds = []
    for _ in range(scrapes):
        took, page = agent.scrape()
        seconds.append(took)
        look(page)
        pause(pause_seconds)
    return seconds


class Freshness:
    """The oldest that anything was which should be fresh, over some pages."""

    def __init__(self) -> None:
        self.oldest_seconds = 0.0

    def look(self, page: bytes) -> None:
        """Note the ages told on one page, but those of what hangs."""
        ages = _AGE.findall(page.decode())
        fresh = [float(age) for name, age in ages if name not in HANGING and "postgres" not in name]
        self.oldest_seconds = max([self.oldest_seconds, *fresh])


def hanging(results: Results, ports: Servers, directory: Path, *, scrapes: int) -> None:
    """Add the latency while a collector sleeps, a mount hangs and a database is locked."""
    config = directory / "hanging.yml"
    values = {"interval": HANG_INTERVAL_SECONDS, "postgres": ports.postgres, "valkey": ports.valkey}
    config.write_text(EVERYTHING.format(**values))
    with contextlib.ExitStack() as stack:
        hung_mounts = _hang(stack, directory)
        database = stack.enter_context(
            psycopg.connect(
                host="127.0.0.1", port=ports.postgres, dbname="taskboard", user="postgres"
            )
        )
        agent = start_agent("hanging", config, module="benchmarks.hanging_agent")
        stack.callback(agent.stop)
        agent.wait_until_it_answers()
        pause(SETTLE_SECONDS)
        database.execute("LOCK TABLE pg_database IN ACCESS EXCLUSIVE MODE")
        pause(SETTLE_SECONDS)
        threads, descriptors = agent.threads(), agent.descriptors()
        freshness = Freshness()
        pause_seconds = LOCKED_SECONDS / 1000  # 1,000 scrapes while it is locked
        seconds = _scrape_often(agent, scrapes, pause_seconds=pause_seconds, look=freshness.look)
        results.plain("hang_scrape_p50_ms", [percentile(seconds, 0.5) * 1e3])
        results.at_most("hang_scrape_p99_ms", [percentile(seconds, 0.99) * 1e3], 20.0)
        results.at_most("hang_threads_grown", [max(0, agent.threads() - threads)], 1)
        results.at_most("hang_descriptors_grown", [max(0, agent.descriptors() - descriptors)], 3)
        results.at_most(
            "hang_oldest_other_series_seconds", [freshness.oldest_seconds], FRESH_SECONDS
        )
        results.exactly("hang_connections", [_connections(database)], 1)
        results.exactly("hang_mounts", [hung_mounts], HUNG_MOUNTS)


def _hang(stack: contextlib.ExitStack, directory: Path) -> int:
    """Mount what never answers; return how often that was possible (root and /dev/fuse)."""
    mounted = 0
    for number in range(HUNG_MOUNTS):
        mount_point = directory / f"hung{number}"
        mount_point.mkdir()
        with contextlib.suppress(OSError):
            stack.enter_context(hung_mount(mount_point))
            mounted += 1
    return mounted


def _connections(database: psycopg.Connection[tuple[int]]) -> int:
    query = "SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE application_name = %s"
    row = database.execute(query, ["watchkeeper-agent"]).fetchone()
    return row[0] if row else 0


@click.command()
@click.option("--quick", is_flag=True, help="Fewer scrapes: done within two minutes.")
@json_option
def main(*, quick: bool, json_path: Path | None) -> None:
    """Measure the agent beside the exporters it takes the place of."""
    results = Results(f"agent, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        with servers(directory) as ports:
            rounds = 2 if quick else 5
            for interval, scrapes in ((5, 3 if quick else 12), (1, 8 if quick else 60)):
                compare(
                    results, ports, directory, interval=interval, scrapes=scrapes, rounds=rounds
                )
            latency(results, ports, directory, scrapes=500 if quick else 1000)
            hanging(results, ports, directory, scrapes=300 if quick else 1000)
    results.show()
    results.write(json_path)
    sys.exit(0 if results.met else 1)


if __name__ == "__main__":
    main()
