"""What watching a group of processes costs on a machine that runs thousands of others."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from agent.collectors.named_processes import NamedProcessesCollector
from benchmarks.figures import Results, json_option

NOBODY = [{"name": "nobody", "command": "no such program", "children": True}]

INTERVAL_SECONDS = 5.0
RUNS = 36


@contextmanager
def many_processes(count: int) -> Iterator[None]:
    """Have ``count`` processes that do nothing."""
    pids = []
    try:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            pids.append(pid)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)


def cpu_seconds_a_run(groups: list[dict[str, object]], runs: int) -> list[float]:
    """Return the CPU time of each of ``runs`` runs, the first two left out: they read all."""
    collector = NamedProcessesCollector(groups=groups)
    costs = []
    for _ in range(runs + 2):
        began = time.process_time()
        list(collector.collect())
        costs.append(time.process_time() - began)
    collector.close()
    return costs[2:]


@click.command()
@click.option("--quick", is_flag=True, help="Fewer processes: done within seconds.")
@json_option
def main(*, quick: bool, json_path: Path | None) -> None:
    """Measure the collector of named processes beside many strangers."""
    count = 300 if quick else 3000
    results = Results(f"named processes, {count} strangers, {os.cpu_count()} CPUs")
    with many_processes(count):
        costs = cpu_seconds_a_run(NOBODY, 12 if quick else RUNS)
    mean = sum(costs) / len(costs)
    results.plain("ms_per_run", [cost * 1e3 for cost in costs])
    results.at_most("core_percent_at_5s", [mean / INTERVAL_SECONDS * 100], 0.5)
    results.show()
    results.write(json_path)
    sys.exit(0 if results.met else 1)


if __name__ == "__main__":
    main()
