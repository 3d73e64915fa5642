"""Processes by state, and threads against their limits, counted over /proc."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from agent.family import Family, single
from agent.procfs import read_number, read_text
from watchkeeper.catalogue import host

THREADS_COLUMN = 17
"""Of /proc/PID/stat after the command's name; column 0 is the state (proc_pid_stat(5))."""


class ProcessesCollector:
    """How many there are, what they do, and how many more there may be."""

    def __init__(self, *, proc: str = "/proc") -> None:
        self._proc = proc

    def collect(self) -> Iterator[Family]:
        """Return the counts; a process that ends meanwhile is left out."""
        states: Counter[str] = Counter()
        threads = 0
        for entry in os.listdir(self._proc):  # noqa: PTH208  # thousands of names, no Path for each
            if not entry.isdecimal():
                continue
            try:
                stat = read_text(f"{self._proc}/{entry}/stat")
            except (FileNotFoundError, ProcessLookupError):
                continue
            columns = stat.rpartition(") ")[2].split()
            states[columns[0]] += 1
            threads += int(columns[THREADS_COLUMN])
        yield single(host.PROCESSES_PIDS, states.total())
        yield single(host.PROCESSES_THREADS, threads)
        yield Family(host.PROCESSES_STATE, [((state,), n) for state, n in states.items()])
        for metric, file in (
            (host.PROCESSES_MAX, "pid_max"),
            (host.PROCESSES_MAX_THREADS, "threads-max"),
        ):
            number = read_number(Path(self._proc) / "sys" / "kernel" / file)
            if number is not None:
                yield single(metric, number)

    def close(self) -> None:
        """Nothing is held open."""
